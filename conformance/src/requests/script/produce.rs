//! Produce: to whom, and with which acknowledgements. Damaged batches are another chapter's.

use super::{Batch, NOBODYS_ID, Session, SessionError, Topic, ends, produce_request};
use highwater::wire::messages::ProduceRequest;
use highwater::wire::{Message, Uuid};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic_with("produce", 4, 1, &[("min.insync.replicas", "1")])?;
    let three = session.topic("produce-three", 1, 3)?;
    for version in ProduceRequest::VERSIONS.iter() {
        to_leader(session, "acks 1", version, &topic, &sound(&topic, 0, 1));
        to_leader(session, "acks all", version, &three, &sound(&three, 0, -1));
        to_leader(session, "acks 0", version, &topic, &sound(&topic, 1, 0));
        not_here(session, version, &topic);
    }
    for version in ends(ProduceRequest::VERSIONS) {
        acks_that_do_not_exist(session, version, &topic);
        errors_without_an_answer(session, version, &topic);
        several(session, version, &topic);
        names(session, version, &topic);
    }
    too_few_replicas(session)
}

fn acks_that_do_not_exist(session: &mut Session, version: i16, topic: &Topic) {
    for acks in [2, -2, 3, i16::MAX] {
        to_leader(session, &format!("acks {acks}"), version, topic, &sound(topic, 0, acks));
    }
    let unknown = Topic { name: session.name("produce-unknown"), id: NOBODYS_ID, ..topic.clone() };
    to_leader(session, "acks 2 to an unknown topic", version, topic, &sound(&unknown, 0, 2));
}

/// A broker that doesn't host the partition, a partition that doesn't exist, a topic that doesn't exist.
fn not_here(session: &mut Session, version: i16, topic: &Topic) {
    let other = session.other_broker(topic.leaders[0]);
    session.ask_broker(other, "broker that does not lead", version, &sound(topic, 0, 1));
    for partition in [4, -1, i32::MAX] {
        to_leader(session, &format!("partition {partition}"), version, topic, &sound(topic, partition, 1));
    }
    let unknown = Topic { name: session.name("produce-unknown"), id: NOBODYS_ID, ..topic.clone() };
    to_leader(session, "unknown topic", version, topic, &sound(&unknown, 0, 1));
}

/// With acks=0 a broker can only close the connection, so that the client asks for metadata again.
fn errors_without_an_answer(session: &mut Session, version: i16, topic: &Topic) {
    to_leader(session, "acks 0, unknown partition", version, topic, &sound(topic, 9, 0));
    let unknown = Topic { name: session.name("produce-unknown"), id: NOBODYS_ID, ..topic.clone() };
    to_leader(session, "acks 0, unknown topic", version, topic, &sound(&unknown, 0, 0));
    let damaged = Batch { wrong_crc: true, ..Batch::of(&["a"]) }.encode();
    to_leader(session, "acks 0, wrong CRC", version, topic, &produce_request(topic, 0, 0, Some(damaged)));
    let other = session.other_broker(topic.leaders[0]);
    session.ask_broker(other, "acks 0, broker that does not lead", version, &sound(topic, 0, 0));
}

/// More or less than one partition of one topic.
fn several(session: &mut Session, version: i16, topic: &Topic) {
    let one = sound(topic, 2, 1);
    to_leader(session, "no topic", version, topic, &ProduceRequest { topic_data: Vec::new(), ..one.clone() });
    let mut empty = one.clone();
    empty.topic_data[0].partition_data.clear();
    to_leader(session, "no partition", version, topic, &empty);
    let mut twice = one.clone();
    let again = twice.topic_data[0].partition_data[0].clone();
    twice.topic_data[0].partition_data.push(again);
    session.ask_broker(topic.leaders[2], "partition twice", version, &twice);
    let mut topic_twice = one.clone();
    topic_twice.topic_data.push(one.topic_data[0].clone());
    session.ask_broker(topic.leaders[2], "topic twice", version, &topic_twice);
    let mut partly = one.clone();
    let unknown = produce_request(topic, 9, 1, Some(Batch::of(&["a"]).encode()));
    partly.topic_data[0].partition_data.extend(unknown.topic_data[0].partition_data.clone());
    session.ask_broker(topic.leaders[2], "one partition that is here and one unknown", version, &partly);
    let transactional = ProduceRequest { transactional_id: Some("nobody".to_owned()), ..one };
    session.ask_broker(topic.leaders[2], "transactional id, batch without transaction", version, &transactional);
    for timeout_ms in [0, -1] {
        let request = ProduceRequest { timeout_ms, ..sound(topic, 3, -1) };
        session.ask_broker(topic.leaders[3], &format!("timeout {timeout_ms}, one replica"), version, &request);
    }
}

/// Topics that can't be written to, by their names or ids.
fn names(session: &mut Session, version: i16, topic: &Topic) {
    let metadata = ("__cluster_metadata", Uuid::METADATA_TOPIC);
    for (name, id) in [("", Uuid::ZERO), ("a/b", NOBODYS_ID), metadata] {
        let named = Topic { name: name.to_owned(), id, ..topic.clone() };
        to_leader(session, &format!("topic named {name:?}"), version, topic, &sound(&named, 0, 1));
    }
}

fn too_few_replicas(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic_with("produce-too-few", 1, 1, &[("min.insync.replicas", "2")])?;
    for version in ends(ProduceRequest::VERSIONS) {
        to_leader(session, "acks all, fewer replicas than min.insync.replicas", version, &topic, &sound(&topic, 0, -1));
        to_leader(session, "acks 1, fewer replicas than min.insync.replicas", version, &topic, &sound(&topic, 0, 1));
    }
    Ok(())
}

fn sound(topic: &Topic, partition: i32, acks: i16) -> ProduceRequest {
    produce_request(topic, partition, acks, Some(Batch::of(&["a", "b"]).encode()))
}

/// To the leader of the partition that the request begins with, or of the first one.
fn to_leader(session: &mut Session, case: &str, version: i16, topic: &Topic, request: &ProduceRequest) {
    let partition = request.topic_data.first().and_then(|topic| topic.partition_data.first());
    let partition = partition.and_then(|partition| usize::try_from(partition.index).ok()).unwrap_or(0);
    let leader = topic.leaders.get(partition).or(topic.leaders.first()).copied().unwrap_or(-1);
    session.ask_broker(leader, case, version, request);
}
