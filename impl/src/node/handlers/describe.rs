//! DescribeCluster and DescribeTopicPartitions.
//!
//! Source: KIP-700, KIP-966; Kafka's `AuthHelper.computeDescribeClusterResponse`,
//! `DescribeTopicPartitionsRequestHandler`.

use super::broker::BrokerService;
use super::metadata::{CLUSTER_OPERATIONS, TOPIC_OPERATIONS, numbers};
use super::{errors, topics};
use crate::node::cluster::Cluster;
use crate::node::metadata_records::ids;
use crate::wire::messages::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};
use crate::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use highwater_spec::controller::{Partition, Topic};
use highwater_spec::values::TopicId;
use std::collections::BTreeSet;

/// Kafka's number for brokers' endpoints.
pub const BROKERS: i8 = 1;
/// Kafka's number for controllers' endpoints.
pub const CONTROLLERS: i8 = 2;
/// `max.request.partition.size.limit`.
const MOST_PARTITIONS: i32 = 2000;

/// Whether a request came to the kind of endpoint that it was meant for, or the answer that says that it did not.
pub fn meant_for(kind: i8, version: i16, request: &DescribeClusterRequest) -> Result<(), DescribeClusterResponse> {
    let (code, message) = match request.endpoint_type {
        asked if asked == kind => return Ok(()),
        BROKERS | CONTROLLERS => (errors::MISMATCHED_ENDPOINT_TYPE, "this endpoint is of the other kind"),
        _ => (errors::UNSUPPORTED_ENDPOINT_TYPE, "there are brokers' endpoints (1) and controllers' (2)"),
    };
    let error_code = if version == 0 { errors::INVALID_REQUEST } else { code };
    Err(DescribeClusterResponse { error_code, error_message: Some(message.to_owned()), ..Default::default() })
}

/// Which brokers there are.
pub fn cluster(service: &BrokerService, version: i16, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    if let Err(refused) = meant_for(BROKERS, version, request) {
        return refused;
    }
    let cluster = service.cluster.read();
    let brokers = cluster.image.brokers.iter().filter(|(_, known)| !known.fenced || request.include_fenced_brokers);
    let brokers = brokers.filter_map(|(broker, known)| {
        let endpoint = cluster.endpoint(*broker)?;
        Some(DescribeClusterBroker {
            broker_id: broker.0,
            host: endpoint.host.clone(),
            port: endpoint.port.into(),
            rack: None,
            is_fenced: known.fenced,
        })
    });
    let cluster_authorized_operations = match request.include_cluster_authorized_operations {
        true => CLUSTER_OPERATIONS,
        false => i32::MIN,
    };
    DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: service.cluster_id.clone(),
        controller_id: cluster.live_endpoint(service.me).map_or(-1, |_| service.me.0),
        brokers: brokers.collect(),
        cluster_authorized_operations,
        ..Default::default()
    }
}

/// Partitions with their ELRs, in the order of names, so many at a time.
pub fn topic_partitions(
    service: &BrokerService,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let cluster = service.cluster.read();
    let all = request.topics.is_empty();
    let mut names: BTreeSet<String> = match all {
        true => cluster.topics_by_name().into_keys().map(str::to_owned).collect(),
        false => request.topics.into_iter().map(|topic| topic.name).collect(),
    };
    let mut first = 0;
    if let Some(cursor) = &request.cursor {
        if cursor.partition_index < 0 || (!all && !names.contains(&cursor.topic_name)) {
            return bad_cursor(names);
        }
        names = names.split_off(&cursor.topic_name);
        first = if names.contains(&cursor.topic_name) { cursor.partition_index } else { 0 };
    }
    let mut left = request.response_partition_limit.clamp(1, MOST_PARTITIONS);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        let Some((id, topic)) = cluster.topic_named(&name) else {
            response.topics.push(unknown(name));
            first = 0;
            continue;
        };
        if left == 0 {
            response.next_cursor = Some(Cursor { topic_name: name, partition_index: 0 });
            break;
        }
        let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        let upto = count.min(first.saturating_add(left));
        response.topics.push(described(&cluster, id, topic, first..upto));
        left -= (upto - first).max(0);
        if upto < count {
            response.next_cursor = Some(Cursor { topic_name: name, partition_index: upto });
            break;
        }
        first = 0;
    }
    response
}

/// A cursor that no answer to such a request could have given.
fn bad_cursor(names: BTreeSet<String>) -> DescribeTopicPartitionsResponse {
    let refused = |name| DescribeTopicPartitionsResponseTopic {
        error_code: errors::INVALID_REQUEST,
        name: Some(name),
        ..Default::default()
    };
    DescribeTopicPartitionsResponse { topics: names.into_iter().map(refused).collect(), ..Default::default() }
}

fn unknown(name: String) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: topics::missing(&name),
        is_internal: topics::is_internal(&name),
        name: Some(name),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..Default::default()
    }
}

fn described(
    cluster: &Cluster,
    id: TopicId,
    topic: &Topic,
    range: std::ops::Range<i32>,
) -> DescribeTopicPartitionsResponseTopic {
    let partitions = (0..).zip(&topic.partitions).filter(|(index, _)| range.contains(index));
    DescribeTopicPartitionsResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: id.into(),
        is_internal: topics::is_internal(&topic.name),
        partitions: partitions.map(|(index, partition)| of_partition(cluster, index, partition)).collect(),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..Default::default()
    }
}

fn of_partition(cluster: &Cluster, index: i32, partition: &Partition) -> DescribeTopicPartitionsResponsePartition {
    let leader = partition.leader.filter(|leader| cluster.live_endpoint(*leader).is_some());
    let offline = partition.replicas.iter().filter(|broker| cluster.live_endpoint(**broker).is_none());
    DescribeTopicPartitionsResponsePartition {
        error_code: if leader.is_some() { errors::NONE } else { errors::LEADER_NOT_AVAILABLE },
        partition_index: index,
        leader_id: leader.map_or(-1, |leader| leader.0),
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: numbers(&partition.replicas),
        isr_nodes: ids(&partition.isr),
        eligible_leader_replicas: Some(ids(&partition.elr)),
        last_known_elr: Some(partition.last_known_leader.iter().map(|leader| leader.0).collect()),
        offline_replicas: offline.map(|broker| broker.0).collect(),
    }
}
