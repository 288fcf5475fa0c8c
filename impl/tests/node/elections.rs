//! Elections that are asked for, of one node that is broker and controller at once: what is refused, and how.

use crate::support::OneNode;
use highwater::client::{Client, Connection, ElectionType, ErrorCode, NewTopic, Partition, Patience};
use highwater::config::Endpoint;
use highwater::wire::messages::ElectLeadersRequest;
use highwater::wire::messages::elect_leaders::{ElectLeadersResponse, TopicPartitions};

fn request(election_type: i8, named: Option<&[(&str, &[i32])]>) -> ElectLeadersRequest {
    let topic = |(topic, partitions): &(&str, &[i32])| TopicPartitions {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    let topic_partitions = named.map(|topics| topics.iter().map(topic).collect());
    ElectLeadersRequest { election_type, topic_partitions, ..Default::default() }
}

/// By topic, each partition's index and code.
type Codes<'a> = Vec<(&'a str, Vec<(i32, i16)>)>;

/// The code of the whole, and those of the partitions.
fn codes(response: &ElectLeadersResponse) -> (ErrorCode, Codes<'_>) {
    let results = response.replica_election_results.iter().map(|topic| {
        let codes = topic.partition_result.iter().map(|result| (result.partition_id, result.error_code));
        (topic.topic.as_str(), codes.collect())
    });
    (ErrorCode(response.error_code), results.collect())
}

/// A node with topic `a` of three partitions and `b` of one.
async fn node() -> (OneNode, Client, Connection) {
    let node = OneNode::start().await;
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: node.port() };
    let mut client = Client::new(vec![endpoint], Patience::default());
    for (name, partitions) in [("b", 1), ("a", 3)] {
        let topic = NewTopic { name: name.to_owned(), partitions: Some(partitions), ..NewTopic::default() };
        client.create_topic(topic).await.expect("a new topic");
    }
    let connection = node.connect().await;
    (node, client, connection)
}

const UNKNOWN: i16 = 3;
const NOT_NEEDED: i16 = 84;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_partition_is_answered_by_itself_in_the_order_in_which_it_was_named() {
    let (node, _, mut connection) = node().await;
    for election_type in [0, 1] {
        let named: &[(&str, &[i32])] =
            &[("b", &[1, 0, -1, 0]), ("none", &[0, 7]), ("a", &[2]), ("b", &[]), ("a", &[0])];
        let response = connection.call(&request(election_type, Some(named))).await.expect("an answer");
        let expected = vec![
            ("b", vec![(1, UNKNOWN), (0, NOT_NEEDED), (-1, UNKNOWN), (0, NOT_NEEDED)]),
            ("none", vec![(0, UNKNOWN), (7, UNKNOWN)]),
            ("a", vec![(2, NOT_NEEDED)]),
            ("b", vec![]),
            ("a", vec![(0, NOT_NEEDED)]),
        ];
        assert_eq!(codes(&response), (ErrorCode::NONE, expected));
        let mut results = response.replica_election_results.iter().flat_map(|topic| &topic.partition_result);
        assert!(results.all(|result| result.error_message.is_some()), "{response:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_about_all_partitions_is_not_told_of_those_that_need_nothing() {
    let (node, mut client, mut connection) = node().await;
    let response = connection.call(&request(0, None)).await.expect("an answer");
    assert_eq!(codes(&response), (ErrorCode::NONE, vec![("a", vec![]), ("b", vec![])]));
    let results = client.elect_leaders(ElectionType::Unclean, None).await.expect("results");
    assert_eq!(results, []);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_the_request_is_told_of_it_and_of_each_partition() {
    const INVALID_REQUEST: i16 = 42;
    const TIMED_OUT: i16 = 7;
    let (node, mut client, mut connection) = node().await;
    let named: &[(&str, &[i32])] = &[("a", &[1, 9]), ("none", &[0])];
    let told = |code| (ErrorCode(code), vec![("a", vec![(1, code), (9, code)]), ("none", vec![(0, code)])]);
    for kind in [-1, 2] {
        let response = connection.call(&request(kind, Some(named))).await.expect("an answer");
        assert_eq!(codes(&response), told(INVALID_REQUEST));
        let response = connection.call(&request(kind, None)).await.expect("an answer");
        assert_eq!(codes(&response), (ErrorCode(INVALID_REQUEST), vec![]));
    }
    let hasty = ElectLeadersRequest { timeout_ms: 0, ..request(0, Some(named)) };
    assert_eq!(codes(&connection.call(&hasty).await.expect("an answer")), told(TIMED_OUT));
    let nothing = ElectLeadersRequest { timeout_ms: 0, ..request(9, Some(&[])) };
    assert_eq!(codes(&connection.call(&nothing).await.expect("an answer")), (ErrorCode::NONE, vec![]));

    let unknown = [Partition { topic: "none".to_owned(), index: 0 }];
    let results = client.elect_leaders(ElectionType::Preferred, Some(&unknown)).await.expect("results");
    assert_eq!(results.len(), 1);
    assert_eq!((&results[0].partition, results[0].code), (&unknown[0], ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    node.stop().await;
}
