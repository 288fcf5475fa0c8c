//! Fetch without sessions: positions, sizes, epochs, and partitions that aren't there.

use super::{Batch, NOBODYS_ID, Session, SessionError, Topic, append, ends};
use highwater::wire::messages::FetchRequest;
use highwater::wire::messages::fetch::{FetchPartition, FetchTopic, ReplicaState};
use highwater::wire::{Message, Uuid};

/// More than the script's partitions hold.
const PLENTY: i32 = 1 << 20;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    // Partition 0 holds six records in three batches, 1 none, 2 one batch of two.
    let topic = session.topic_with("fetch", 3, 1, &[("min.insync.replicas", "1")])?;
    append(session, &topic, 0, &[Batch::of(&["a", "b", "c"]), Batch::of(&["d", "e"]), Batch::of(&["f"])]);
    append(session, &topic, 2, &[Batch::of(&["x", "y"])]);
    for version in FetchRequest::VERSIONS.iter() {
        for offset in [0, 1, 3, 5, 6, 7, -1, i64::MAX] {
            fetch(session, &format!("from {offset}"), version, &topic, &of(&topic, 0, offset));
        }
        fetch(session, "empty partition", version, &topic, &of(&topic, 1, 0));
        not_here(session, version, &topic);
    }
    for version in ends(FetchRequest::VERSIONS).into_iter().chain([11, 12]) {
        sizes(session, version, &topic);
        levels(session, version, &topic);
        epochs(session, version, &topic);
        several(session, version, &topic);
        replicas(session, version, &topic);
    }
    Ok(())
}

fn not_here(session: &mut Session, version: i16, topic: &Topic) {
    let other = session.other_broker(topic.leaders[0]);
    session.ask_broker(other, "broker that does not lead", version, &of(topic, 0, 0));
    for partition in [3, -1] {
        fetch(session, &format!("partition {partition}"), version, topic, &of(topic, partition, 0));
    }
    let unknown = Topic { name: session.name("fetch-unknown"), id: NOBODYS_ID, ..topic.clone() };
    fetch(session, "unknown topic", version, topic, &of(&unknown, 0, 0));
    let nameless = Topic { name: String::new(), id: Uuid::ZERO, ..topic.clone() };
    fetch(session, "no name or id", version, topic, &of(&nameless, 0, 0));
}

/// A batch is whole, however small the limit, if it is the first of the answer.
fn sizes(session: &mut Session, version: i16, topic: &Topic) {
    for max_bytes in [0, 1, -1, 80, 150] {
        let request = FetchRequest { max_bytes, ..of(topic, 0, 0) };
        fetch(session, &format!("max bytes {max_bytes}"), version, topic, &request);
        let mut request = of(topic, 0, 0);
        request.topics[0].partitions[0].partition_max_bytes = max_bytes;
        fetch(session, &format!("partition max bytes {max_bytes}"), version, topic, &request);
    }
    for (max_wait_ms, min_bytes) in [(0, i32::MAX), (1, i32::MAX), (1, 0), (-1, 1), (0, -1)] {
        let request = FetchRequest { max_wait_ms, min_bytes, ..of(topic, 0, 6) };
        fetch(session, &format!("min bytes {min_bytes}, wait {max_wait_ms}, at the end"), version, topic, &request);
        let request = FetchRequest { max_wait_ms, min_bytes, ..of(topic, 0, 5) };
        fetch(session, &format!("min bytes {min_bytes}, wait {max_wait_ms}, one batch"), version, topic, &request);
    }
}

fn levels(session: &mut Session, version: i16, topic: &Topic) {
    for isolation_level in [1, 2, -1] {
        let request = FetchRequest { isolation_level, ..of(topic, 0, 3) };
        fetch(session, &format!("isolation level {isolation_level}"), version, topic, &request);
    }
}

/// The topic's leader epoch is 0: 1 and more is of the future, below 0 (but for −1) of the past.
fn epochs(session: &mut Session, version: i16, topic: &Topic) {
    for epoch in [0, 1, 5, -2] {
        let mut request = of(topic, 0, 3);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        fetch(session, &format!("current leader epoch {epoch}"), version, topic, &request);
    }
    for (epoch, offset) in [(0, 3), (0, 6), (0, 7), (1, 3), (-2, 3)] {
        let mut request = of(topic, 0, offset);
        request.topics[0].partitions[0].last_fetched_epoch = epoch;
        fetch(session, &format!("last fetched epoch {epoch}, from {offset}"), version, topic, &request);
    }
}

fn several(session: &mut Session, version: i16, topic: &Topic) {
    fetch(session, "no topic", version, topic, &FetchRequest { topics: Vec::new(), ..of(topic, 0, 0) });
    let mut none = of(topic, 0, 0);
    none.topics[0].partitions.clear();
    fetch(session, "no partition", version, topic, &none);
    let mut twice = of(topic, 0, 0);
    twice.topics[0].partitions.push(partition(0, 3));
    fetch(session, "partition twice", version, topic, &twice);
    let mut topic_twice = of(topic, 0, 3);
    topic_twice.topics.push(topic_twice.topics[0].clone());
    fetch(session, "topic twice", version, topic, &topic_twice);
    let mut partly = of(topic, 0, 5);
    partly.topics[0].partitions.extend([partition(9, 0), partition(-1, 0)]);
    fetch(session, "one partition that is here, two unknown", version, topic, &partly);
}

/// Who pretends to be a follower: of a partition that has none, and a broker that doesn't exist.
fn replicas(session: &mut Session, version: i16, topic: &Topic) {
    let other = session.other_broker(topic.leaders[0]);
    for (what, replica_id) in [("another broker", other), ("nobody", 99), ("a debugging consumer", -2), ("-3", -3)] {
        let replica_state = ReplicaState { replica_id, replica_epoch: -1 };
        let request = FetchRequest { replica_id, replica_state, ..of(topic, 0, 3) };
        fetch(session, &format!("as replica {what}"), version, topic, &request);
    }
    let replica_state = ReplicaState { replica_id: 99, replica_epoch: 5 };
    let request = FetchRequest { replica_id: 99, replica_state, ..of(topic, 0, 3) };
    fetch(session, "as replica nobody of epoch 5", version, topic, &request);
    let elsewhere = FetchRequest { cluster_id: Some("another".to_owned()), ..of(topic, 0, 3) };
    fetch(session, "of another cluster", version, topic, &elsewhere);
    fetch(session, "with a rack", version, topic, &FetchRequest { rack_id: "r".to_owned(), ..of(topic, 0, 3) });
}

/// A consumer's fetch that doesn't wait. Topics are named in both ways, each version writes one.
pub(super) fn of(topic: &Topic, index: i32, offset: i64) -> FetchRequest {
    let topic =
        FetchTopic { topic: topic.name.clone(), topic_id: topic.id, partitions: vec![partition(index, offset)] };
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: PLENTY,
        topics: vec![topic],
        ..FetchRequest::default()
    }
}

pub(super) fn partition(partition: i32, fetch_offset: i64) -> FetchPartition {
    FetchPartition { partition, fetch_offset, partition_max_bytes: PLENTY, ..FetchPartition::default() }
}

/// To the leader of the partition that the request begins with, or of the first one.
fn fetch(session: &mut Session, case: &str, version: i16, topic: &Topic, request: &FetchRequest) {
    let partition = request.topics.first().and_then(|topic| topic.partitions.first());
    let partition = partition.and_then(|partition| usize::try_from(partition.partition).ok()).unwrap_or(0);
    let leader = topic.leaders.get(partition).or(topic.leaders.first()).copied().unwrap_or(-1);
    session.ask_broker(leader, case, version, request);
}
