//! Producers that number their batches: which id they get, which batch is the next one, and what is known of them.
//!
//! Not here: transactions.

use super::super::batch::Record;
use super::{Batch, Session, SessionError, Topic, ends, produce_request};
use bytes::Bytes;
use highwater::wire::Message;
use highwater::wire::messages::describe_producers::TopicRequest;
use highwater::wire::messages::{DescribeProducersRequest, InitProducerIdRequest, ProduceRequest};
use std::time::{SystemTime, UNIX_EPOCH};

/// The first of the script's own ids: far above any that a cluster has given out.
pub const OWN_IDS: i64 = 1 << 40;

/// A batch: what its header says of its producer, and how many records it has.
#[derive(Clone, Copy)]
struct Sent {
    epoch: i16,
    first: i32,
    count: usize,
}

const fn sent(epoch: i16, first: i32, count: usize) -> Sent {
    Sent { epoch, first, count }
}

const LAST: i32 = i32::MAX;

/// Each is of a producer that nobody knows, to a partition of its own.
const STORIES: &[(&str, &[Sent])] = &[
    ("begins at 0", &[sent(0, 0, 1), sent(0, 1, 2), sent(0, 3, 1)]),
    ("begins in the middle", &[sent(0, 5, 1), sent(0, 6, 1), sent(0, 5, 1)]),
    ("begins in a later epoch, in the middle", &[sent(7, 5, 1), sent(7, 7, 1)]),
    ("no number", &[sent(0, -1, 1)]),
    ("a negative number", &[sent(0, -5, 1)]),
    ("no epoch", &[sent(-1, 0, 1)]),
    ("epoch -2", &[sent(-2, 0, 1)]),
    ("a gap", &[sent(0, 0, 1), sent(0, 2, 1), sent(0, 1, 1)]),
    ("again", &[sent(0, 0, 1), sent(0, 0, 1), sent(0, 1, 1), sent(0, 1, 1), sent(0, 0, 1)]),
    ("again, but longer or shorter", &[sent(0, 0, 2), sent(0, 0, 1), sent(0, 0, 3), sent(0, 1, 1)]),
    (
        "again, six batches ago",
        &[
            sent(0, 0, 1),
            sent(0, 1, 1),
            sent(0, 2, 1),
            sent(0, 3, 1),
            sent(0, 4, 1),
            sent(0, 5, 1),
            sent(0, 1, 1),
            sent(0, 0, 1),
        ],
    ),
    ("a later epoch", &[sent(0, 0, 1), sent(1, 1, 1), sent(1, 0, 1), sent(0, 1, 1), sent(0, 0, 1), sent(1, 1, 1)]),
    ("the last epoch", &[sent(i16::MAX, 0, 1), sent(i16::MIN, 0, 1), sent(i16::MAX, 1, 1)]),
    ("past the largest number", &[sent(0, LAST, 1), sent(0, 0, 1), sent(0, LAST, 1), sent(0, 2, 1)]),
    ("past the largest number within a batch", &[sent(0, LAST - 2, 5), sent(0, 2, 1), sent(0, LAST - 2, 5)]),
];

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    ids(session);
    let partitions = STORIES.len() as i32;
    let topic = session.topic_with("numbered", 2 * partitions, 1, &[("min.insync.replicas", "1")])?;
    for (half, version) in (0..).zip(ends(ProduceRequest::VERSIONS)) {
        for (index, (story, batches)) in (0..).zip(STORIES) {
            tell(session, &topic, half * partitions + index, version, story, batches);
        }
    }
    described(session, &topic);
    Ok(())
}

fn ids(session: &mut Session) {
    let with = |change: &dyn Fn(&mut InitProducerIdRequest)| {
        let mut request = InitProducerIdRequest { transaction_timeout_ms: 60_000, ..Default::default() };
        change(&mut request);
        request
    };
    for version in InitProducerIdRequest::VERSIONS.iter() {
        session.ask("an id", version, &with(&|_| {}));
        session.ask(
            "an id, with no time for transactions",
            version,
            &with(&|request| request.transaction_timeout_ms = 0),
        );
        let nameless = with(&|request| request.transactional_id = Some(String::new()));
        session.ask("an id for transactions without a name", version, &nameless);
    }
    for version in 3..=InitProducerIdRequest::VERSIONS.max {
        for (id, epoch) in [(7, -1), (-1, 7), (7, 7), (-2, -2), (7, i16::MAX)] {
            let request = with(&|request| (request.producer_id, request.producer_epoch) = (id, epoch));
            session.ask(&format!("an id in place of {id} in epoch {epoch}"), version, &request);
        }
    }
}

fn tell(session: &mut Session, topic: &Topic, partition: i32, version: i16, story: &str, batches: &[Sent]) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    for (step, Sent { epoch, first, count }) in (1..).zip(batches) {
        let record = Record { value: Some(Bytes::from_static(b"v")), ..Record::default() };
        let batch = Batch {
            producer_id: OWN_IDS + i64::from(partition),
            producer_epoch: *epoch,
            base_sequence: *first,
            base_timestamp: i64::try_from(now).unwrap_or_default(),
            records: vec![record; *count],
            ..Batch::of(&[])
        };
        let case = format!("{story}, {step}: epoch {epoch}, from {first}, {count} records");
        let request = produce_request(topic, partition, -1, Some(batch.encode()));
        session.ask_broker(topic.leaders[partition as usize], &case, version, &request);
    }
}

fn described(session: &mut Session, topic: &Topic) {
    let of = |name: &str, partition_indexes: &[i32]| DescribeProducersRequest {
        topics: vec![TopicRequest { name: name.to_owned(), partition_indexes: partition_indexes.to_vec() }],
    };
    for (index, (story, _)) in (0..).zip(STORIES) {
        let leader = topic.leaders[index as usize];
        session.ask_broker(leader, &format!("described after: {story}"), 0, &of(&topic.name, &[index]));
    }
    let (leader, name) = (topic.leaders[0], topic.name.as_str());
    session.ask_broker(leader, "partitions that are not there described", 0, &of(name, &[-1, 1000]));
    session.ask_broker(leader, "nothing described", 0, &of(name, &[]));
    session.ask_broker(leader, "a topic that is not there described", 0, &of("unknown", &[0]));
    session.ask_broker(leader, "a topic without a name described", 0, &of("", &[0]));
    session.ask_broker(leader, "a topic with a name that none has described", 0, &of("a b", &[0]));
    session.ask_broker(session.other_broker(leader), "described elsewhere", 0, &of(name, &[0]));
}
