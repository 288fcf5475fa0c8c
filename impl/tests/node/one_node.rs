//! One node, broker and controller at once, asked over its sockets.

use crate::support::OneNode;
use bytes::Bytes;
use highwater::client::Connection;
use highwater::records::{BatchBuilder, records, split};
use highwater::wire::Uuid;
use highwater::wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use highwater::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use highwater::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use highwater::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

async fn create(connection: &mut Connection, name: &str) -> Uuid {
    let topic =
        CreatableTopic { name: name.to_owned(), num_partitions: 1, replication_factor: 1, ..Default::default() };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
    let response = connection.call(&request).await.expect("an answer");
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    let id = response.topics[0].topic_id;
    // The broker hears of it a little later.
    loop {
        let asked = MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
        let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
        let metadata = connection.call(&request).await.expect("an answer");
        let found = &metadata.topics[0];
        if found.topic_id == id && found.partitions[0].leader_id == 1 {
            return id;
        }
    }
}

fn batch(values: &[&str]) -> Bytes {
    let mut batch = BatchBuilder::new();
    for value in values {
        batch.push(7, None, Some(value.as_bytes()), &[]).expect("a record that fits");
    }
    batch.build().expect("a batch that fits")
}

async fn produce(connection: &mut Connection, topic: Uuid, values: &[&str]) -> i64 {
    loop {
        let data = PartitionProduceData { index: 0, records: Some(batch(values)) };
        let topic_data = TopicProduceData { topic_id: topic, partition_data: vec![data], ..Default::default() };
        let request = ProduceRequest { acks: -1, timeout_ms: 5000, topic_data: vec![topic_data], ..Default::default() };
        let response = connection.call(&request).await.expect("an answer");
        let answer = &response.responses[0].partition_responses[0];
        match answer.error_code {
            0 => return answer.base_offset,
            6 => {} // not its leader yet
            code => panic!("error code {code}"),
        }
    }
}

async fn fetch(connection: &mut Connection, topic: Uuid, offset: i64) -> Vec<(i64, String)> {
    let partition =
        FetchPartition { partition: 0, fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    let topics = vec![FetchTopic { topic_id: topic, partitions: vec![partition], ..Default::default() }];
    let request = FetchRequest { max_wait_ms: 0, min_bytes: 1, max_bytes: 1 << 20, topics, ..Default::default() };
    let response = connection.call(&request).await.expect("an answer");
    let data = &response.responses[0].partitions[0];
    assert_eq!(data.error_code, 0);
    let mut found = Vec::new();
    for batch in split(data.records.clone().expect("never null")) {
        let (_, bytes) = batch.expect("a batch");
        for record in records(&bytes, 1 << 20).expect("records") {
            let record = record.expect("a record");
            let value = record.value.expect("a value");
            found.push((record.offset.0, String::from_utf8(value.to_vec()).expect("text")));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_produced_is_there_also_after_a_restart() {
    let node = OneNode::start().await;
    let mut connection = node.connect().await;
    let topic = create(&mut connection, "t").await;
    assert_eq!(produce(&mut connection, topic, &["a", "b"]).await, 0);
    assert_eq!(produce(&mut connection, topic, &["c"]).await, 2);
    let all = vec![(0, "a".to_owned()), (1, "b".to_owned()), (2, "c".to_owned())];
    assert_eq!(fetch(&mut connection, topic, 0).await, all);
    assert_eq!(fetch(&mut connection, topic, 3).await, []);
    drop(connection);

    let node = node.restart().await;
    let mut connection = node.connect().await;
    assert_eq!(produce(&mut connection, topic, &["d"]).await, 3);
    assert_eq!(fetch(&mut connection, topic, 2).await, [(2, "c".to_owned()), (3, "d".to_owned())]);
    drop(connection);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_writes_down_its_high_watermarks() {
    let node = OneNode::start().await;
    let mut connection = node.connect().await;
    let topic = create(&mut connection, "t").await;
    produce(&mut connection, topic, &["a", "b"]).await;
    drop(connection);
    let dir = node.stop().await;
    let text = std::fs::read_to_string(dir.path().join("replication-offset-checkpoint")).expect("it is written");
    assert!(text.lines().any(|line| line == "t 0 2"), "{text}");
}

async fn delete(connection: &mut Connection, name: &str) {
    let topic = DeleteTopicState { name: Some(name.to_owned()), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
    let response = connection.call(&request).await.expect("an answer");
    assert_eq!(response.responses[0].error_code, 0, "{response:?}");
}

/// A topic of the same name is another topic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_made_again_begins_empty() {
    let node = OneNode::start().await;
    let mut connection = node.connect().await;
    let old = create(&mut connection, "t").await;
    produce(&mut connection, old, &["a", "b"]).await;
    delete(&mut connection, "t").await;
    let new = create(&mut connection, "t").await;
    assert_ne!(old, new);
    assert_eq!(produce(&mut connection, new, &["c"]).await, 0);
    assert_eq!(fetch(&mut connection, new, 0).await, [(0, "c".to_owned())]);
    // Again and again: the old one and the new one may be any two shards', and have one folder.
    for _ in 0..20 {
        delete(&mut connection, "t").await;
        let new = create(&mut connection, "t").await;
        assert_eq!(produce(&mut connection, new, &["d"]).await, 0);
    }
    drop(connection);
    let node = node.restart().await;
    let mut connection = node.connect().await;
    let kept = create(&mut connection, "u").await;
    assert_eq!(produce(&mut connection, kept, &["e"]).await, 0);
    node.stop().await;
}
