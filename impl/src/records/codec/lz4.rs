//! LZ4 frames.

use super::{Failure, read_bounded};
use lz4_flex::frame::{BlockMode, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::Write;

pub(super) fn decompress(contents: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    read_bounded(FrameDecoder::new(contents), &mut out, limit)?;
    Ok(out)
}

pub(super) fn compress(records: &[u8]) -> Result<Vec<u8>, String> {
    // Kafka's own reader refuses blocks that depend on each other.
    let info = FrameInfo::new().block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(records).map_err(|error| error.to_string())?;
    encoder.finish().map_err(|error| error.to_string())
}
