//! The records in a batch.

use super::{BatchHeader, HEADER_SIZE, RecordError, TimestampType, codec, varint};
use bytes::{Buf, Bytes};
use highwater_spec::values::Offset;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Its offset.
    pub offset: Offset,
    /// Milliseconds since 1970, or −1 for none.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value; none is a tombstone in a compacted topic.
    pub value: Option<Bytes>,
    /// Its headers, in order; several may have one name.
    pub headers: Vec<RecordHeader>,
}

/// A header of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordHeader {
    /// Its name: UTF-8, if the producer kept to the protocol.
    pub key: Bytes,
    /// Its value.
    pub value: Option<Bytes>,
}

/// The records of one whole batch, in order. Those of a compressed batch are decompressed first, to at most `limit`
/// bytes.
///
/// # Errors
/// What [`BatchHeader::parse`] says, [`RecordError::Incomplete`], [`RecordError::UnknownCompression`],
/// [`RecordError::Compressed`] or [`RecordError::Bomb`]. Whether the CRC is right is for the `check_` functions.
pub fn records(batch: &Bytes, limit: usize) -> Result<Records, RecordError> {
    let header = BatchHeader::parse(batch)?;
    if header.size() > batch.len() {
        return Err(RecordError::Incomplete { needed: header.size(), present: batch.len() });
    }
    let contents = batch.slice(HEADER_SIZE..header.size());
    let rest = codec::decompress(header.attributes.compression()?, contents, limit)?;
    Ok(Records { left: header.record_count, header, rest })
}

/// The records of [`records`]. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Records {
    header: BatchHeader,
    rest: Bytes,
    left: i32,
}

impl Records {
    fn take(&mut self) -> Result<Record, RecordError> {
        let mut body = take_sized(&mut self.rest)?.ok_or(RecordError::Record("it has no length"))?;
        body.try_get_i8().map_err(|_| RecordError::Record("it has no attributes"))?;
        let timestamp_delta = varint::take_long(&mut body)?;
        let offset_delta = varint::take(&mut body)?;
        let last = self.header.last_offset_delta;
        if offset_delta < 0 || offset_delta > last {
            return Err(RecordError::Record("its offset lies outside of its batch"));
        }
        let record = Record {
            offset: Offset(self.header.base_offset.0.saturating_add(i64::from(offset_delta))),
            timestamp: match self.header.attributes.timestamp_type() {
                TimestampType::CreateTime => self.header.base_timestamp.wrapping_add(timestamp_delta),
                TimestampType::LogAppendTime => self.header.max_timestamp,
            },
            key: take_sized(&mut body)?,
            value: take_sized(&mut body)?,
            headers: take_headers(&mut body)?,
        };
        if body.has_remaining() { Err(RecordError::Record("it is longer than its fields")) } else { Ok(record) }
    }

    fn next_or_end(&mut self) -> Result<Option<Record>, RecordError> {
        if self.left > 0 {
            self.left -= 1;
            return self.take().map(Some);
        }
        if self.rest.has_remaining() { Err(RecordError::Record("bytes follow the last one")) } else { Ok(None) }
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_or_end();
        if next.is_err() {
            self.left = 0;
            self.rest.clear();
        }
        next.transpose()
    }
}

/// A length, −1 for none, and as many bytes.
fn take_sized(from: &mut Bytes) -> Result<Option<Bytes>, RecordError> {
    let length = varint::take(from)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| RecordError::Record("a length is negative"))?;
    if length > from.len() {
        return Err(RecordError::Record("a field is longer than what is left"));
    }
    Ok(Some(from.split_to(length)))
}

fn take_headers(body: &mut Bytes) -> Result<Vec<RecordHeader>, RecordError> {
    /// A length of the key, and one of the value.
    const LEAST_SIZE: usize = 2;
    let count = usize::try_from(varint::take(body)?).map_err(|_| RecordError::Record("it has −1 headers"))?;
    if count > body.len() / LEAST_SIZE {
        return Err(RecordError::Record("it has more headers than bytes for them"));
    }
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let key = take_sized(body)?.ok_or(RecordError::Record("a header has no name"))?;
        headers.push(RecordHeader { key, value: take_sized(body)? });
    }
    Ok(headers)
}
