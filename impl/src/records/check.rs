//! Whether a batch may go into a log.
//!
//! Not here: what only the log's owner knows (who leads, sequences, transactions), and the records inside, which no
//! rule asks a broker to read. Source: Kafka's `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords`,
//! `LogValidator.validateBatch`, in their order.

use super::header::CHECKED_FROM;
use super::{BatchHeader, RecordError};

/// Checks what a client produced to one partition: exactly one batch, at most `limit` bytes (`max.message.bytes`), whole
/// and with the CRC that it states, that begins at 0, counts its records and claims nothing that is a broker's.
///
/// # Errors
/// The first [`RecordError`] that applies; [`RecordError::code`] is what the client is told.
pub fn check_produced(bytes: &[u8], limit: usize) -> Result<BatchHeader, RecordError> {
    if bytes.is_empty() {
        return Err(RecordError::NoBatch);
    }
    let header = BatchHeader::parse(bytes)?;
    let after = bytes.len().checked_sub(header.size());
    match after {
        None => return Err(RecordError::Incomplete { needed: header.size(), present: bytes.len() }),
        Some(0) => {}
        Some(more) => return Err(RecordError::MoreThanOneBatch(more)),
    }
    if header.base_offset.0 != 0 {
        return Err(RecordError::BaseOffset(header.base_offset.0));
    }
    if header.size() > limit {
        return Err(RecordError::TooLarge { size: header.size(), limit });
    }
    check_crc(&header, bytes)?;
    check_count(&header)?;
    check_claims(&header)?;
    Ok(header)
}

/// Checks one batch that another broker, or a file, has: whole, with the CRC that it states, and with offsets.
///
/// # Errors
/// [`RecordError::Incomplete`], [`RecordError::Length`], [`RecordError::Magic`], [`RecordError::Crc`],
/// [`RecordError::Count`].
pub fn check_copied(bytes: &[u8]) -> Result<BatchHeader, RecordError> {
    let header = BatchHeader::parse(bytes)?;
    if header.size() != bytes.len() {
        return Err(RecordError::Incomplete { needed: header.size(), present: bytes.len() });
    }
    check_crc(&header, bytes)?;
    // Compaction may leave fewer records than offsets, or none.
    let last_offset_delta = header.last_offset_delta;
    if header.base_offset.0 < 0 || last_offset_delta < 0 || header.record_count < 0 {
        return Err(RecordError::Count { count: header.record_count, last_offset_delta });
    }
    Ok(header)
}

fn check_crc(header: &BatchHeader, bytes: &[u8]) -> Result<(), RecordError> {
    let checked = bytes.get(CHECKED_FROM..header.size()).unwrap_or_default();
    let computed = crc32c::crc32c(checked);
    if computed != header.crc { Err(RecordError::Crc { stated: header.crc, computed }) } else { Ok(()) }
}

fn check_count(header: &BatchHeader) -> Result<(), RecordError> {
    let BatchHeader { record_count: count, last_offset_delta, .. } = *header;
    let counted = count > 0 && last_offset_delta == count - 1;
    if counted { Ok(()) } else { Err(RecordError::Count { count, last_offset_delta }) }
}

fn check_claims(header: &BatchHeader) -> Result<(), RecordError> {
    header.attributes.compression()?;
    if header.attributes.is_control() {
        return Err(RecordError::Control);
    }
    if header.has_producer() && header.base_sequence < 0 {
        return Err(RecordError::Sequence(header.base_sequence));
    }
    Ok(())
}
