//! Compressing and decompressing a batch's records, as Kafka's clients do.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

use super::{Compression, RecordError};
use bytes::Bytes;
use std::io::Read;

/// `contents`, decompressed, if that takes at most `limit` bytes.
pub(super) fn decompress(compression: Compression, contents: Bytes, limit: usize) -> Result<Bytes, RecordError> {
    let unreadable = |reason: String| RecordError::Compressed { compression, reason };
    let decompressed = match compression {
        Compression::None => return Ok(contents),
        Compression::Gzip => gzip::decompress(&contents, limit),
        Compression::Snappy => snappy::decompress(&contents, limit),
        Compression::Lz4 => lz4::decompress(&contents, limit),
        Compression::Zstd => zstd::decompress(&contents, limit),
    };
    match decompressed {
        Ok(bytes) if bytes.len() <= limit => Ok(bytes.into()),
        Ok(_) | Err(Failure::Bomb) => Err(RecordError::Bomb { limit }),
        Err(Failure::Unreadable(reason)) => Err(unreadable(reason)),
    }
}

/// `records`, compressed.
pub(super) fn compress(compression: Compression, records: &[u8]) -> Result<Vec<u8>, RecordError> {
    let compressed = match compression {
        Compression::None => Ok(records.to_vec()),
        Compression::Gzip => gzip::compress(records),
        Compression::Snappy => snappy::compress(records),
        Compression::Lz4 => lz4::compress(records),
        Compression::Zstd => Ok(zstd::compress(records)),
    };
    compressed.map_err(|reason| RecordError::Compressed { compression, reason })
}

/// Why something can't be decompressed.
enum Failure {
    /// It would take more than the limit.
    Bomb,
    /// The decompressor's own words.
    Unreadable(String),
}

impl Failure {
    fn unreadable(error: impl ToString) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Appends what `from` yields, but no more than one byte past `limit` in all, so that too much can be told from enough.
fn read_bounded(from: impl Read, out: &mut Vec<u8>, limit: usize) -> Result<(), Failure> {
    let room = limit.saturating_sub(out.len()).saturating_add(1);
    from.take(room as u64).read_to_end(out).map_err(Failure::unreadable)?;
    if out.len() > limit { Err(Failure::Bomb) } else { Ok(()) }
}
