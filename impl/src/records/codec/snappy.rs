//! Snappy: bare, as librdkafka may write it, or in the blocks of snappy-java, as the Java client does.

use super::Failure;

/// What snappy-java begins with; two version numbers follow.
const JAVA_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const JAVA_VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// The size of the blocks that it writes, before compression.
const BLOCK_SIZE: usize = 32 * 1024;

pub(super) fn decompress(contents: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let Some(blocks) = contents.strip_prefix(&JAVA_MAGIC) else {
        decompress_block(contents, &mut out, limit)?;
        return Ok(out);
    };
    let mut rest = blocks.get(JAVA_VERSIONS.len()..).ok_or_else(ends_early)?;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or_else(ends_early)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, after) = after.split_at_checked(length).ok_or_else(ends_early)?;
        decompress_block(block, &mut out, limit)?;
        rest = after;
    }
    Ok(out)
}

fn decompress_block(block: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Failure> {
    let length = snap::raw::decompress_len(block).map_err(Failure::unreadable)?;
    let from = out.len();
    if length > limit.saturating_sub(from) {
        return Err(Failure::Bomb);
    }
    out.resize(from + length, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut out[from..]).map_err(Failure::unreadable)?;
    out.truncate(from + written);
    Ok(())
}

fn ends_early() -> Failure {
    Failure::unreadable("it ends within a block")
}

pub(super) fn compress(records: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = [JAVA_MAGIC, JAVA_VERSIONS].concat();
    for block in records.chunks(BLOCK_SIZE) {
        let compressed = snap::raw::Encoder::new().compress_vec(block).map_err(|error| error.to_string())?;
        let length = u32::try_from(compressed.len()).map_err(|error| error.to_string())?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(out)
}
