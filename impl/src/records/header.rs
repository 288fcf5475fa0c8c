//! A batch's first 61 bytes.

use super::{Attributes, RecordError};
use highwater_spec::producer::{Sequence, Sequenced};
use highwater_spec::values::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

/// The size of a header in bytes.
pub const HEADER_SIZE: usize = 61;
/// The bytes that the length field does not count: the base offset and itself.
const BEFORE_LENGTH: usize = 12;
/// Where the part that the CRC covers begins.
pub(super) const CHECKED_FROM: usize = 21;
const MAGIC: i8 = 2;
const MAGIC_AT: usize = 16;

/// A header, field by field, in their order. Producer fields are −1 where there is no producer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchHeader {
    /// The offset of the first record; 0 from a producer.
    pub base_offset: Offset,
    /// How many bytes follow the length field.
    pub batch_length: i32,
    /// The epoch of the leader that appended it; none (−1) from a producer.
    pub leader_epoch: Option<LeaderEpoch>,
    /// The CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Compression, timestamp type, and what kind of batch it is.
    pub attributes: Attributes,
    /// The offset of the last record less the first's. Compaction may have removed that record.
    pub last_offset_delta: i32,
    /// What timestamps of records are relative to: the first record's, or the delete horizon. Milliseconds.
    pub base_timestamp: i64,
    /// The largest timestamp of its records, in milliseconds.
    pub max_timestamp: i64,
    /// Who wrote it.
    pub producer_id: i64,
    /// That producer's epoch.
    pub producer_epoch: i16,
    /// The sequence number of the first record.
    pub base_sequence: i32,
    /// How many records are in it.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the beginning of `bytes`, which may hold more, or less than the whole batch.
    ///
    /// # Errors
    /// [`RecordError::Incomplete`], [`RecordError::Magic`], [`RecordError::Length`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if let Some(magic) = bytes.get(MAGIC_AT).map(|byte| byte.cast_signed())
            && magic != MAGIC
        {
            return Err(RecordError::Magic(magic));
        }
        let incomplete = RecordError::Incomplete { needed: HEADER_SIZE, present: bytes.len() };
        let header = Self::fields(bytes.first_chunk().ok_or(incomplete)?);
        if header.size_if_valid().is_none() {
            return Err(RecordError::Length(header.batch_length));
        }
        Ok(header)
    }

    fn fields(raw: &[u8; HEADER_SIZE]) -> Self {
        Self {
            base_offset: Offset(i64::from_be_bytes(at(raw, 0))),
            batch_length: i32::from_be_bytes(at(raw, 8)),
            leader_epoch: Some(i32::from_be_bytes(at(raw, 12))).filter(|epoch| *epoch >= 0).map(LeaderEpoch),
            crc: u32::from_be_bytes(at(raw, 17)),
            attributes: Attributes(u16::from_be_bytes(at(raw, 21))),
            last_offset_delta: i32::from_be_bytes(at(raw, 23)),
            base_timestamp: i64::from_be_bytes(at(raw, 27)),
            max_timestamp: i64::from_be_bytes(at(raw, 35)),
            producer_id: i64::from_be_bytes(at(raw, 43)),
            producer_epoch: i16::from_be_bytes(at(raw, 51)),
            base_sequence: i32::from_be_bytes(at(raw, 53)),
            record_count: i32::from_be_bytes(at(raw, 57)),
        }
    }

    /// The header as bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_SIZE] {
        let mut raw = [0; HEADER_SIZE];
        put(&mut raw, 0, self.base_offset.0.to_be_bytes());
        put(&mut raw, 8, self.batch_length.to_be_bytes());
        put(&mut raw, 12, self.leader_epoch.map_or(-1, |epoch| epoch.0).to_be_bytes());
        put(&mut raw, MAGIC_AT, MAGIC.to_be_bytes());
        put(&mut raw, 17, self.crc.to_be_bytes());
        put(&mut raw, 21, self.attributes.0.to_be_bytes());
        put(&mut raw, 23, self.last_offset_delta.to_be_bytes());
        put(&mut raw, 27, self.base_timestamp.to_be_bytes());
        put(&mut raw, 35, self.max_timestamp.to_be_bytes());
        put(&mut raw, 43, self.producer_id.to_be_bytes());
        put(&mut raw, 51, self.producer_epoch.to_be_bytes());
        put(&mut raw, 53, self.base_sequence.to_be_bytes());
        put(&mut raw, 57, self.record_count.to_be_bytes());
        raw
    }

    /// The bytes that the whole batch takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size_if_valid().unwrap_or(HEADER_SIZE)
    }

    fn size_if_valid(&self) -> Option<usize> {
        let size = usize::try_from(self.batch_length).ok()?.checked_add(BEFORE_LENGTH)?;
        (size >= HEADER_SIZE).then_some(size)
    }

    /// The offset of the last record (inclusive).
    #[must_use]
    pub fn last_offset(&self) -> Offset {
        Offset(self.base_offset.0.saturating_add(i64::from(self.last_offset_delta)))
    }

    /// The offset after the last record (exclusive).
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.last_offset().next()
    }

    /// How many offsets it takes: no fewer than it has records.
    #[must_use]
    pub fn offset_count(&self) -> u32 {
        u32::try_from(self.last_offset_delta).map_or(0, |delta| delta.saturating_add(1))
    }

    /// Whose it is and which of that producer's, if it is data of a producer with an id. (A control batch has no
    /// sequence number.)
    #[must_use]
    pub fn sequenced(&self) -> Option<Sequenced> {
        (self.has_producer() && self.base_sequence >= 0).then_some(Sequenced {
            producer: ProducerId(self.producer_id),
            epoch: ProducerEpoch(self.producer_epoch),
            first: Sequence(self.base_sequence),
            timestamp: Timestamp(self.max_timestamp),
        })
    }

    /// From when on its tombstones may be removed, in milliseconds since 1970, if a cleaner has said so (KIP-534).
    #[must_use]
    pub fn delete_horizon(&self) -> Option<i64> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp)
    }

    /// Whether a producer with an id wrote it.
    #[must_use]
    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }
}

/// The length field's value for a batch of `size` bytes.
pub(super) fn length_field(size: usize) -> Option<i32> {
    i32::try_from(size.checked_sub(BEFORE_LENGTH)?).ok()
}

/// The header of `batch` with the two fields that a leader decides, which the CRC leaves out.
///
/// # Errors
/// [`RecordError::Incomplete`] if `batch` is shorter than a header.
pub fn stamped(batch: &[u8], base: Offset, epoch: LeaderEpoch) -> Result<[u8; HEADER_SIZE], RecordError> {
    let incomplete = RecordError::Incomplete { needed: HEADER_SIZE, present: batch.len() };
    let mut raw = *batch.first_chunk().ok_or(incomplete)?;
    put(&mut raw, 0, base.0.to_be_bytes());
    put(&mut raw, 12, epoch.0.to_be_bytes());
    Ok(raw)
}

fn at<const N: usize>(raw: &[u8; HEADER_SIZE], from: usize) -> [u8; N] {
    std::array::from_fn(|index| raw[from + index])
}

fn put<const N: usize>(raw: &mut [u8; HEADER_SIZE], from: usize, value: [u8; N]) {
    raw[from..from + N].copy_from_slice(&value);
}
