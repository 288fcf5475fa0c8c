//! InitProducerId, DescribeProducers: producers with an id.
//!
//! Source: Kafka's `KafkaApis.handleInitProducerIdRequest`, `ReplicaManager.activeProducerState`.

use super::broker::BrokerService;
use super::errors;
use super::topics::missing;
use crate::node::cluster::Cluster;
use crate::node::shard::Event;
use crate::wire::messages::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use crate::wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use highwater_spec::producer::{Producer, Producers};
use highwater_spec::values::{ProducerId, TopicPartition};
use tokio::sync::oneshot;

/// No producer has this id.
const NO_ID: i64 = -1;
/// No producer is in this epoch.
const NO_EPOCH: i16 = -1;
/// No transaction coordinator has written a marker yet.
const NO_COORDINATOR: i32 = -1;

/// Gives a producer an id. One that wants to go on with its own gets a new one all the same, as from Kafka: only
/// transactions outlive their producer.
pub async fn init(service: &BrokerService, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let refused = |error_code| InitProducerIdResponse { error_code, producer_epoch: NO_EPOCH, ..Default::default() };
    if (request.producer_id == NO_ID) != (request.producer_epoch == NO_EPOCH) {
        return refused(errors::INVALID_REQUEST);
    }
    if let Some(id) = request.transactional_id {
        tracing::warn!(transactional_id = id, "transactional producers are not served yet");
        return refused(errors::INVALID_REQUEST);
    }
    match service.producer_ids.next().await {
        Ok(id) => InitProducerIdResponse { producer_id: id.0, producer_epoch: 0, ..Default::default() },
        Err(error) => {
            tracing::warn!(%error, "a producer gets no id");
            refused(errors::COORDINATOR_LOAD_IN_PROGRESS)
        }
    }
}

/// Tells what replicas here know of their producers.
pub async fn describe(service: &BrokerService, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let cluster = service.cluster.read();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let id = cluster.topic_named(&topic.name).map(|(id, _)| id).ok_or_else(|| missing(&topic.name));
        let error_message = id.is_err().then(|| format!("there is no topic {:?}", topic.name));
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for partition_index in topic.partition_indexes {
            let producers = match id {
                Ok(topic) => known(service, &cluster, TopicPartition { topic, index: partition_index }).await,
                Err(error_code) => Err(error_code),
            };
            let answer = match producers {
                Ok(producers) => PartitionResponse {
                    active_producers: producers.iter().filter_map(described).collect(),
                    ..Default::default()
                },
                Err(error_code) => {
                    PartitionResponse { error_code, error_message: error_message.clone(), ..Default::default() }
                }
            };
            partitions.push(PartitionResponse { partition_index, ..answer });
        }
        topics.push(TopicResponse { name: topic.name, partitions });
    }
    DescribeProducersResponse { topics, ..Default::default() }
}

async fn known(service: &BrokerService, cluster: &Cluster, partition: TopicPartition) -> Result<Producers, i16> {
    service.hosted(cluster, partition).await?;
    let (reply, producers) = oneshot::channel();
    service.shards.send(partition, Event::ProducersAsked(partition, reply));
    // An error is a replica that is gone, or a shard that has ended.
    producers.await.map_err(|_| errors::NOT_LEADER_OR_FOLLOWER)
}

fn described((id, producer): (ProducerId, &Producer)) -> Option<ProducerState> {
    let last = producer.last()?;
    Some(ProducerState {
        producer_id: id.0,
        producer_epoch: producer.epoch().0.into(),
        last_sequence: last.last().0,
        last_timestamp: last.timestamp.0,
        coordinator_epoch: NO_COORDINATOR,
        ..Default::default()
    })
}
