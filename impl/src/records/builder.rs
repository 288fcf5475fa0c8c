//! Building a batch.

use super::header::{CHECKED_FROM, length_field};
use super::{Attributes, BatchHeader, Compression, HEADER_SIZE, NONE, RecordError, RecordHeader, codec, varint};
use bytes::{BufMut, Bytes};
use highwater_spec::values::{LeaderEpoch, Offset};

/// A batch in the making.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    compression: Compression,
    records: Vec<u8>,
    count: usize,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch, as a producer without an id writes it: at offset 0, without a leader epoch, not compressed.
    #[must_use]
    pub fn new() -> Self {
        let header = BatchHeader {
            base_offset: Offset(0),
            batch_length: 0,
            leader_epoch: None,
            crc: 0,
            attributes: Attributes::default(),
            last_offset_delta: 0,
            base_timestamp: i64::from(NONE),
            max_timestamp: i64::from(NONE),
            producer_id: i64::from(NONE),
            producer_epoch: i16::from(NONE),
            base_sequence: i32::from(NONE),
            record_count: 0,
        };
        Self { header, compression: Compression::None, records: Vec::new(), count: 0 }
    }

    /// At its place in a log.
    #[must_use]
    pub fn at(mut self, base: Offset, epoch: LeaderEpoch) -> Self {
        self.header.base_offset = base;
        self.header.leader_epoch = Some(epoch);
        self
    }

    /// Compressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// From a producer with an id.
    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = base_sequence;
        self
    }

    /// Part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.header.attributes = self.header.attributes.transactional();
        self
    }

    /// A control batch, whose records have keys made by [`super::control_key`].
    #[must_use]
    pub fn control(mut self) -> Self {
        self.header.attributes = self.header.attributes.control();
        self
    }

    /// Adds a record; `timestamp` in milliseconds since 1970.
    ///
    /// # Errors
    /// [`RecordError::Unbuildable`] if one of its parts, or the batch, becomes too large for the format.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[RecordHeader],
    ) -> Result<(), RecordError> {
        if self.count == 0 {
            self.header.base_timestamp = timestamp;
            self.header.max_timestamp = timestamp;
        }
        let deltas = (timestamp.wrapping_sub(self.header.base_timestamp), count_field(self.count)?);
        put_record(&mut self.records, deltas, (key, value), headers)?;
        self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
        self.count += 1;
        Ok(())
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of the batch in bytes if it isn't compressed.
    #[must_use]
    pub fn size(&self) -> usize {
        HEADER_SIZE + self.records.len()
    }

    /// The batch.
    ///
    /// # Errors
    /// [`RecordError::Unbuildable`] if it is empty or too large for the format.
    pub fn build(self) -> Result<Bytes, RecordError> {
        let count = i32::try_from(self.count).ok().filter(|count| *count > 0);
        let count = count.ok_or(RecordError::Unbuildable("no records, or more than 2³¹"))?;
        let attributes = self.header.attributes.with_compression(self.compression);
        let header = BatchHeader { attributes, last_offset_delta: count - 1, record_count: count, ..self.header };
        assembled(header, &codec::compress(self.compression, &self.records)?)
    }
}

/// A batch of this header and these contents, compressed as it says; length and CRC are filled in.
pub(super) fn assembled(mut header: BatchHeader, contents: &[u8]) -> Result<Bytes, RecordError> {
    let size = HEADER_SIZE + contents.len();
    header.batch_length = length_field(size).ok_or(RecordError::Unbuildable("2 GiB"))?;
    header.crc = crc32c::crc32c_append(crc32c::crc32c(&header.encode()[CHECKED_FROM..]), contents);
    let mut batch = Vec::with_capacity(size);
    batch.extend_from_slice(&header.encode());
    batch.extend_from_slice(contents);
    Ok(batch.into())
}

/// Writes one record: its timestamp and its offset as they differ from its batch's.
pub(super) fn put_record(
    out: &mut Vec<u8>,
    (timestamp_delta, offset_delta): (i64, i64),
    (key, value): (Option<&[u8]>, Option<&[u8]>),
    headers: &[RecordHeader],
) -> Result<(), RecordError> {
    let mut body = vec![0]; // the attributes, of which none are in use
    varint::put(&mut body, timestamp_delta);
    varint::put(&mut body, offset_delta);
    put_sized(&mut body, key)?;
    put_sized(&mut body, value)?;
    varint::put(&mut body, count_field(headers.len())?);
    for header in headers {
        put_sized(&mut body, Some(&header.key))?;
        put_sized(&mut body, header.value.as_deref())?;
    }
    put_sized(out, Some(&body))
}

fn put_sized(out: &mut Vec<u8>, field: Option<&[u8]>) -> Result<(), RecordError> {
    let Some(field) = field else {
        varint::put(out, i64::from(NONE));
        return Ok(());
    };
    varint::put(out, count_field(field.len())?);
    out.put_slice(field);
    Ok(())
}

fn count_field(count: usize) -> Result<i64, RecordError> {
    i32::try_from(count).map(i64::from).map_err(|_| RecordError::Unbuildable("a field of 2 GiB"))
}
