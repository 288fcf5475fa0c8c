//! Zstandard, one frame or several.

use super::{Failure, read_bounded};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

pub(super) fn decompress(contents: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut rest = contents;
    while !rest.is_empty() {
        let frame = StreamingDecoder::new(&mut rest).map_err(Failure::unreadable)?;
        read_bounded(frame, &mut out, limit)?;
    }
    Ok(out)
}

pub(super) fn compress(records: &[u8]) -> Vec<u8> {
    compress_to_vec(records, CompressionLevel::Fastest)
}
