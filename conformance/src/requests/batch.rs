//! Record batches written by hand, sound or damaged as a case wants them, and told in short when read.
//!
//! Nothing here is shared with the code that is judged. Source: Kafka's record batch format, version 2.

use super::tree::Tree;
use bytes::Bytes;

/// The bytes before the first record.
const HEADER: usize = 61;
/// The bytes that the length field doesn't count: base offset and the length itself.
const UNCOUNTED: usize = 12;
/// The CRC covers everything from the attributes on.
const CRC_FROM: usize = 21;

/// A record. Offsets are given by its place in the batch.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Milliseconds after the batch's base timestamp.
    pub timestamp_delta: i64,
    /// Its key.
    pub key: Option<&'static [u8]>,
    /// Its value.
    pub value: Option<Bytes>,
}

impl Record {
    /// A record without a key.
    pub fn of(value: &'static str) -> Self {
        Self { value: Some(Bytes::from_static(value.as_bytes())), ..Self::default() }
    }
}

/// A batch, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the header says; a producer says 0.
    pub base_offset: i64,
    /// What the header says; a producer says −1.
    pub partition_leader_epoch: i32,
    /// 2, if it is sound.
    pub magic: i8,
    /// Bits 0–2 the codec, 3 the kind of timestamp, 4 transactional, 5 control.
    pub attributes: i16,
    /// If not as many as there are records, less one.
    pub last_offset_delta: Option<i32>,
    /// Milliseconds since 1970.
    pub base_timestamp: i64,
    /// −1 for none.
    pub producer_id: i64,
    /// −1 for none.
    pub producer_epoch: i16,
    /// −1 for none.
    pub base_sequence: i32,
    /// If not as many as there are.
    pub count: Option<i32>,
    /// The records.
    pub records: Vec<Record>,
    /// Added to the right length.
    pub length_off: i32,
    /// Whether the CRC is of other bytes.
    pub wrong_crc: bool,
}

impl Batch {
    /// A sound batch, of records with these values.
    pub fn of(values: &[&'static str]) -> Self {
        Self {
            base_offset: 0,
            partition_leader_epoch: -1,
            magic: 2,
            attributes: 0,
            last_offset_delta: None,
            base_timestamp: 1_000_000,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count: None,
            records: values.iter().map(|value| Record::of(value)).collect(),
            length_off: 0,
            wrong_crc: false,
        }
    }

    /// The batch as bytes.
    pub fn encode(&self) -> Bytes {
        let records = i32::try_from(self.records.len()).unwrap_or(i32::MAX);
        let last = self.records.iter().map(|record| record.timestamp_delta).max().unwrap_or(0);
        let mut covered = Vec::new();
        covered.extend(self.attributes.to_be_bytes());
        covered.extend(self.last_offset_delta.unwrap_or(records - 1).to_be_bytes());
        covered.extend(self.base_timestamp.to_be_bytes());
        covered.extend((self.base_timestamp + last).to_be_bytes());
        covered.extend(self.producer_id.to_be_bytes());
        covered.extend(self.producer_epoch.to_be_bytes());
        covered.extend(self.base_sequence.to_be_bytes());
        covered.extend(self.count.unwrap_or(records).to_be_bytes());
        for (offset_delta, record) in (0..).zip(&self.records) {
            put_record(&mut covered, offset_delta, record);
        }
        let length = i32::try_from(CRC_FROM + covered.len() - UNCOUNTED).unwrap_or(i32::MAX) + self.length_off;
        let mut batch = Vec::new();
        batch.extend(self.base_offset.to_be_bytes());
        batch.extend(length.to_be_bytes());
        batch.extend(self.partition_leader_epoch.to_be_bytes());
        batch.extend(self.magic.to_be_bytes());
        batch.extend((crc32c(&covered) ^ u32::from(self.wrong_crc)).to_be_bytes());
        batch.extend(covered);
        batch.into()
    }
}

fn put_record(out: &mut Vec<u8>, offset_delta: i64, record: &Record) {
    let mut body = vec![0]; // attributes, of which none is in use
    put_varint(&mut body, record.timestamp_delta);
    put_varint(&mut body, offset_delta);
    for bytes in [record.key, record.value.as_deref()] {
        put_varint(&mut body, bytes.map_or(-1, |bytes| bytes.len() as i64));
        body.extend(bytes.unwrap_or_default());
    }
    put_varint(&mut body, 0); // headers
    put_varint(out, body.len() as i64);
    out.extend(body);
}

/// Zigzag, then groups of seven bits, the lowest first.
fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// The CRC of Castagnoli, bit by bit: batches here are small.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// What the batches in an answer's records field are, each as a structure of its header's fields.
pub fn told(records: &[u8]) -> Tree {
    let mut batches = Vec::new();
    let mut rest = records;
    while let Some((batch, after)) = split(rest) {
        batches.push(header(batch));
        rest = after;
    }
    if !rest.is_empty() {
        batches.push(Tree::Struct(vec![("bytes_of_a_partial_batch", Tree::Int(rest.len() as i64))]));
    }
    Tree::List(batches)
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(number(bytes, 8, 4)?).ok()?;
    let end = length + UNCOUNTED;
    (end >= HEADER).then(|| bytes.split_at_checked(end)).flatten()
}

fn header(batch: &[u8]) -> Tree {
    let crc = i64::from(crc32c(&batch[CRC_FROM..]).cast_signed());
    let field = |at, width| Tree::Int(number(batch, at, width).unwrap_or_default());
    Tree::Struct(vec![
        ("base_offset", field(0, 8)),
        ("length", field(8, 4)),
        ("leader_epoch", field(12, 4)),
        ("magic", field(16, 1)),
        ("crc_is_right", Tree::Bool(number(batch, 17, 4) == Some(crc))),
        ("attributes", field(21, 2)),
        ("last_offset_delta", field(23, 4)),
        ("base_timestamp", field(27, 8)),
        ("max_timestamp", field(35, 8)),
        ("producer_id", field(43, 8)),
        ("producer_epoch", field(51, 2)),
        ("base_sequence", field(53, 4)),
        ("count", field(57, 4)),
    ])
}

/// A signed big-endian number.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<i64> {
    let bytes = bytes.get(at..at + width)?;
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { -1 };
    Some(bytes.iter().fold(sign, |value, byte| (value << 8) | i64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_batch_is_told_as_it_was_written() {
        let two = [Batch::of(&["a", "b"]).encode(), Batch { wrong_crc: true, ..Batch::of(&["c"]) }.encode()].concat();
        let Tree::List(batches) = told(&two) else { panic!() };
        assert_eq!(batches.len(), 2);
        assert_eq!((batches[0].int("count"), batches[0].int("last_offset_delta")), (Some(2), Some(1)));
        assert_eq!(batches[0].field("crc_is_right"), Some(&Tree::Bool(true)));
        assert_eq!(batches[1].field("crc_is_right"), Some(&Tree::Bool(false)));
        let Tree::List(cut) = told(&two[..two.len() - 1]) else { panic!() };
        assert!(cut[1].int("bytes_of_a_partial_batch").is_some());
    }

    #[test]
    fn varints_zigzag() {
        let mut out = Vec::new();
        [0, -1, 1, 150, -300].into_iter().for_each(|value| put_varint(&mut out, value));
        assert_eq!(out, [0, 1, 2, 0xac, 0x02, 0xd7, 0x04]);
    }
}
