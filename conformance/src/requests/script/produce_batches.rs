//! Produce: batches that are damaged, or unusual. Each goes to a partition of its own, so that what one broker accepts
//! and another refuses shows once.

use super::super::batch::Record;
use super::{Batch, Session, SessionError, Topic, produce_request};
use bytes::Bytes;

/// The largest batch that a broker takes by default, with its base offset and length (`message.max.bytes`).
const LARGEST: usize = 1_048_588;
/// The bytes of a batch of one record with a large value, without the value.
const AROUND: usize = 61 + 4 + 7;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let cases = cases();
    let topic = session.topic_with("batches", 2 * cases.len() as i32, 1, &[("min.insync.replicas", "1")])?;
    for (index, (case, records)) in (0..).zip(&cases) {
        for (version, partition) in [(3, 2 * index), (12, 2 * index + 1)] {
            let request = produce_request(&topic, partition, 1, records.clone());
            session.ask_broker(topic.leaders[partition as usize], case, version, &request);
        }
    }
    nothing(session)?;
    sizes(session)?;
    topic_settings(session)
}

fn cases() -> Vec<(String, Option<Bytes>)> {
    let sound = Batch::of(&["a", "b"]);
    let encoded = sound.encode();
    let bytes = |parts: &[&[u8]]| Some(Bytes::from(parts.concat()));
    let mut cases = vec![
        ("empty".to_owned(), Some(Bytes::new())),
        ("two batches".to_owned(), bytes(&[&encoded, &encoded])),
        ("a batch and three bytes".to_owned(), bytes(&[&encoded, b"abc"])),
        ("a batch and half a batch".to_owned(), bytes(&[&encoded, &encoded[..40]])),
        ("ten bytes of nothing".to_owned(), Some(Bytes::from_static(&[0; 10]))),
        ("a hundred bytes of nothing".to_owned(), Some(Bytes::from_static(&[0; 100]))),
    ];
    for length in [1, 11, 12, 16, 17, 60, 61, encoded.len() - 1] {
        cases.push((format!("cut to {length} bytes"), Some(encoded.slice(..length))));
    }
    cases.extend(damaged(&sound).into_iter().map(|(case, batch)| (case.to_owned(), Some(batch.encode()))));
    for codec in 1..8 {
        let batch = Batch { attributes: codec, ..sound.clone() };
        cases.push((format!("codec {codec}, not compressed"), Some(batch.encode())));
    }
    cases
}

fn damaged(sound: &Batch) -> Vec<(&'static str, Batch)> {
    let sound = sound.clone();
    let with = |change: fn(&mut Batch)| {
        let mut batch = sound.clone();
        change(&mut batch);
        batch
    };
    vec![
        ("sound", sound.clone()),
        ("wrong CRC", with(|batch| batch.wrong_crc = true)),
        ("magic 0", with(|batch| batch.magic = 0)),
        ("magic 1", with(|batch| batch.magic = 1)),
        ("magic 3", with(|batch| batch.magic = 3)),
        ("magic -1", with(|batch| batch.magic = -1)),
        ("length one too small", with(|batch| batch.length_off = -1)),
        ("length one too large", with(|batch| batch.length_off = 1)),
        ("length far too large", with(|batch| batch.length_off = 1 << 20)),
        ("length negative", with(|batch| batch.length_off = -1000)),
        ("no records", with(|batch| batch.records.clear())),
        ("count 0", with(|batch| batch.count = Some(0))),
        ("count -1", with(|batch| batch.count = Some(-1))),
        ("count too small", with(|batch| batch.count = Some(1))),
        ("count too large", with(|batch| batch.count = Some(3))),
        (
            "count and last offset delta too large",
            with(|batch| {
                batch.count = Some(3);
                batch.last_offset_delta = Some(2);
            }),
        ),
        (
            "count of two thousand million",
            with(|batch| {
                batch.count = Some(2_000_000_000);
                batch.last_offset_delta = Some(1_999_999_999);
            }),
        ),
        ("last offset delta too small", with(|batch| batch.last_offset_delta = Some(0))),
        ("last offset delta too large", with(|batch| batch.last_offset_delta = Some(5))),
        ("last offset delta negative", with(|batch| batch.last_offset_delta = Some(-5))),
        ("base offset 5", with(|batch| batch.base_offset = 5)),
        ("base offset -1", with(|batch| batch.base_offset = -1)),
        ("leader epoch 9", with(|batch| batch.partition_leader_epoch = 9)),
        ("control", with(|batch| batch.attributes = 0x20)),
        ("transactional without a producer", with(|batch| batch.attributes = 0x10)),
        ("log append time by the client", with(|batch| batch.attributes = 0x08)),
        ("unused attribute", with(|batch| batch.attributes = 0x80)),
        ("delete horizon", with(|batch| batch.attributes = 0x40)),
        ("timestamp -1", with(|batch| batch.base_timestamp = -1)),
        ("timestamp -2", with(|batch| batch.base_timestamp = -2)),
        ("timestamp in the far future", with(|batch| batch.base_timestamp = 1 << 50)),
        ("record without key and value", with(|batch| batch.records = vec![Record::default()])),
    ]
}

/// Null in place of records. In one version only: Apache Kafka never answers, nor does it close the connection.
fn nothing(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic_with("batches-null", 1, 1, &[("min.insync.replicas", "1")])?;
    session.ask_broker(topic.leaders[0], "null", 12, &produce_request(&topic, 0, 1, None));
    Ok(())
}

/// At the limit of `message.max.bytes`, and one byte above it.
fn sizes(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic_with("batch-sizes", 2, 1, &[("min.insync.replicas", "1")])?;
    for (partition, size) in [(0, LARGEST), (1, LARGEST + 1)] {
        let value = Some(Bytes::from(vec![b'x'; size - AROUND]));
        let batch = Batch { records: vec![Record { value, ..Record::default() }], ..Batch::of(&[]) }.encode();
        let case = format!("{} bytes, {} allowed", batch.len(), LARGEST);
        session.ask_broker(
            topic.leaders[partition as usize],
            &case,
            12,
            &produce_request(&topic, partition, 1, Some(batch)),
        );
    }
    Ok(())
}

/// Settings of a topic that concern what is written to it.
fn topic_settings(session: &mut Session) -> Result<(), SessionError> {
    let small =
        session.topic_with("batches-small", 1, 1, &[("min.insync.replicas", "1"), ("max.message.bytes", "80")])?;
    ask_one(session, "larger than the topic allows", &small, &Batch::of(&["a value that makes the batch larger"]));
    ask_one(session, "as large as the topic allows", &small, &Batch::of(&["a"]));
    let compacted = session.topic_with(
        "batches-compacted",
        1,
        1,
        &[("min.insync.replicas", "1"), ("cleanup.policy", "compact")],
    )?;
    ask_one(session, "no key, compacted topic", &compacted, &Batch::of(&["a", "b"]));
    let keyed = Record { key: Some(b"k"), ..Record::of("v") };
    ask_one(session, "key, compacted topic", &compacted, &Batch { records: vec![keyed], ..Batch::of(&[]) });
    let stamped = [("min.insync.replicas", "1"), ("message.timestamp.type", "LogAppendTime")];
    let stamped = session.topic_with("batches-stamped", 1, 1, &stamped)?;
    ask_one(
        session,
        "timestamp in the far future, stamped by the broker",
        &stamped,
        &Batch { base_timestamp: 1 << 50, ..Batch::of(&["a"]) },
    );
    Ok(())
}

fn ask_one(session: &mut Session, case: &str, topic: &Topic, batch: &Batch) {
    session.ask_broker(topic.leaders[0], case, 12, &produce_request(topic, 0, 1, Some(batch.encode())));
}
