//! OffsetForLeaderEpoch: epochs that a log has, will have, never had.

use super::{Batch, Session, SessionError, Topic, append, ends};
use highwater::wire::Message;
use highwater::wire::messages::OffsetForLeaderEpochRequest;
use highwater::wire::messages::offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    // Partition 0 holds two records of epoch 0; 1 nothing.
    let topic = session.topic_with("epochs", 2, 1, &[("min.insync.replicas", "1")])?;
    let (leader, leader_of_empty) = (topic.leaders[0], topic.leaders[1]);
    append(session, &topic, 0, &[Batch::of(&["a", "b"])]);
    for version in OffsetForLeaderEpochRequest::VERSIONS.iter() {
        for epoch in [0, 1, 5, -1, -2, i32::MAX] {
            session.ask_broker(leader, &format!("epoch {epoch}"), version, &of(&topic, 0, epoch));
            let empty = of(&topic, 1, epoch);
            session.ask_broker(leader_of_empty, &format!("empty partition, epoch {epoch}"), version, &empty);
        }
        let other = session.other_broker(leader);
        session.ask_broker(other, "broker that does not lead", version, &of(&topic, 0, 0));
    }
    for version in ends(OffsetForLeaderEpochRequest::VERSIONS) {
        unusual(session, version, &topic);
    }
    Ok(())
}

fn unusual(session: &mut Session, version: i16, topic: &Topic) {
    let leader = topic.leaders[0];
    for partition in [2, -1] {
        session.ask_broker(leader, &format!("partition {partition}"), version, &of(topic, partition, 0));
    }
    let unknown = Topic { name: session.name("epochs-unknown"), ..topic.clone() };
    session.ask_broker(leader, "unknown topic", version, &of(&unknown, 0, 0));
    for epoch in [0, 1, -2] {
        let mut request = of(topic, 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        session.ask_broker(leader, &format!("current leader epoch {epoch}"), version, &request);
    }
    for replica_id in [-1, -3, 99, session.other_broker(leader)] {
        let request = OffsetForLeaderEpochRequest { replica_id, ..of(topic, 0, 0) };
        let who = if replica_id > 0 && replica_id < 99 { "another broker".to_owned() } else { replica_id.to_string() };
        session.ask_broker(leader, &format!("as replica {who}"), version, &request);
    }
    let mut twice = of(topic, 0, 0);
    twice.topics[0].partitions.push(partition(0, 1));
    session.ask_broker(leader, "partition twice", version, &twice);
    let none = OffsetForLeaderEpochRequest { topics: Vec::new(), ..of(topic, 0, 0) };
    session.ask_broker(leader, "no topic", version, &none);
}

fn of(topic: &Topic, index: i32, leader_epoch: i32) -> OffsetForLeaderEpochRequest {
    let topic = OffsetForLeaderTopic { topic: topic.name.clone(), partitions: vec![partition(index, leader_epoch)] };
    OffsetForLeaderEpochRequest { replica_id: -2, topics: vec![topic] }
}

fn partition(partition: i32, leader_epoch: i32) -> OffsetForLeaderPartition {
    OffsetForLeaderPartition { partition, leader_epoch, ..OffsetForLeaderPartition::default() }
}
