//! What is asked: a chapter for each API, sound requests in every version, boundaries in the first and the last.
//!
//! A chapter says nothing of what the right answer is: Apache Kafka's is.

mod api_versions;
mod consumer_groups;
mod consumer_groups_mixed;
mod create_topics;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_topic_partitions;
mod elect_leaders;
mod fetch;
mod fetch_sessions;
mod frames;
mod group_offsets;
mod groups;
mod list_offsets;
mod malformed;
mod metadata;
mod of_group;
mod offset_for_leader_epoch;
mod produce;
mod produce_batches;
mod producers;

use super::batch::Batch;
pub use producers::OWN_IDS;

use super::session::{Session, SessionError, Topic};
use bytes::Bytes;
use highwater::wire::messages::ProduceRequest;
use highwater::wire::messages::produce::{PartitionProduceData, TopicProduceData};
use highwater::wire::{Uuid, Versions};

/// Asks one chapter's questions.
pub type Chapter = fn(&mut Session) -> Result<(), SessionError>;

/// The chapters, in the order in which they are run.
pub const CHAPTERS: [(&str, Chapter); 21] = [
    ("api-versions", api_versions::ask),
    ("frames", frames::ask),
    ("metadata", metadata::ask),
    ("produce", produce::ask),
    ("produce-batches", produce_batches::ask),
    ("producers", producers::ask),
    ("fetch", fetch::ask),
    ("fetch-sessions", fetch_sessions::ask),
    ("list-offsets", list_offsets::ask),
    ("offset-for-leader-epoch", offset_for_leader_epoch::ask),
    ("create-topics", create_topics::ask),
    ("delete-topics", delete_topics::ask),
    ("elect-leaders", elect_leaders::ask),
    ("describe-cluster", describe_cluster::ask),
    ("describe-configs", describe_configs::ask),
    ("describe-topic-partitions", describe_topic_partitions::ask),
    ("groups", groups::ask),
    ("group-offsets", group_offsets::ask),
    ("consumer-groups", consumer_groups::ask),
    ("consumer-groups-mixed", consumer_groups_mixed::ask),
    ("malformed", malformed::ask),
];

/// An id that no topic has.
const NOBODYS_ID: Uuid = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42]);

/// The first and the last.
fn ends(versions: Versions) -> [i16; 2] {
    [versions.min, versions.max]
}

/// A Produce request with one partition's records. Topics are named in both ways, each version writes one.
fn produce_request(topic: &Topic, partition: i32, acks: i16, records: Option<Bytes>) -> ProduceRequest {
    let data = PartitionProduceData { index: partition, records };
    let topic = TopicProduceData { name: topic.name.clone(), topic_id: topic.id, partition_data: vec![data] };
    ProduceRequest { acks, timeout_ms: 30_000, topic_data: vec![topic], ..ProduceRequest::default() }
}

/// Appends batches, which must be accepted. Each is a request of its own, and a case.
fn append(session: &mut Session, topic: &Topic, partition: i32, batches: &[Batch]) {
    for batch in batches {
        let request = produce_request(topic, partition, -1, Some(batch.encode()));
        let leader = topic.leaders[partition as usize];
        session.ask_broker(leader, "records to begin with", 12, &request);
    }
}
