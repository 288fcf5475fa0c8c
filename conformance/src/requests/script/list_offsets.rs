//! ListOffsets: both ends, times, and partitions that aren't there.

use super::{Batch, Session, SessionError, Topic, append, ends};
use crate::requests::batch::Record;
use highwater::wire::Message;
use highwater::wire::messages::ListOffsetsRequest;
use highwater::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    // Partition 0 holds the times 1000, 2000 (one batch), 5000 (another), 3000 (a third); 1 nothing.
    let topic = session.topic_with("offsets", 2, 1, &[("min.insync.replicas", "1")])?;
    let second = Record { timestamp_delta: 1000, ..Record::of("b") };
    let two = Batch { base_timestamp: 1000, records: vec![Record::of("a"), second], ..Batch::of(&[]) };
    let at = |base_timestamp| Batch { base_timestamp, ..Batch::of(&["c"]) };
    append(session, &topic, 0, &[two, at(5000), at(3000)]);
    for version in ListOffsetsRequest::VERSIONS.iter() {
        for time in [-1, -2, -3, -4, -5, -6, -7, 0, 999, 1000, 1001, 2000, 2001, 5000, 5001, i64::MAX, i64::MIN] {
            ask_leader(session, &format!("time {time}"), version, &topic, &of(&topic, 0, time));
        }
        for time in [-1, -2, -3, 0] {
            ask_leader(session, &format!("empty partition, time {time}"), version, &topic, &of(&topic, 1, time));
        }
        let other = session.other_broker(topic.leaders[0]);
        session.ask_broker(other, "broker that does not lead", version, &of(&topic, 0, -1));
    }
    for version in ends(ListOffsetsRequest::VERSIONS).into_iter().chain([4]) {
        unusual(session, version, &topic);
    }
    Ok(())
}

fn unusual(session: &mut Session, version: i16, topic: &Topic) {
    for partition in [2, -1] {
        ask_leader(session, &format!("partition {partition}"), version, topic, &of(topic, partition, -1));
    }
    let unknown = Topic { name: session.name("offsets-unknown"), ..topic.clone() };
    ask_leader(session, "unknown topic", version, topic, &of(&unknown, 0, -1));
    ask_leader(session, "no topic", version, topic, &ListOffsetsRequest { topics: vec![], ..of(topic, 0, -1) });
    for epoch in [0, 1, -2] {
        let mut request = of(topic, 0, -1);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        ask_leader(session, &format!("current leader epoch {epoch}"), version, topic, &request);
    }
    for isolation_level in [1, 2, -1] {
        let request = ListOffsetsRequest { isolation_level, ..of(topic, 0, -1) };
        ask_leader(session, &format!("isolation level {isolation_level}"), version, topic, &request);
    }
    for replica_id in [-2, -3, 99] {
        let request = ListOffsetsRequest { replica_id, ..of(topic, 0, -1) };
        ask_leader(session, &format!("as replica {replica_id}"), version, topic, &request);
    }
    let other = session.other_broker(topic.leaders[0]);
    let debugging = ListOffsetsRequest { replica_id: -2, ..of(topic, 0, -1) };
    session.ask_broker(other, "as replica -2, broker without a replica", version, &debugging);
    let mut twice = of(topic, 0, -1);
    twice.topics[0].partitions.push(partition(0, -2));
    ask_leader(session, "partition twice", version, topic, &twice);
    let mut topic_twice = of(topic, 0, -1);
    topic_twice.topics.push(topic_twice.topics[0].clone());
    ask_leader(session, "topic twice", version, topic, &topic_twice);
}

fn of(topic: &Topic, index: i32, time: i64) -> ListOffsetsRequest {
    let topic = ListOffsetsTopic { name: topic.name.clone(), partitions: vec![partition(index, time)] };
    ListOffsetsRequest { replica_id: -1, topics: vec![topic], timeout_ms: 30_000, ..ListOffsetsRequest::default() }
}

fn partition(partition_index: i32, timestamp: i64) -> ListOffsetsPartition {
    ListOffsetsPartition { partition_index, timestamp, ..ListOffsetsPartition::default() }
}

/// To the leader of the partition that the request begins with, or of the first one.
fn ask_leader(session: &mut Session, case: &str, version: i16, topic: &Topic, request: &ListOffsetsRequest) {
    let partition = request.topics.first().and_then(|topic| topic.partitions.first());
    let partition = partition.and_then(|partition| usize::try_from(partition.partition_index).ok()).unwrap_or(0);
    let leader = topic.leaders.get(partition).or(topic.leaders.first()).copied().unwrap_or(-1);
    session.ask_broker(leader, case, version, request);
}
