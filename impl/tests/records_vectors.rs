//! Batches that Apache Kafka 4.1.1's own client wrote, one per compression, and a transaction's end marker.

use bytes::Bytes;
use highwater::records::{
    BatchBuilder, BatchHeader, Compression, ControlType, Record, RecordHeader, check_copied, check_produced,
    control_key, records, stamped,
};
use highwater_spec::values::{LeaderEpoch, Offset};

const VECTORS: [(Compression, &str); 5] = [
    (
        Compression::None,
        "0000000000000000000000aa0000000502b3a056180010000000020000018bcfe568000000018bcfe56cd200000000ee6b28000003000000\
         11000000032c000000066b65790a76616c75650402680401020268010e00cf0f02010100b00100a4130400a0017a7a7a7a7a7a7a7a7a7a7a\
         7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a\
         7a7a7a7a7a7a7a7a7a7a7a7a7a00",
    ),
    (
        Compression::Gzip,
        "0000000000000000000000710000000502aa287a460011000000020000018bcfe568000000018bcfe56cd200000000ee6b28000003000000\
         11000000031f8b08000000000000ffd361606060cb4eade42a4bcc294d6561ca60616462ca60e46338cfcfc4c8c8b081916189300bc302c6\
         2a2a030600ac108c2b79000000",
    ),
    (
        Compression::Snappy,
        "00000000000000000000007a000000050244bc001e0012000000020000018bcfe568000000018bcfe56cd200000000ee6b28000003000000\
         110000000382534e415050590000000001000000010000003579a82c000000066b65790a76616c75650402680401020268010e00cf0f0201\
         0100b00100a4130400a0017a7a7afe02003202000000",
    ),
    (
        Compression::Lz4,
        "0000000000000000000000740000000502c9a8f4d20013000000020000018bcfe568000000018bcfe56cd200000000ee6b28000003000000\
         110000000304224d1860408234000000ff1a2c000000066b65790a76616c75650402680401020268010e00cf0f02010100b00100a4130400\
         a0017a010038507a7a7a7a0000000000",
    ),
    (
        Compression::Zstd,
        "00000000000000000000006f00000005023c89f1330014000000020000018bcfe568000000018bcfe56cd200000000ee6b28000003000000\
         110000000328b52ffd0058940100a4022c000000066b65790a76616c75650402680401020268010e00cf0f02010100b00100a4130400a001\
         7a00010061149401010000",
    ),
];

const COMMIT_MARKER: &str = "00000000000000090000004200000006022ea6182f00300000000000000000000004d200000000000004d2\
                             000000000000004d0002ffffffff000000012000000008000000010c00000000000600";

const TIME: i64 = 1_700_000_000_000;

fn bytes(hex: &str) -> Bytes {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn expected() -> Vec<Record> {
    let header = |value: Option<&'static [u8]>| RecordHeader {
        key: Bytes::from_static(b"h"),
        value: value.map(Bytes::from_static),
    };
    let record = |offset, timestamp, key: Option<&'static str>, value: Option<String>| Record {
        offset: Offset(offset),
        timestamp,
        key: key.map(Bytes::from),
        value: value.map(Bytes::from),
        headers: Vec::new(),
    };
    let mut records = vec![
        record(0, TIME, Some("key"), Some("value".to_owned())),
        record(1, TIME - 1000, None, None),
        record(2, TIME + 1234, Some(""), Some("z".repeat(80))),
    ];
    records[0].headers = vec![header(Some(&[1, 2])), header(None)];
    records
}

fn builder(compression: Compression) -> BatchBuilder {
    let mut builder = BatchBuilder::new().compression(compression).producer(4_000_000_000, 3, 17).transactional();
    for record in expected() {
        builder.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers).unwrap();
    }
    builder
}

fn all(batch: &Bytes) -> Vec<Record> {
    records(batch, 1 << 20).unwrap().map(Result::unwrap).collect()
}

#[test]
fn kafkas_batches_are_read() {
    for (compression, hex) in VECTORS {
        let batch = bytes(hex);
        let header = check_produced(&batch, batch.len()).unwrap();
        assert_eq!(header.attributes.compression(), Ok(compression));
        assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (4_000_000_000, 3, 17));
        assert_eq!((header.leader_epoch, header.next_offset()), (Some(LeaderEpoch(5)), Offset(3)));
        assert_eq!((header.base_timestamp, header.max_timestamp), (TIME, TIME + 1234));
        assert!(header.attributes.is_transactional() && !header.attributes.is_control());
        assert_eq!(header.encode(), batch[..61]);
        assert_eq!(all(&batch), expected(), "{compression}");
    }
}

#[test]
fn what_is_built_is_what_kafka_builds() {
    let built = builder(Compression::None).at(Offset(0), LeaderEpoch(5)).build().unwrap();
    assert_eq!(built, bytes(VECTORS[0].1));
    for (compression, _) in VECTORS {
        let built = builder(compression).build().unwrap();
        check_produced(&built, built.len()).unwrap();
        assert_eq!(all(&built), expected(), "{compression}");
    }
}

#[test]
fn a_stamp_is_no_part_of_the_checksum() {
    let batch = builder(Compression::Lz4).build().unwrap();
    let header = stamped(&batch, Offset(1 << 40), LeaderEpoch(9)).unwrap();
    let there = [&header, &batch[header.len()..]].concat();
    let parsed = check_copied(&there).unwrap();
    assert_eq!((parsed.base_offset, parsed.leader_epoch), (Offset(1 << 40), Some(LeaderEpoch(9))));
    assert_eq!(all(&there.into())[2].offset, Offset((1 << 40) + 2));
}

#[test]
fn a_marker_is_a_control_batch() {
    let marker = bytes(COMMIT_MARKER);
    let header = check_copied(&marker).unwrap();
    assert!(header.attributes.is_control() && header.attributes.is_transactional());
    assert_eq!(check_produced(&zero_based(&marker), 1 << 20).unwrap_err().code(), 87);
    let [record] = &all(&marker)[..] else { panic!("one record") };
    assert_eq!(record.key, Some(control_key(ControlType::Commit)));

    let mut builder = BatchBuilder::new().producer(77, 2, -1).transactional().control().at(Offset(9), LeaderEpoch(6));
    builder.push(1234, record.key.as_deref(), record.value.as_deref(), &[]).unwrap();
    assert_eq!(builder.build().unwrap(), marker);
}

fn zero_based(batch: &Bytes) -> Vec<u8> {
    let header = BatchHeader { base_offset: Offset(0), ..BatchHeader::parse(batch).unwrap() };
    [&header.encode(), &batch[61..]].concat()
}
