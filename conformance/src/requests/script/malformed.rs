//! Requests that are wrong in one place, made from a sound one by its schema.
//!
//! Kafka closes the connection where it can't read a request. Where it reads leniently, it answers what it took the
//! request for: the sound ones are about nothing that exists, so that no harm is done.

use super::{Batch, NOBODYS_ID, Session, SessionError};
use highwater::wire::RequestMessage;
use highwater::wire::malformed;
use highwater::wire::messages::create_topics::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};
use highwater::wire::messages::delete_topics::DeleteTopicState;
use highwater::wire::messages::describe_configs::DescribeConfigsResource;
use highwater::wire::messages::describe_topic_partitions::{Cursor, TopicRequest};
use highwater::wire::messages::elect_leaders::TopicPartitions;
use highwater::wire::messages::fetch::{FetchPartition, FetchTopic, ForgottenTopic};
use highwater::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use highwater::wire::messages::metadata::MetadataRequestTopic;
use highwater::wire::messages::offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use highwater::wire::messages::produce::{PartitionProduceData, TopicProduceData};
use highwater::wire::messages::*;

/// Says at which byte a field is cut, and which letter of a name is spoilt.
const SEED: u64 = 1;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let name = || "malformed".to_owned(); // no topic of any run
    spoil(
        session,
        &ApiVersionsRequest { client_software_name: "a".to_owned(), client_software_version: "1".to_owned() },
    )?;
    spoil(session, &metadata(name()))?;
    spoil(session, &produce(name()))?;
    spoil(session, &fetch(name()))?;
    spoil(session, &list_offsets(name()))?;
    spoil(session, &offset_for_leader_epoch(name()))?;
    spoil(session, &create_topics(name()))?;
    spoil(session, &delete_topics(name()))?;
    spoil(session, &DescribeClusterRequest::default())?;
    spoil(session, &describe_configs(name()))?;
    spoil(session, &describe_topic_partitions(name()))?;
    spoil(session, &elect_leaders(name()))
}

/// Sends every spoilt form of a sound request, in its first and last version.
fn spoil<R: RequestMessage>(session: &mut Session, sound: &R) -> Result<(), SessionError> {
    let (api, broker) = (R::KEY.api(), session.any_broker());
    let not_sound = |error: &dyn std::fmt::Display| SessionError::SetUp(format!("{}: {error}", api.name));
    let mut versions = super::ends(R::VERSIONS).to_vec();
    versions.dedup();
    for version in versions {
        let body = sound.to_bytes(version).map_err(|error| not_sound(&error))?;
        for case in malformed::cases(R::SCHEMA, version, &body, SEED).map_err(|error| not_sound(&error))? {
            session.ask_bytes(broker, &format!("{}: {}", api.name, case.name), api, version, &case.body);
        }
    }
    Ok(())
}

fn metadata(name: String) -> MetadataRequest {
    let topic = MetadataRequestTopic { name: Some(name), ..MetadataRequestTopic::default() };
    MetadataRequest { topics: Some(vec![topic]), allow_auto_topic_creation: false, ..MetadataRequest::default() }
}

fn produce(name: String) -> ProduceRequest {
    let partition = PartitionProduceData { index: 0, records: Some(Batch::of(&["a"]).encode()) };
    let topic = TopicProduceData { name, topic_id: NOBODYS_ID, partition_data: vec![partition] };
    ProduceRequest { acks: 1, timeout_ms: 1000, topic_data: vec![topic], ..ProduceRequest::default() }
}

fn fetch(name: String) -> FetchRequest {
    let topic = FetchTopic { topic: name.clone(), topic_id: NOBODYS_ID, partitions: vec![FetchPartition::default()] };
    let forgotten = ForgottenTopic { topic: name, topic_id: NOBODYS_ID, partitions: vec![1] };
    let cluster_id = Some("c".to_owned());
    FetchRequest { cluster_id, topics: vec![topic], forgotten_topics_data: vec![forgotten], ..FetchRequest::default() }
}

fn list_offsets(name: String) -> ListOffsetsRequest {
    let topic = ListOffsetsTopic { name, partitions: vec![ListOffsetsPartition::default()] };
    ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..ListOffsetsRequest::default() }
}

fn offset_for_leader_epoch(name: String) -> OffsetForLeaderEpochRequest {
    let topic = OffsetForLeaderTopic { topic: name, partitions: vec![OffsetForLeaderPartition::default()] };
    OffsetForLeaderEpochRequest { topics: vec![topic], ..OffsetForLeaderEpochRequest::default() }
}

/// The name is one that no topic can have: where bytes are taken for others, more than a validation could be asked for.
fn create_topics(name: String) -> CreateTopicsRequest {
    let assignment = CreatableReplicaAssignment { partition_index: 0, broker_ids: vec![1] };
    let config = CreatableTopicConfig { name: "segment.bytes".to_owned(), value: Some("1048576".to_owned()) };
    let topic = CreatableTopic {
        name: name + "/",
        num_partitions: -1,
        replication_factor: -1,
        assignments: vec![assignment],
        configs: vec![config],
    };
    CreateTopicsRequest { topics: vec![topic], timeout_ms: 1000, validate_only: true }
}

fn delete_topics(name: String) -> DeleteTopicsRequest {
    let state = DeleteTopicState { name: Some(name.clone()), ..DeleteTopicState::default() };
    DeleteTopicsRequest { topics: vec![state], topic_names: vec![name], timeout_ms: 1000 }
}

fn describe_configs(name: String) -> DescribeConfigsRequest {
    let configuration_keys = Some(vec!["segment.bytes".to_owned()]);
    let resource = DescribeConfigsResource { resource_type: 2, resource_name: name, configuration_keys };
    DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() }
}

fn describe_topic_partitions(name: String) -> DescribeTopicPartitionsRequest {
    let cursor = Some(Cursor { topic_name: name.clone(), partition_index: 0 });
    DescribeTopicPartitionsRequest { topics: vec![TopicRequest { name }], cursor, ..Default::default() }
}

fn elect_leaders(topic: String) -> ElectLeadersRequest {
    let topic_partitions = Some(vec![TopicPartitions { topic, partitions: vec![0] }]);
    ElectLeadersRequest { topic_partitions, ..ElectLeadersRequest::default() }
}
