//! Produce: a client's batches go to their shards, and the answer is what their replicas say.
//!
//! Source: Kafka's `KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`.

use super::accept::{Accepted, Rejected, accept};
use super::broker::BrokerService;
use super::duplicates::last_of_each;
use super::{errors, topics};
use crate::node::cluster::Cluster;
use crate::node::connection::{Pending, Reply};
use crate::node::shard::{Event, Outcome, Produced};
use crate::records::BatchHeader;
use crate::wire::messages::produce::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData, TopicProduceResponse,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Acks, ProduceOutcome};
use highwater_spec::values::{Offset, TopicId, TopicPartition};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// From this version on, topics go by id.
const BY_ID: i16 = 13;
/// Where none is told.
const NO_OFFSET: i64 = -1;

enum Waiting {
    /// With the broker's time that was stamped on the batch.
    ForReplica(oneshot::Receiver<Outcome>, Option<i64>),
    /// With the start of the log (inclusive), where that is told.
    Rejected(Rejected, Option<Offset>),
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
    let transactional = lacks_transaction(&request).then_some(errors::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let cluster = service.cluster.read();
    let data = last_of_each(request.topic_data);
    let mut topics = Vec::with_capacity(data.len());
    for TopicProduceData { name, topic_id, partition_data } in data {
        let topic = find(&cluster, version, &name, topic_id.into());
        let mut partitions = Vec::with_capacity(partition_data.len());
        for data in partition_data {
            let index = data.index;
            let waiting = match transactional.map_or(topic, Err) {
                Ok(topic) => {
                    let partition = TopicPartition { topic, index };
                    submit(service, &cluster, partition, data, Request { version, acks, timeout })
                        .unwrap_or_else(|rejected| told(service, partition, rejected))
                }
                Err(code) => Waiting::Rejected(code.into(), None),
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

/// Whether some batch claims to be part of a transaction, and the request names none. All of it is refused then.
fn lacks_transaction(request: &ProduceRequest) -> bool {
    let mut batches = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    let is_transactional = |data: &PartitionProduceData| {
        let header = data.records.as_ref().and_then(|records| BatchHeader::parse(records).ok());
        header.is_some_and(|header| header.attributes.is_transactional())
    };
    request.transactional_id.is_none() && batches.any(is_transactional)
}

#[derive(Clone, Copy)]
struct Request {
    version: i16,
    acks: Option<Acks>,
    timeout: Duration,
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
) -> Result<Waiting, Rejected> {
    cluster.partition(partition).ok_or(errors::UNKNOWN_TOPIC_OR_PARTITION)?;
    let acks = request.acks.ok_or(errors::INVALID_REQUIRED_ACKS)?;
    if cluster.topic(partition.topic).is_some_and(|topic| topics::is_internal(&topic.name)) {
        return Err(errors::INVALID_TOPIC.into());
    }
    let topic = service.log_configs.produced_to(cluster, partition.topic);
    let accepted = accept(data.records.unwrap_or_default(), request.version, &topic)?;
    let (reply, outcome) = oneshot::channel();
    let Accepted { bytes, count, producer, append_time } = accepted;
    let produced = Produced { partition, acks, count, producer, bytes, timeout: request.timeout, reply };
    service.shards.send(partition, Event::Produced(produced));
    Ok(Waiting::ForReplica(outcome, append_time))
}

fn told(service: &BrokerService, partition: TopicPartition, rejected: Rejected) -> Waiting {
    let found = service.partitions.get(partition).filter(|_| rejected.tells_log_start);
    Waiting::Rejected(rejected, found.map(|found| found.view.read().log_start))
}

async fn settled(index: i32, waiting: Waiting) -> PartitionProduceResponse {
    let refused =
        |error_code| PartitionProduceResponse { index, error_code, base_offset: NO_OFFSET, ..Default::default() };
    match waiting {
        Waiting::Rejected(rejected, log_start) => PartitionProduceResponse {
            error_message: rejected.message,
            record_errors: rejected.records,
            log_start_offset: log_start.map_or(NO_OFFSET, |start| start.0),
            ..refused(rejected.code)
        },
        Waiting::ForReplica(outcome, append_time) => match outcome.await {
            Ok(Outcome { outcome, log_start }) => match outcome.told() {
                Ok(base) => {
                    // Kafka tells the batch's own time here, whoever stamped it.
                    let again = match outcome {
                        ProduceOutcome::Duplicate { timestamp, .. } => Some(timestamp.0),
                        _ => None,
                    };
                    written(index, base, again.or(append_time).unwrap_or(-1), log_start)
                }
                Err(refusal) => {
                    let log_start_offset = if tells_log_start(refusal) { log_start.0 } else { NO_OFFSET };
                    PartitionProduceResponse { log_start_offset, ..refused(refusal.code()) }
                }
            },
            // The shard has ended: the broker is shutting down.
            Err(_) => refused(errors::NOT_LEADER_OR_FOLLOWER),
        },
    }
}

/// As Kafka, which tells it if the log was there and the batch is what was wrong, or the replicas.
fn tells_log_start(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::OutOfOrderSequenceNumber | Refusal::InvalidProducerEpoch | Refusal::NotEnoughReplicas)
}

fn written(index: i32, base: Offset, log_append_time_ms: i64, log_start: Offset) -> PartitionProduceResponse {
    let (base_offset, log_start_offset) = (base.0, log_start.0);
    PartitionProduceResponse { index, base_offset, log_append_time_ms, log_start_offset, ..Default::default() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::BatchBuilder;

    #[test]
    fn a_transaction_s_batch_needs_its_id() {
        let mut builder = BatchBuilder::new();
        builder.push(1, None, None, &[]).expect("a record that fits");
        let plain = builder.build().expect("a batch that fits");
        let mut transactional = plain.to_vec();
        transactional[22] |= 0x10;
        let request = |records: Vec<u8>, id: Option<&str>| {
            let data = PartitionProduceData { records: Some(records.into()), ..Default::default() };
            let topic = TopicProduceData { partition_data: vec![data], ..Default::default() };
            let transactional_id = id.map(str::to_owned);
            ProduceRequest { transactional_id, topic_data: vec![topic], ..Default::default() }
        };
        assert!(lacks_transaction(&request(transactional.clone(), None)));
        assert!(!lacks_transaction(&request(transactional, Some("t"))));
        assert!(!lacks_transaction(&request(plain.to_vec(), None)));
        assert!(!lacks_transaction(&request(vec![0; 5], None)), "no header to read");
    }
}
