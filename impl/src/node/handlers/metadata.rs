//! Metadata: where topics lie, and who leads.
//!
//! Source: Kafka's `KafkaApis.handleTopicMetadataRequest`, `KRaftMetadataCache.getPartitionMetadata`.

use super::broker::BrokerService;
use super::{errors, topics};
use crate::node::cluster::Cluster;
use crate::node::metadata_records::ids;
use crate::wire::Uuid;
use crate::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker, MetadataResponsePartition,
    MetadataResponseTopic,
};
use highwater_spec::controller::{Partition, Topic};
use highwater_spec::values::{BrokerId, TopicId};
use std::collections::BTreeSet;

/// From this version on, topics may go by id.
const BY_ID: i16 = 12;
/// Every operation on a topic, as bits; there is no authorizer that would forbid one.
pub const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
/// Every operation on the cluster.
pub const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

/// Answers, and has topics made that are asked for and may be.
pub async fn answer(service: &BrokerService, version: i16, request: MetadataRequest) -> MetadataResponse {
    if let Some(refused) = refused(version, request.topics.as_deref().unwrap_or_default()) {
        return refused;
    }
    let cluster = service.cluster.read();
    let mut found: Vec<_> = match &request.topics {
        None => cluster.image.topics.iter().map(|(id, topic)| described(&cluster, *id, topic)).collect(),
        Some(asked) if asked.is_empty() && version == 0 => {
            cluster.image.topics.iter().map(|(id, topic)| described(&cluster, *id, topic)).collect()
        }
        Some(asked) if asked.iter().any(|topic| topic.topic_id != Uuid::ZERO) => {
            let asked: BTreeSet<_> = asked.iter().map(|topic| topic.topic_id).filter(|id| *id != Uuid::ZERO).collect();
            asked.into_iter().map(|id| by_id(&cluster, id)).collect()
        }
        Some(asked) => {
            let names: BTreeSet<_> = asked.iter().filter_map(|topic| topic.name.clone()).collect();
            let (known, unknown): (BTreeSet<_>, _) =
                names.into_iter().partition(|name| cluster.topic_named(name).is_some());
            let known = known.iter().filter_map(|name| cluster.topic_named(name));
            let mut found: Vec<_> = known.map(|(id, topic)| described(&cluster, id, topic)).collect();
            let create = (request.allow_auto_topic_creation || version < 4) && service.config.auto_create_topics_enable;
            found.extend(missing(service, unknown, create).await);
            found
        }
    };
    if request.include_topic_authorized_operations {
        found.iter_mut().for_each(|topic| topic.topic_authorized_operations = TOPIC_OPERATIONS);
    }
    let brokers = cluster.live_brokers().map(|(broker, endpoint)| MetadataResponseBroker {
        node_id: broker.0,
        host: endpoint.host.clone(),
        port: endpoint.port.into(),
        rack: None,
    });
    let cluster_authorized_operations = match request.include_cluster_authorized_operations {
        true => CLUSTER_OPERATIONS,
        false => i32::MIN,
    };
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: Some(service.cluster_id.clone()),
        // Any broker will do: each hands on to the controller what only that can answer.
        controller_id: cluster.live_endpoint(service.me).map_or(-1, |_| service.me.0),
        topics: found,
        cluster_authorized_operations,
        ..Default::default()
    }
}

/// Requests that name a topic in a way that their version doesn't have are refused as a whole. (Kafka fails within where
/// one names neither name nor id.)
fn refused(version: i16, topics: &[MetadataRequestTopic]) -> Option<MetadataResponse> {
    let is_wrong = |topic: &MetadataRequestTopic| match (&topic.name, topic.topic_id) {
        (None, id) => version < BY_ID || id == Uuid::ZERO,
        (Some(_), id) => version < BY_ID && id != Uuid::ZERO,
    };
    if !topics.iter().any(is_wrong) {
        return None;
    }
    let refused = topics.iter().map(|topic| MetadataResponseTopic {
        error_code: errors::INVALID_REQUEST,
        name: Some(topic.name.clone().unwrap_or_default()),
        topic_id: topic.topic_id,
        ..Default::default()
    });
    Some(MetadataResponse {
        topics: refused.collect(),
        controller_id: -1,
        error_code: errors::INVALID_REQUEST,
        ..Default::default()
    })
}

fn by_id(cluster: &Cluster, id: Uuid) -> MetadataResponseTopic {
    match cluster.topic(id.into()) {
        Some(topic) => described(cluster, id.into(), topic),
        None => MetadataResponseTopic {
            error_code: errors::UNKNOWN_TOPIC_ID,
            topic_id: id,
            name: None,
            ..Default::default()
        },
    }
}

/// What is said of topics that do not exist. Those that may be made are on their way when this returns.
async fn missing(service: &BrokerService, names: BTreeSet<String>, create: bool) -> Vec<MetadataResponseTopic> {
    if create && !names.is_empty() {
        topics::create_automatically(service, names.iter().filter(|name| topics::is_valid_name(name))).await;
    }
    let answer = |name: String| MetadataResponseTopic {
        error_code: topics::missing(&name),
        is_internal: topics::is_internal(&name),
        name: Some(name),
        ..Default::default()
    };
    names.into_iter().map(answer).collect()
}

fn described(cluster: &Cluster, id: TopicId, topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0..).zip(&topic.partitions).map(|(index, partition)| of_partition(cluster, index, partition));
    MetadataResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: id.into(),
        is_internal: topics::is_internal(&topic.name),
        partitions: partitions.collect(),
        ..Default::default()
    }
}

fn of_partition(cluster: &Cluster, index: i32, partition: &Partition) -> MetadataResponsePartition {
    let leader = partition.leader.filter(|leader| cluster.live_endpoint(*leader).is_some());
    let offline = partition.replicas.iter().filter(|broker| cluster.live_endpoint(**broker).is_none());
    MetadataResponsePartition {
        error_code: if leader.is_some() { errors::NONE } else { errors::LEADER_NOT_AVAILABLE },
        partition_index: index,
        leader_id: leader.map_or(-1, |leader| leader.0),
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: numbers(&partition.replicas),
        isr_nodes: ids(&partition.isr),
        offline_replicas: offline.map(|broker| broker.0).collect(),
    }
}

/// Brokers as numbers.
pub fn numbers(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|broker| broker.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid([1; 16]);

    fn is_refused(version: i16, name: Option<&str>, topic_id: Uuid) -> bool {
        let fine = MetadataRequestTopic { name: Some("fine".to_owned()), ..Default::default() };
        let asked = MetadataRequestTopic { name: name.map(str::to_owned), topic_id };
        refused(version, &[fine, asked]).is_some_and(|refused| refused.topics.len() == 2)
    }

    #[test]
    fn ids_are_known_from_version_12_on() {
        assert!(is_refused(11, Some("a"), ID) && is_refused(11, None, ID) && is_refused(10, None, Uuid::ZERO));
        assert!(!is_refused(12, Some("a"), ID) && !is_refused(12, None, ID) && !is_refused(11, Some("a"), Uuid::ZERO));
        assert!(is_refused(12, None, Uuid::ZERO), "neither name nor id");
    }
}
