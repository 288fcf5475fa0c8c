//! OffsetCommit and OffsetDelete: each partition is answered by itself, those that do not exist without the coordinator.

use super::{generation, member};
use crate::node::cluster::Cluster;
use crate::node::handlers::broker::BrokerService;
use crate::node::handlers::errors;
use crate::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use crate::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use bytes::Bytes;
use highwater_spec::group::{CommitOffsets, GroupId, NamedPartition, OffsetToCommit, PartitionResults, Reply, Request};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{LeaderEpoch, Offset, TopicPartition};
use std::collections::BTreeMap;
use tokio::time::timeout;

/// From this version of OffsetCommit on, a group that does not exist is called that.
const GROUP_ID_NOT_FOUND: i16 = 9;

/// Each partition's error code.
type Codes = BTreeMap<NamedPartition, i16>;

/// OffsetCommit.
pub async fn commit(service: &BrokerService, version: i16, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let cluster = service.cluster.read();
    let mut offsets = Vec::new();
    for topic in &request.topics {
        let found =
            topic.partitions.iter().filter(|partition| exists(&cluster, &topic.name, partition.partition_index));
        offsets.extend(found.map(|partition| (named(&topic.name, partition.partition_index), to_commit(partition))));
    }
    let codes = if offsets.is_empty() {
        Codes::new()
    } else {
        let known: Vec<_> = offsets.iter().map(|(partition, _)| partition.clone()).collect();
        let commit = CommitOffsets {
            member: member(&request.member_id, request.group_instance_id.as_deref()),
            generation: generation(request.generation_id_or_member_epoch),
            knows_group_id_not_found: version >= GROUP_ID_NOT_FOUND,
            offsets,
        };
        match ask(service, request.group_id.as_str().into(), Request::CommitOffsets(commit)).await {
            Ok(results) => codes(results),
            Err(refusal) => known.into_iter().map(|partition| (partition, refusal.code())).collect(),
        }
    };
    let topics = request.topics.into_iter().filter(|topic| !topic.partitions.is_empty());
    let topics = topics.map(|topic| OffsetCommitResponseTopic {
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: code_of(&codes, &topic.name, partition.partition_index),
            })
            .collect(),
        name: topic.name,
        ..Default::default()
    });
    OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

fn to_commit(partition: &OffsetCommitRequestPartition) -> OffsetToCommit<crate::carrier::Durable> {
    let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
    // Java counts UTF-16.
    let length = u32::try_from(metadata.encode_utf16().count()).unwrap_or(u32::MAX);
    let epoch = partition.committed_leader_epoch;
    OffsetToCommit {
        offset: Offset(partition.committed_offset),
        leader_epoch: (epoch != -1).then_some(LeaderEpoch(epoch)),
        metadata: (!metadata.is_empty()).then(|| Bytes::copy_from_slice(metadata.as_bytes())),
        metadata_length: length,
    }
}

/// OffsetDelete.
pub async fn delete(service: &BrokerService, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let cluster = service.cluster.read();
    let mut partitions = Vec::new();
    for topic in &request.topics {
        let found = topic.partitions.iter().map(|partition| partition.partition_index);
        let found = found.filter(|index| exists(&cluster, &topic.name, *index));
        partitions.extend(found.map(|index| named(&topic.name, index)));
    }
    let outcome = ask(service, request.group_id.as_str().into(), Request::DeleteOffsets { partitions }).await;
    let codes = match outcome {
        Ok(results) => codes(results),
        Err(refusal) => return OffsetDeleteResponse { error_code: refusal.code(), ..Default::default() },
    };
    let topics = request.topics.into_iter().filter(|topic| !topic.partitions.is_empty());
    let topics = topics.map(|topic| OffsetDeleteResponseTopic {
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetDeleteResponsePartition {
                partition_index: partition.partition_index,
                error_code: code_of(&codes, &topic.name, partition.partition_index),
            })
            .collect(),
        name: topic.name,
    });
    OffsetDeleteResponse { topics: topics.collect(), ..Default::default() }
}

/// Asks for a write, and waits for it as long as `offsets.commit.timeout.ms` allows; it may succeed later all the same.
async fn ask(service: &BrokerService, group: GroupId, request: Request<crate::carrier::Durable>) -> PartitionResults {
    match timeout(service.config.offsets_commit_timeout, service.groups.ask(group, request)).await {
        Ok(Reply::CommitOffsets(results) | Reply::DeleteOffsets(results)) => results,
        Ok(_) => Err(Refusal::UnknownServerError),
        Err(_) => Err(Refusal::CoordinatorNotAvailable),
    }
}

fn codes(results: Vec<(NamedPartition, Result<(), Refusal>)>) -> Codes {
    results.into_iter().map(|(partition, outcome)| (partition, super::code(&outcome))).collect()
}

/// What the coordinator said of a partition; it was not asked about those that do not exist.
fn code_of(codes: &Codes, topic: &str, index: i32) -> i16 {
    codes.get(&named(topic, index)).copied().unwrap_or(errors::UNKNOWN_TOPIC_OR_PARTITION)
}

fn named(topic: &str, index: i32) -> NamedPartition {
    NamedPartition { topic: topic.into(), index }
}

fn exists(cluster: &Cluster, topic: &str, index: i32) -> bool {
    let found = cluster.topic_named(topic).map(|(topic, _)| TopicPartition { topic, index });
    found.and_then(|id| cluster.partition(id)).is_some()
}
