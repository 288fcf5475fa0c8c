//! Batches against another implementation of the format, both ways.

use bytes::{Bytes, BytesMut};
use highwater::records::{BatchBuilder, Record, RecordHeader, check_produced, records, split};
use highwater_spec::values::Offset;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as theirs;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn blob() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

/// Records of one batch. The other implementation can't hold two headers of one name.
fn batch() -> impl Strategy<Value = Vec<Record>> {
    let headers = btree_map("[a-zé]{0,4}", option::of(blob()), 0..4);
    let record = (-1i64..1 << 42, option::of(blob()), option::of(blob()), headers);
    vec(record, 1..20).prop_map(|batch| {
        let record = |(offset, (timestamp, key, value, headers)): (i64, (i64, _, _, _))| {
            let headers: std::collections::BTreeMap<String, Option<Bytes>> = headers;
            let header = |(key, value)| RecordHeader { key: Bytes::from(key), value };
            Record { offset: Offset(offset), timestamp, key, value, headers: headers.into_iter().map(header).collect() }
        };
        (0..).zip(batch).map(record).collect()
    })
}

fn theirs(record: &Record) -> theirs::Record {
    let name = |key: &Bytes| StrBytes::from_string(String::from_utf8(key.to_vec()).unwrap());
    theirs::Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: theirs::TimestampType::Creation,
        offset: record.offset.0,
        sequence: record.offset.0 as i32 - 1,
        timestamp: record.timestamp,
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record.headers.iter().map(|header| (name(&header.key), header.value.clone())).collect(),
    }
}

fn cases() -> ProptestConfig {
    let given = ProptestConfig::default();
    let hunting = std::env::var_os("PROPTEST_CASES").is_some();
    let (cases, rng_seed) = if hunting { (given.cases, given.rng_seed) } else { (200, RngSeed::Fixed(98)) };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..given }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn theirs_are_read(batch in batch()) {
        let mut encoded = BytesMut::new();
        let options = theirs::RecordEncodeOptions { version: 2, compression: theirs::Compression::None };
        let given: Vec<_> = batch.iter().map(theirs).collect();
        theirs::RecordBatchEncoder::encode(&mut encoded, &given, &options).unwrap();
        let encoded = encoded.freeze();
        let whole = split(encoded.clone()).collect::<Result<Vec<_>, _>>().unwrap();
        prop_assert_eq!(whole.len(), 1);
        let header = check_produced(&encoded, encoded.len()).unwrap();
        prop_assert_eq!(header.max_timestamp, batch.iter().map(|record| record.timestamp).max().unwrap());
        let read: Result<Vec<_>, _> = records(&encoded, 0).unwrap().collect();
        prop_assert_eq!(read.unwrap(), batch);
    }

    #[test]
    fn ours_are_read_by_them(batch in batch()) {
        let mut builder = BatchBuilder::new();
        for record in &batch {
            builder.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers).unwrap();
        }
        prop_assert_eq!(builder.len(), batch.len());
        let size = builder.size();
        let mut built = builder.build().unwrap();
        prop_assert_eq!(built.len(), size);
        let read = theirs::RecordBatchDecoder::decode_all(&mut built).unwrap();
        let expected: Vec<_> = batch.iter().map(theirs).collect();
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(&read[0].records, &expected);
    }
}
