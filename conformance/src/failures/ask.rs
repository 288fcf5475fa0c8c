//! Single questions to single brokers, each on a connection of its own and with an end.

use highwater::client::{ClientError, Connection, ElectionType, ErrorCode};
use highwater::wire::RequestMessage;
use highwater::wire::Uuid;
use highwater::wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use highwater::wire::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use highwater::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use highwater::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use highwater_spec::values::{BrokerId, Offset};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Who hasn't answered by then is asleep or cut off, or will be asked again.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a broker may take to have a topic made, in milliseconds.
const CREATION_MS: i32 = 1_000;
/// ListOffsets' timestamp for the end of a log.
const LATEST: i64 = -1;

/// Whose view of a log is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A consumer's, from the leader: what is committed.
    Consumer,
    /// This one copy's, whole, whether or not it leads (Kafka's debugging consumer).
    Copy,
}

impl View {
    /// Kafka's replica id for it.
    #[must_use]
    pub fn replica_id(self) -> i32 {
        match self {
            Self::Consumer => -1,
            Self::Copy => -2,
        }
    }
}

/// Where a partition's copies are, as one broker knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Who leads, if anyone does.
    pub leader: Option<BrokerId>,
    /// In which epoch.
    pub leader_epoch: i32,
    /// Who is in sync, by id.
    pub isr: Vec<BrokerId>,
}

/// One request, one answer.
///
/// # Errors
/// Also when no answer comes in time.
pub async fn ask<R: RequestMessage>(broker: SocketAddr, request: &R) -> Result<R::Response, ClientError> {
    let address = broker.to_string();
    let exchange = async { Connection::connect(&address, PATIENCE).await?.call(request).await };
    timeout(PATIENCE, exchange).await.unwrap_or_else(|_| Err(ClientError::timed_out(&address)))
}

/// The brokers that are alive, as `broker` knows them.
///
/// # Errors
/// When it doesn't answer.
pub async fn live_brokers(broker: SocketAddr) -> Result<Vec<BrokerId>, ClientError> {
    let answer = ask(broker, &MetadataRequest { topics: Some(Vec::new()), ..Default::default() }).await?;
    Ok(sorted(answer.brokers.iter().map(|broker| broker.node_id)))
}

/// Makes a topic of one partition, whose copies are on `replicas`; the first of them leads. Nothing is amiss if there
/// is one: an earlier request may have been carried out, and its answer lost.
///
/// # Errors
/// When it isn't made.
pub async fn create(
    broker: SocketAddr,
    topic: &str,
    replicas: &[BrokerId],
    min_insync_replicas: usize,
) -> Result<(), ClientError> {
    let broker_ids = replicas.iter().map(|replica| replica.0).collect();
    let min_isr =
        CreatableTopicConfig { name: "min.insync.replicas".to_owned(), value: Some(min_insync_replicas.to_string()) };
    let topic = CreatableTopic {
        name: topic.to_owned(),
        num_partitions: -1,
        replication_factor: -1,
        assignments: vec![CreatableReplicaAssignment { partition_index: 0, broker_ids }],
        configs: vec![min_isr],
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: CREATION_MS, validate_only: false };
    let answer = ask(broker, &request).await?;
    let mut refused =
        answer.topics.iter().filter(|topic| ErrorCode(topic.error_code) != ErrorCode::TOPIC_ALREADY_EXISTS);
    refused.try_for_each(|topic| ErrorCode(topic.error_code).of(|| topic.name.clone()))
}

/// Asks for an election in a topic's only partition, and tells what came of it.
///
/// # Errors
/// When there is no answer, or none about this partition.
pub async fn elect(broker: SocketAddr, topic: &str, election: ElectionType) -> Result<ErrorCode, ClientError> {
    let partition = TopicPartitions { topic: topic.to_owned(), partitions: vec![0] };
    let request = ElectLeadersRequest {
        election_type: election.number(),
        topic_partitions: Some(vec![partition]),
        ..Default::default()
    };
    let answer = ask(broker, &request).await?;
    let result = answer.replica_election_results.first().and_then(|topic| topic.partition_result.first());
    result
        .map(|result| ErrorCode(result.error_code))
        .ok_or_else(|| ClientError::Incomplete { address: broker.to_string(), subject: format!("topic {topic}") })
}

/// A topic's id, as `broker` knows it.
///
/// # Errors
/// When it doesn't answer, or knows no such topic.
pub async fn topic_id(broker: SocketAddr, topic: &str) -> Result<Uuid, ClientError> {
    let answer = metadata(broker, topic).await?;
    answer.topics.first().map(|topic| topic.topic_id).ok_or_else(|| ClientError::UnknownTopic(topic.to_owned()))
}

/// Where the copies of a topic's only partition are, as `broker` knows it.
///
/// # Errors
/// When it doesn't answer, or knows no such topic.
pub async fn placement(broker: SocketAddr, topic: &str) -> Result<Placement, ClientError> {
    let answer = metadata(broker, topic).await?;
    let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
    let partition = partition.ok_or_else(|| ClientError::UnknownTopic(topic.to_owned()))?;
    Ok(Placement {
        leader: Some(partition.leader_id).filter(|leader| *leader >= 0).map(BrokerId),
        leader_epoch: partition.leader_epoch,
        isr: sorted(partition.isr_nodes.iter().copied()),
    })
}

async fn metadata(broker: SocketAddr, topic: &str) -> Result<MetadataResponse, ClientError> {
    let topics = Some(vec![MetadataRequestTopic { name: Some(topic.to_owned()), ..Default::default() }]);
    let request = MetadataRequest { topics, allow_auto_topic_creation: false, ..Default::default() };
    let answer = ask(broker, &request).await?;
    answer.topics.iter().try_for_each(|known| ErrorCode(known.error_code).of(|| topic.to_owned()))?;
    Ok(answer)
}

/// Where the log of a topic's only partition ends on `broker` (exclusive).
///
/// # Errors
/// When it doesn't say.
pub async fn end(broker: SocketAddr, topic: &str, view: View) -> Result<Offset, ClientError> {
    let partitions = vec![ListOffsetsPartition { timestamp: LATEST, ..Default::default() }];
    let topics = vec![ListOffsetsTopic { name: topic.to_owned(), partitions }];
    let request = ListOffsetsRequest { replica_id: view.replica_id(), topics, ..Default::default() };
    let answer = ask(broker, &request).await?;
    let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
    let partition = partition.ok_or_else(|| ClientError::UnknownTopic(topic.to_owned()))?;
    ErrorCode(partition.error_code).of(|| topic.to_owned())?;
    Ok(Offset(partition.offset))
}

fn sorted(ids: impl Iterator<Item = i32>) -> Vec<BrokerId> {
    let mut ids: Vec<_> = ids.map(BrokerId).collect();
    ids.sort_unstable();
    ids
}
