//! Idempotent producers, of one node that is broker and controller at once: what is written again, and what is not.

use crate::support::OneNode;
use bytes::Bytes;
use highwater::client::{Client, Connection, NewTopic, Patience};
use highwater::config::Endpoint;
use highwater::records::BatchBuilder;
use highwater::wire::Uuid;
use highwater::wire::messages::describe_producers::{DescribeProducersRequest, ProducerState, TopicRequest};
use highwater::wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use highwater::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use std::time::{SystemTime, UNIX_EPOCH};

const NONE: i16 = 0;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const INVALID_TOPIC: i16 = 17;
const INVALID_REQUEST: i16 = 42;
const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
const INVALID_PRODUCER_EPOCH: i16 = 47;

/// When every record was written, in milliseconds since 1970.
const AT: i64 = 7;

/// A topic `t` of one partition, and a connection.
async fn topic(node: &OneNode) -> (Connection, Uuid) {
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: node.port() };
    let mut client = Client::new(vec![endpoint], Patience::default());
    let new = NewTopic { name: "t".to_owned(), partitions: Some(1), ..NewTopic::default() };
    client.create_topic(new).await.expect("a new topic");
    let mut connection = node.connect().await;
    let asked = MetadataRequestTopic { name: Some("t".to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
    let id = connection.call(&request).await.expect("an answer").topics[0].topic_id;
    (connection, id)
}

/// Of a producer without transactions that has no id yet.
fn first_time() -> InitProducerIdRequest {
    InitProducerIdRequest { transactional_id: None, ..Default::default() }
}

async fn init(connection: &mut Connection, request: InitProducerIdRequest) -> InitProducerIdResponse {
    connection.call(&request).await.expect("an answer")
}

async fn new_id(connection: &mut Connection) -> i64 {
    let answer = init(connection, first_time()).await;
    assert_eq!((answer.error_code, answer.producer_epoch), (NONE, 0));
    answer.producer_id
}

fn two_records(id: i64, epoch: i16, first: i32) -> Bytes {
    let mut batch = BatchBuilder::new().producer(id, epoch, first);
    for value in [b"a", b"b"] {
        batch.push(AT, None, Some(value), &[]).expect("a record that fits");
    }
    batch.build().expect("a batch that fits")
}

/// The code, the base offset and the time that the answer tells.
async fn send(connection: &mut Connection, topic: Uuid, batch: Bytes) -> (i16, i64, i64) {
    loop {
        let data = PartitionProduceData { index: 0, records: Some(batch.clone()) };
        let topic_data = TopicProduceData { topic_id: topic, partition_data: vec![data], ..Default::default() };
        let request = ProduceRequest { acks: -1, timeout_ms: 5000, topic_data: vec![topic_data], ..Default::default() };
        let response = connection.call(&request).await.expect("an answer");
        let answer = &response.responses[0].partition_responses[0];
        if answer.error_code != NOT_LEADER_OR_FOLLOWER {
            return (answer.error_code, answer.base_offset, answer.log_append_time_ms);
        }
    }
}

async fn producers(connection: &mut Connection, name: &str, index: i32) -> (i16, Vec<ProducerState>) {
    let topic = TopicRequest { name: name.to_owned(), partition_indexes: vec![index] };
    let request = DescribeProducersRequest { topics: vec![topic] };
    let mut response = connection.call(&request).await.expect("an answer");
    let answer = response.topics.remove(0).partitions.remove(0);
    assert_eq!(answer.partition_index, index);
    (answer.error_code, answer.active_producers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_sent_again_is_written_once() {
    let node = OneNode::start().await;
    let (mut connection, topic) = topic(&node).await;
    let id = new_id(&mut connection).await;
    for (first, base) in [(0, 0), (2, 2), (4, 4), (6, 6), (8, 8), (10, 10)] {
        assert_eq!(send(&mut connection, topic, two_records(id, 0, first)).await, (NONE, base, -1));
    }
    for first in [2, 10, 6] {
        let again = send(&mut connection, topic, two_records(id, 0, first)).await;
        assert_eq!(again, (NONE, first.into(), AT), "where it was written, and when");
    }
    let refused = (OUT_OF_ORDER_SEQUENCE_NUMBER, -1, -1);
    assert_eq!(send(&mut connection, topic, two_records(id, 0, 0)).await, refused, "six batches ago");
    assert_eq!(send(&mut connection, topic, two_records(id, 0, 13)).await, refused, "one is missing");
    assert_eq!(send(&mut connection, topic, two_records(id, 0, 12)).await, (NONE, 12, -1));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_that_is_over_is_fenced() {
    let node = OneNode::start().await;
    let (mut connection, topic) = topic(&node).await;
    let id = new_id(&mut connection).await;
    assert_eq!(send(&mut connection, topic, two_records(id, 0, 0)).await, (NONE, 0, -1));
    let refused = (OUT_OF_ORDER_SEQUENCE_NUMBER, -1, -1);
    assert_eq!(send(&mut connection, topic, two_records(id, 1, 2)).await, refused, "an epoch begins at 0");
    assert_eq!(send(&mut connection, topic, two_records(id, 1, 0)).await, (NONE, 2, -1));
    let fenced = (INVALID_PRODUCER_EPOCH, -1, -1);
    for first in [0, 2] {
        assert_eq!(send(&mut connection, topic, two_records(id, 0, first)).await, fenced);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_producers_outlives_a_restart() {
    let node = OneNode::start().await;
    let (mut connection, topic) = topic(&node).await;
    let id = new_id(&mut connection).await;
    for first in [0, 2, 4] {
        send(&mut connection, topic, two_records(id, 0, first)).await;
    }
    drop(connection);

    let node = node.restart().await;
    let mut connection = node.connect().await;
    for first in [0, 4] {
        assert_eq!(send(&mut connection, topic, two_records(id, 0, first)).await, (NONE, first.into(), AT));
    }
    assert_eq!(send(&mut connection, topic, two_records(id, 0, 8)).await, (OUT_OF_ORDER_SEQUENCE_NUMBER, -1, -1));
    assert_eq!(send(&mut connection, topic, two_records(id, 0, 6)).await, (NONE, 6, -1));
    assert!(new_id(&mut connection).await > id, "an id is not given out again");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_producer_gets_an_id_of_its_own() {
    let node = OneNode::start().await;
    let mut connection = node.connect().await;
    let first = new_id(&mut connection).await;
    for further in 1..=1500 {
        assert_eq!(new_id(&mut connection).await, first + further);
    }
    let own = InitProducerIdRequest { producer_id: first, producer_epoch: 3, ..first_time() };
    let answer = init(&mut connection, own).await;
    assert!(answer.producer_id > first && answer.producer_epoch == 0, "only transactions go on: {answer:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_without_its_epoch_and_a_transaction_are_refused() {
    let node = OneNode::start().await;
    let mut connection = node.connect().await;
    let requests = [
        InitProducerIdRequest { producer_id: 5, ..first_time() },
        InitProducerIdRequest { producer_epoch: 5, ..first_time() },
        InitProducerIdRequest { transactional_id: Some("t".to_owned()), ..first_time() },
    ];
    for request in requests {
        let answer = init(&mut connection, request).await;
        assert_eq!((answer.error_code, answer.producer_id, answer.producer_epoch), (INVALID_REQUEST, -1, -1));
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_producers_of_a_partition_are_told() {
    let node = OneNode::start().await;
    let (mut connection, topic) = topic(&node).await;
    assert_eq!(producers(&mut connection, "t", 0).await, (NONE, vec![]));
    let id = new_id(&mut connection).await;
    for (epoch, first) in [(0, 0), (1, 0), (1, 2)] {
        assert_eq!(send(&mut connection, topic, two_records(id, epoch, first)).await.0, NONE);
    }
    let state = ProducerState {
        producer_id: id,
        producer_epoch: 1,
        last_sequence: 3,
        last_timestamp: AT,
        coordinator_epoch: -1,
        current_txn_start_offset: -1,
    };
    assert_eq!(producers(&mut connection, "t", 0).await, (NONE, vec![state]));
    assert_eq!(producers(&mut connection, "t", 9).await, (UNKNOWN_TOPIC_OR_PARTITION, vec![]));
    assert_eq!(producers(&mut connection, "none", 0).await, (UNKNOWN_TOPIC_OR_PARTITION, vec![]));
    assert_eq!(producers(&mut connection, "..", 0).await, (INVALID_TOPIC, vec![]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_that_was_silent_for_long_is_forgotten() {
    let settings = [("producer.id.expiration.ms", "86400000"), ("producer.id.expiration.check.interval.ms", "5")];
    let node = OneNode::start_with(&settings).await;
    let (mut connection, topic) = topic(&node).await;
    let (old, young) = (new_id(&mut connection).await, new_id(&mut connection).await);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is right").as_millis() as i64;
    let mut batch = BatchBuilder::new().producer(young, 0, 0);
    batch.push(now, None, None, &[]).expect("a record that fits");
    let batch = batch.build().expect("a batch that fits");
    assert_eq!(send(&mut connection, topic, batch).await.0, NONE);
    assert_eq!(send(&mut connection, topic, two_records(old, 0, 0)).await.0, NONE, "written in 1970");
    let known = loop {
        let (_, known) = producers(&mut connection, "t", 0).await;
        if known.len() == 1 {
            break known;
        }
    };
    assert_eq!(known[0].producer_id, young);
    assert_eq!(send(&mut connection, topic, two_records(old, 0, 40)).await.0, NONE, "it goes on wherever it was");
    node.stop().await;
}
