//! Committed offsets on one node, asked over its sockets: in every version, and with everything that can be wrong.

use crate::support::OneNode;
use crate::support::group::*;
use highwater::client::{Client, Connection, NewTopic, Patience};
use highwater::config::Endpoint;
use highwater::wire::Message;
use highwater::wire::messages::OffsetCommitRequest;
use highwater::wire::messages::offset_commit::OffsetCommitRequestTopic;
use highwater::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use highwater::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

const OFFSET_METADATA_TOO_LARGE: i16 = 12;
const GROUP_ID_NOT_FOUND: i16 = 69;

/// The codes of all partitions, in the order in which they were named.
async fn commit(connection: &mut Connection, version: i16, request: &OffsetCommitRequest) -> Vec<i16> {
    let answer = connection.call_at(version, request).await.expect("an answer");
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.error_code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_are_committed_and_fetched_in_every_version() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    for version in OffsetCommitRequest::VERSIONS.iter() {
        let request = commit_request("g", "", -1, version.into());
        assert_eq!(commit(&mut connection, version, &request).await, [NONE], "version {version}");
        assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, version.into()), (1, -1)]));
    }
    for version in OffsetFetchRequest::VERSIONS.iter() {
        for (all, require_stable) in [(false, false), (true, false), (false, version >= 7)] {
            let request = fetch_request(version, all && version >= 2, require_stable);
            let answer = connection.call_at(version, &request).await.expect("an answer");
            let single = answer.topics.iter().flat_map(|topic| &topic.partitions);
            let single = single.map(|found| (found.partition_index, found.committed_offset, found.metadata.clone()));
            let of_groups = answer.groups.iter().flat_map(|group| &group.topics).flat_map(|topic| &topic.partitions);
            let of_groups =
                of_groups.map(|found| (found.partition_index, found.committed_offset, found.metadata.clone()));
            let found: Vec<_> = single.chain(of_groups).collect();
            let mut expected = vec![(0, 9, Some("note".to_owned()))];
            if !(all && version >= 2) {
                expected.push((1, -1, Some(String::new())));
            }
            assert_eq!(found, expected, "version {version}, all: {all}");
        }
    }
    node.stop().await;
}

/// Of group `g`: both partitions of `t`, or whatever there is.
fn fetch_request(version: i16, all: bool, require_stable: bool) -> OffsetFetchRequest {
    let partition_indexes = vec![0, 1];
    if version < 8 {
        let topic = OffsetFetchRequestTopic { name: "t".to_owned(), partition_indexes };
        let topics = (!all).then(|| vec![topic]);
        return OffsetFetchRequest { group_id: "g".to_owned(), topics, require_stable, ..Default::default() };
    }
    let topic = OffsetFetchRequestTopics { name: "t".to_owned(), partition_indexes, ..Default::default() };
    let topics = (!all).then(|| vec![topic]);
    let group = OffsetFetchRequestGroup { group_id: "g".to_owned(), topics, ..Default::default() };
    OffsetFetchRequest { groups: vec![group], require_stable, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_exist_is_told_partition_by_partition() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    let mut request = commit_request("g", "", -1, 3);
    let known = request.topics[0].partitions[0].clone();
    let of = |index: i32| {
        let mut partition = known.clone();
        partition.partition_index = index;
        partition
    };
    request.topics[0].partitions.extend([of(2), of(-1), of(1)]);
    let unknown = OffsetCommitRequestTopic { name: "none".to_owned(), partitions: vec![of(0)], ..Default::default() };
    request.topics.push(unknown);
    let missing = UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(commit(&mut connection, 9, &request).await, [NONE, missing, missing, NONE, missing]);
    assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, 3), (1, 3)]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_members_of_the_generation_commit() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    let nobody = commit_request("g", "nobody", 1, 3);
    assert_eq!(commit(&mut connection, 8, &nobody).await, [ILLEGAL_GENERATION], "there is no group");
    assert_eq!(commit(&mut connection, 9, &nobody).await, [GROUP_ID_NOT_FOUND]);
    let mut member = Member::new(&node, "g").await;
    member.lead_alone().await;
    assert_eq!(member.commit(4).await, NONE);
    let outside = commit_request("g", "", -1, 5);
    assert_eq!(commit(&mut connection, 9, &outside).await, [UNKNOWN_MEMBER_ID]);
    assert_eq!(commit(&mut connection, 9, &nobody).await, [UNKNOWN_MEMBER_ID]);
    let old = commit_request("g", &member.id, member.generation - 1, 5);
    assert_eq!(commit(&mut connection, 9, &old).await, [ILLEGAL_GENERATION]);
    assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, 4), (1, -1)]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_beside_an_offset_is_bounded() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    let with = |metadata: String| {
        let mut request = commit_request("g", "", -1, 3);
        request.topics[0].partitions[0].committed_metadata = Some(metadata);
        request
    };
    // Java counts in UTF-16: the wave takes two of the 4096.
    let fits = "🌊".repeat(2048);
    assert_eq!(commit(&mut connection, 9, &with(fits.clone())).await, [NONE]);
    assert_eq!(commit(&mut connection, 9, &with(fits + "~")).await, [OFFSET_METADATA_TOO_LARGE]);
    node.stop().await;
}

/// More than `max.message.bytes` in one request: nothing of it is kept, and the coordinator goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_does_not_take_at_once_is_refused() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    let of = |times: usize| {
        let mut request = commit_request("g", "", -1, 3);
        let mut partition = request.topics[0].partitions[0].clone();
        partition.committed_metadata = Some("x".repeat(4096));
        request.topics[0].partitions = vec![partition; times];
        request
    };
    assert_eq!(commit(&mut connection, 9, &of(300)).await, [UNKNOWN_SERVER_ERROR; 300]);
    assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, -1), (1, -1)]));
    assert_eq!(commit(&mut connection, 9, &of(200)).await, [NONE; 200]);
    assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, 3), (1, -1)]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_are_deleted_for_good() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    assert_eq!(commit(&mut connection, 9, &commit_request("g", "", -1, 3)).await, [NONE]);
    let of = |topic: &str, indexes: &[i32]| OffsetDeleteRequestTopic {
        name: topic.to_owned(),
        partitions: indexes.iter().map(|index| OffsetDeleteRequestPartition { partition_index: *index }).collect(),
    };
    let request = |group: &str| OffsetDeleteRequest {
        group_id: group.to_owned(),
        topics: vec![of("t", &[0, 7]), of("none", &[0])],
    };
    until_coordinated(&mut connection, "none").await;
    let answer = connection.call(&request("none")).await.expect("an answer");
    assert_eq!((answer.error_code, answer.topics.len()), (GROUP_ID_NOT_FOUND, 0));
    let answer = connection.call(&request("g")).await.expect("an answer");
    let codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
    assert_eq!(answer.error_code, NONE);
    assert_eq!(codes.collect::<Vec<_>>(), [NONE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION]);
    assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, -1), (1, -1)]));

    let node = node.restart().await;
    let mut connection = node.connect().await;
    until_coordinated(&mut connection, "g").await;
    assert_eq!(fetch(&mut connection, "g").await, Ok(vec![(0, -1), (1, -1)]));
    node.stop().await;
}

/// Waits until so much of a log of the offsets' topic was cleaned that the first segment was written anew.
async fn until_cleaned(dir: &Path) {
    loop {
        let noted = std::fs::read_to_string(dir.join("cleaner-offset-checkpoint")).unwrap_or_default();
        let of_offsets = noted.lines().filter(|line| line.starts_with("__consumer_offsets "));
        if of_offsets.filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).any(|upto| upto > 0) {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

// Verifies: group.coordinator.load, log.clean.latest
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_reads_a_cleaned_log_knows_the_last_offsets() {
    let cleans = [
        ("offsets.topic.num.partitions", "1"),
        ("offsets.topic.segment.bytes", "1048576"),
        ("log.cleaner.backoff.ms", "20"),
        ("log.cleaner.min.cleanable.ratio", "0.01"),
        ("broker.session.timeout.ms", "1000"),
        ("broker.heartbeat.interval.ms", "100"),
    ];
    let node = OneNode::start_with(&cleans).await;
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: node.port() };
    let topic = NewTopic { name: "t".to_owned(), partitions: Some(2), ..NewTopic::default() };
    Client::new(vec![endpoint], Patience::default()).create_topic(topic).await.expect("a new topic");
    let mut connection = node.connect().await;
    until_coordinated(&mut connection, "g").await;

    let of = |index: i32, offset: i64| {
        let mut request = commit_request("g", "", -1, offset);
        let partition = &mut request.topics[0].partitions[0];
        (partition.partition_index, partition.committed_metadata) = (index, Some("~".repeat(4096)));
        request
    };
    // One that is committed once, one that is deleted, and one that fills segments.
    assert_eq!(commit(&mut connection, 9, &of(1, 7)).await, [NONE]);
    until_coordinated(&mut connection, "gone").await;
    assert_eq!(commit(&mut connection, 9, &commit_request("gone", "", -1, 3)).await, [NONE]);
    let partitions = vec![OffsetDeleteRequestPartition { partition_index: 0 }];
    let topics = vec![OffsetDeleteRequestTopic { name: "t".to_owned(), partitions }];
    let delete = OffsetDeleteRequest { group_id: "gone".to_owned(), topics };
    assert_eq!(connection.call(&delete).await.expect("an answer").error_code, NONE);
    const COMMITS: i64 = 800;
    for offset in 0..COMMITS {
        assert_eq!(commit(&mut connection, 9, &of(0, offset)).await, [NONE]);
    }
    until_cleaned(node.dir()).await;

    drop(connection);
    let node = node.killed(|_| (), &cleans).await;
    let mut connection = node.connect().await;
    for (group, expected) in [("g", [(0, COMMITS - 1), (1, 7)]), ("gone", [(0, -1), (1, -1)])] {
        until_coordinated(&mut connection, group).await;
        assert_eq!(fetch(&mut connection, group).await, Ok(expected.to_vec()), "{group}");
    }
    node.stop().await;
}
