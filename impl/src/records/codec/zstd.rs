//! Zstandard, one frame or several.

use super::{Failure, read_bounded};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// The window that every decoder should allow (RFC 8878), in bytes: streams name one that their contents don't fill.
const LEAST_WINDOW: usize = 8 << 20;

pub(super) fn decompress(contents: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut rest = contents;
    while !rest.is_empty() {
        // A decoder holds a window before it hands out anything.
        let window = limit.max(LEAST_WINDOW) as u64;
        let frame = StreamingDecoder::new_with_max_window_size(&mut rest, window).map_err(Failure::unreadable)?;
        read_bounded(frame, &mut out, limit)?;
    }
    Ok(out)
}

pub(super) fn compress(records: &[u8]) -> Vec<u8> {
    compress_to_vec(records, CompressionLevel::Fastest)
}
