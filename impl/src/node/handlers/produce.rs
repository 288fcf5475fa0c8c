//! Produce: a client's batches go to their shards, and the answer is what their replicas say.
//!
//! Source: Kafka's `KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`.

use super::broker::BrokerService;
use super::errors;
use crate::node::cluster::Cluster;
use crate::node::connection::{Pending, Reply};
use crate::node::shard::{Event, Outcome, Produced};
use crate::records::{Compression, check_produced};
use crate::wire::messages::produce::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData, TopicProduceResponse,
};
use highwater_spec::replica::{Acks, ProduceOutcome};
use highwater_spec::values::{TopicId, TopicPartition};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// From this version on, topics go by id.
const BY_ID: i16 = 13;
/// From this version on, batches may be compressed with zstd.
const WITH_ZSTD: i16 = 7;

/// Why a batch never reached its replica.
struct Rejected {
    code: i16,
    message: Option<String>,
}

impl From<i16> for Rejected {
    fn from(code: i16) -> Self {
        Self { code, message: None }
    }
}

enum Waiting {
    ForReplica(oneshot::Receiver<Outcome>),
    Rejected(Rejected),
}

/// Hands every batch to its shard now, and answers when all are answered.
pub fn begin(service: &Arc<BrokerService>, version: i16, request: ProduceRequest) -> Pending {
    let acks = match request.acks {
        0 => Some(Acks::None),
        1 => Some(Acks::Leader),
        -1 => Some(Acks::All),
        _ => None,
    };
    let timeout = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
    let cluster = service.cluster.read();
    let transactional = request.transactional_id.is_some();
    let mut topics = Vec::with_capacity(request.topic_data.len());
    for TopicProduceData { name, topic_id, partition_data } in request.topic_data {
        let topic = find(&cluster, version, &name, topic_id.into());
        let mut partitions = Vec::with_capacity(partition_data.len());
        for data in partition_data {
            let index = data.index;
            let waiting = match (acks, &topic) {
                (None, _) => Waiting::Rejected(errors::INVALID_REQUIRED_ACKS.into()),
                (_, Err(code)) => Waiting::Rejected((*code).into()),
                (Some(acks), Ok(topic)) => {
                    let partition = TopicPartition { topic: *topic, index };
                    match submit(service, &cluster, partition, data, Request { version, acks, timeout, transactional })
                    {
                        Ok(outcome) => Waiting::ForReplica(outcome),
                        Err(rejected) => Waiting::Rejected(rejected),
                    }
                }
            };
            partitions.push((index, waiting));
        }
        topics.push((name, topic_id, topic.ok(), partitions));
    }
    let service = Arc::clone(service);
    Box::pin(async move {
        let mut response = ProduceResponse::default();
        for (name, topic_id, topic, partitions) in topics {
            let mut partition_responses = Vec::with_capacity(partitions.len());
            for (index, waiting) in partitions {
                partition_responses.push(settled(index, waiting).await);
            }
            if let Some(topic) = topic {
                name_leaders(&service, topic, &mut partition_responses, &mut response.node_endpoints);
            }
            response.responses.push(TopicProduceResponse { name, topic_id, partition_responses });
        }
        match acks {
            Some(Acks::None) => without_answer(&response),
            _ => Reply::Response(response.into()),
        }
    })
}

#[derive(Clone, Copy)]
struct Request {
    version: i16,
    acks: Acks,
    timeout: Duration,
    transactional: bool,
}

fn find(cluster: &Cluster, version: i16, name: &str, id: TopicId) -> Result<TopicId, i16> {
    if version >= BY_ID {
        cluster.topic(id).map(|_| id).ok_or(errors::UNKNOWN_TOPIC_ID)
    } else {
        cluster.topic_named(name).map(|(id, _)| id).ok_or(errors::UNKNOWN_TOPIC_OR_PARTITION)
    }
}

fn submit(
    service: &BrokerService,
    cluster: &Cluster,
    partition: TopicPartition,
    data: PartitionProduceData,
    request: Request,
) -> Result<oneshot::Receiver<Outcome>, Rejected> {
    let bytes = data.records.unwrap_or_default();
    let limit = service.log_configs.max_message_bytes(cluster, partition.topic);
    if cluster.partition(partition).is_none() {
        return Err(errors::UNKNOWN_TOPIC_OR_PARTITION.into());
    }
    let header = check_produced(&bytes, limit)
        .map_err(|error| Rejected { code: error.code(), message: Some(error.to_string()) })?;
    if header.attributes.compression().is_ok_and(|codec| codec == Compression::Zstd) && request.version < WITH_ZSTD {
        return Err(errors::UNSUPPORTED_COMPRESSION_TYPE.into());
    }
    if request.transactional || header.has_producer() {
        let message = "idempotent and transactional producers are not served yet";
        return Err(Rejected { code: errors::INVALID_REQUEST, message: Some(message.to_owned()) });
    }
    let (reply, outcome) = oneshot::channel();
    let (acks, timeout) = (request.acks, request.timeout);
    let count = header.offset_count();
    service.shards.send(partition, Event::Produced(Produced { partition, acks, count, bytes, timeout, reply }));
    Ok(outcome)
}

async fn settled(index: i32, waiting: Waiting) -> PartitionProduceResponse {
    let refused = |code: i16, error_message| PartitionProduceResponse {
        index,
        error_code: code,
        base_offset: -1,
        error_message,
        ..Default::default()
    };
    match waiting {
        Waiting::Rejected(Rejected { code, message }) => refused(code, message),
        Waiting::ForReplica(outcome) => match outcome.await {
            Ok(Outcome { outcome: ProduceOutcome::Acked { base }, log_start }) => PartitionProduceResponse {
                index,
                base_offset: base.0,
                log_start_offset: log_start.0,
                ..Default::default()
            },
            Ok(Outcome { outcome: ProduceOutcome::Refused(refusal) | ProduceOutcome::Unknown(refusal), .. }) => {
                refused(refusal.code(), None)
            }
            // The shard has ended: the broker is shutting down.
            Err(_) => refused(errors::NOT_LEADER_OR_FOLLOWER, None),
        },
    }
}

/// KIP-951: who was wrong about a leader hears who it is.
fn name_leaders(
    service: &BrokerService,
    topic: TopicId,
    responses: &mut [PartitionProduceResponse],
    endpoints: &mut Vec<NodeEndpoint>,
) {
    let cluster = service.cluster.read();
    for response in responses.iter_mut().filter(|response| response.error_code == errors::NOT_LEADER_OR_FOLLOWER) {
        let partition = cluster.partition(TopicPartition { topic, index: response.index });
        let Some((leader, epoch)) = partition.and_then(|found| Some((found.leader?, found.leader_epoch))) else {
            continue;
        };
        response.current_leader = LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: epoch.0 };
        let known = endpoints.iter().any(|endpoint| endpoint.node_id == leader.0);
        if let Some(endpoint) = cluster.live_endpoint(leader).filter(|_| !known) {
            let (host, port) = (endpoint.host.clone(), endpoint.port.into());
            endpoints.push(NodeEndpoint { node_id: leader.0, host, port, rack: None });
        }
    }
}

/// A producer that wants no answers learns of an error by the end of its connection.
fn without_answer(response: &ProduceResponse) -> Reply {
    let mut all = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    match all.find(|partition| partition.error_code != errors::NONE) {
        None => Reply::Nothing,
        Some(failed) => Reply::Close(format!("a produce with acks=0 failed with error code {}", failed.error_code)),
    }
}
