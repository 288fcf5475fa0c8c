//! A compacted topic as a client has it: updates go in, the log shrinks, the last value of each key is there; also after
//! the broker was killed.

use crate::support::OneNode;
use bytes::Bytes;
use highwater::client::Connection;
use highwater::records::{BatchBuilder, records, split};
use highwater::wire::Uuid;
use highwater::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use highwater::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use highwater::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use std::collections::BTreeMap;
use std::time::Duration;

const EAGER: &[(&str, &str)] = &[("log.cleaner.backoff.ms", "20")];
const KEYS: i64 = 4;

/// Every batch begins a segment, since its time is a second later.
async fn create(connection: &mut Connection) -> Uuid {
    let settings = [("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.01")];
    let set =
        |(name, value): (&str, &str)| CreatableTopicConfig { name: name.to_owned(), value: Some(value.to_owned()) };
    let topic = CreatableTopic {
        name: "t".to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        configs: settings.map(set).to_vec(),
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
    let response = connection.call(&request).await.expect("an answer");
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    response.topics[0].topic_id
}

/// Waits until the broker leads the topic's partition.
async fn until_led(connection: &mut Connection) {
    loop {
        let asked = MetadataRequestTopic { name: Some("t".to_owned()), ..Default::default() };
        let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
        let metadata = connection.call(&request).await.expect("an answer");
        if metadata.topics[0].partitions.first().is_some_and(|partition| partition.leader_id == 1) {
            return;
        }
    }
}

/// One produce; the answer is the error code and the records that are to blame.
async fn produce(connection: &mut Connection, topic: Uuid, batch: Bytes) -> (i16, Vec<i32>) {
    loop {
        let data = PartitionProduceData { index: 0, records: Some(batch.clone()) };
        let topic_data = TopicProduceData { topic_id: topic, partition_data: vec![data], ..Default::default() };
        let request = ProduceRequest { acks: -1, timeout_ms: 5000, topic_data: vec![topic_data], ..Default::default() };
        let response = connection.call(&request).await.expect("an answer");
        let answer = &response.responses[0].partition_responses[0];
        match answer.error_code {
            6 => {} // not its leader yet
            code => return (code, answer.record_errors.iter().map(|error| error.batch_index).collect()),
        }
    }
}

fn update(index: i64) -> Bytes {
    let mut builder = BatchBuilder::new();
    let (key, value) = (format!("k{}", index % KEYS), format!("{index}"));
    builder.push(1000 * index, Some(key.as_bytes()), Some(value.as_bytes()), &[]).expect("a record that fits");
    builder.build().expect("a batch that fits")
}

/// Everything that a consumer gets: offsets, keys and values.
async fn consume(connection: &mut Connection, topic: Uuid, end: i64) -> Vec<(i64, String, String)> {
    let text = |bytes: Option<Bytes>| String::from_utf8(bytes.expect("bytes").to_vec()).expect("text");
    let (mut found, mut next) = (Vec::new(), 0);
    while next < end {
        let partition =
            FetchPartition { partition: 0, fetch_offset: next, partition_max_bytes: 1 << 20, ..Default::default() };
        let topics = vec![FetchTopic { topic_id: topic, partitions: vec![partition], ..Default::default() }];
        let request = FetchRequest { max_wait_ms: 0, min_bytes: 1, max_bytes: 1 << 20, topics, ..Default::default() };
        let response = connection.call(&request).await.expect("an answer");
        let data = &response.responses[0].partitions[0];
        for batch in split(data.records.clone().unwrap_or_default()) {
            let (header, bytes) = batch.expect("a batch");
            for record in records(&bytes, 1 << 20).expect("records").map(|record| record.expect("a record")) {
                found.push((record.offset.0, text(record.key), text(record.value)));
            }
            next = header.next_offset().0;
        }
    }
    found
}

/// Consumes until so few records are left.
async fn until_cleaned(connection: &mut Connection, topic: Uuid, end: i64, most: usize) -> Vec<(i64, String, String)> {
    loop {
        let found = consume(connection, topic, end).await;
        if found.len() <= most {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn last_values(found: &[(i64, String, String)]) -> BTreeMap<&str, &str> {
    found.iter().map(|(_, key, value)| (key.as_str(), value.as_str())).collect()
}

// Verifies: log.clean.latest, log.clean.place, log.clean.due, log.clean.keyless
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_each_key_the_last_value_is_left() {
    let node = OneNode::start_with(EAGER).await;
    let mut connection = node.connect().await;
    let topic = create(&mut connection).await;
    until_led(&mut connection).await;

    let mut keyless = BatchBuilder::new();
    keyless.push(1, Some(b"k"), Some(b"v"), &[]).expect("a record that fits");
    keyless.push(1, None, Some(b"v"), &[]).expect("a record that fits");
    let keyless = keyless.build().expect("a batch that fits");
    assert_eq!(produce(&mut connection, topic, keyless).await, (87, vec![1]), "INVALID_RECORD, and which");

    let ends = [40, 60];
    for index in 0..ends[0] {
        assert_eq!(produce(&mut connection, topic, update(index)).await.0, 0);
    }
    // One record of each key, and the one in the segment that is written to.
    let most = KEYS as usize + 1;
    let found = until_cleaned(&mut connection, topic, ends[0], most).await;
    assert!(found.iter().all(|(offset, _, value)| offset.to_string() == *value), "each at its place: {found:?}");
    let expected = BTreeMap::from([("k0", "36"), ("k1", "37"), ("k2", "38"), ("k3", "39")]);
    assert_eq!(last_values(&found), expected);

    drop(connection);
    let node = node.killed_and_started(EAGER).await;
    let mut connection = node.connect().await;
    until_led(&mut connection).await;
    assert_eq!(last_values(&consume(&mut connection, topic, ends[0]).await), expected, "after a kill");
    for index in ends[0]..ends[1] {
        assert_eq!(produce(&mut connection, topic, update(index)).await.0, 0);
    }
    let found = until_cleaned(&mut connection, topic, ends[1], most).await;
    assert_eq!(last_values(&found), BTreeMap::from([("k0", "56"), ("k1", "57"), ("k2", "58"), ("k3", "59")]));
    drop(connection);
    let directory = node.stop().await;
    let noted = std::fs::read_to_string(directory.path().join("cleaner-offset-checkpoint")).expect("a checkpoint");
    assert!(noted.starts_with("0\n1\nt 0 "), "{noted}");
}
