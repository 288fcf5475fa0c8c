//! OffsetFetch: how far groups have come.
//!
//! Until version 7 there is one group, from 8 on there are several (KIP-709): here there always are.

use crate::carrier::Durable;
use crate::node::handlers::broker::BrokerService;
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use highwater_spec::group::{
    CommittedOffset, FetchedOffsets, GroupEpoch, GroupId, NamedPartition, Reader, Reply, Request, TopicName,
};
use highwater_spec::refusal::Refusal;
use std::collections::BTreeMap;

/// From this version on, the answer as a whole has an error code.
const TOP_LEVEL_ERROR: i16 = 2;
/// From this version on, there are several groups.
const BATCHED: i16 = 8;

/// Answers for one group or several.
pub async fn answer(service: &BrokerService, version: i16, request: OffsetFetchRequest) -> OffsetFetchResponse {
    let require_stable = request.require_stable;
    let mut groups = Vec::new();
    for asked in groups_of(version, request) {
        let id: GroupId = asked.group_id.as_str().into();
        let reader = Reader {
            member: asked.member_id.as_deref().map(Into::into),
            epoch: (asked.member_epoch >= 0).then_some(GroupEpoch(asked.member_epoch)),
        };
        let outcome = fetch(service, id, reader, asked.topics.as_deref(), require_stable).await;
        groups.push(of_group(version, asked, outcome));
    }
    if version >= BATCHED {
        return OffsetFetchResponse { groups, ..Default::default() };
    }
    let only = groups.into_iter().next().unwrap_or_default();
    let topics = only.topics.into_iter().map(|topic| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(alone).collect(),
    });
    OffsetFetchResponse { topics: topics.collect(), error_code: only.error_code, ..Default::default() }
}

fn groups_of(version: i16, request: OffsetFetchRequest) -> Vec<OffsetFetchRequestGroup> {
    if version >= BATCHED {
        return request.groups;
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topics.collect()
    });
    vec![OffsetFetchRequestGroup { group_id: request.group_id, topics, ..Default::default() }]
}

async fn fetch(
    service: &BrokerService,
    group: GroupId,
    reader: Reader,
    topics: Option<&[OffsetFetchRequestTopics]>,
    require_stable: bool,
) -> Result<FetchedOffsets<Durable>, Refusal> {
    let partitions: Option<Vec<_>> = topics.map(|topics| {
        let named = |topic: &OffsetFetchRequestTopics| {
            let name = TopicName::from(topic.name.as_str());
            let of = |index: &i32| NamedPartition { topic: name.clone(), index: *index };
            topic.partition_indexes.iter().map(of).collect::<Vec<_>>()
        };
        topics.iter().flat_map(named).collect()
    });
    if require_stable {
        return match service.groups.ask(group, Request::FetchStableOffsets { reader, partitions }).await {
            Reply::FetchOffsets(outcome) => outcome,
            _ => Err(Refusal::UnknownServerError),
        };
    }
    let of = group.clone();
    service.groups.look(&group, move |coordinator| coordinator.fetch_offsets(&reader, &of, partitions.as_deref())).await
}

fn of_group(
    version: i16,
    asked: OffsetFetchRequestGroup,
    outcome: Result<FetchedOffsets<Durable>, Refusal>,
) -> OffsetFetchResponseGroup {
    let group_id = asked.group_id;
    match outcome {
        Ok(offsets) => {
            let topics = match asked.topics {
                Some(asked) => as_asked(asked, offsets),
                None => by_topic(offsets),
            };
            OffsetFetchResponseGroup { group_id, topics, error_code: 0 }
        }
        Err(refusal) if version >= TOP_LEVEL_ERROR => {
            OffsetFetchResponseGroup { group_id, topics: Vec::new(), error_code: refusal.code() }
        }
        Err(refusal) => {
            let refused = |index| partition(index, None, refusal.code());
            let topics = asked.topics.into_iter().flatten().map(|topic| OffsetFetchResponseTopics {
                partitions: topic.partition_indexes.into_iter().map(refused).collect(),
                name: topic.name,
                ..Default::default()
            });
            OffsetFetchResponseGroup { group_id, topics: topics.collect(), error_code: 0 }
        }
    }
}

/// Topic by topic as the request names them, be it without a partition.
fn as_asked(asked: Vec<OffsetFetchRequestTopics>, offsets: FetchedOffsets<Durable>) -> Vec<OffsetFetchResponseTopics> {
    let found: BTreeMap<_, _> = offsets.into_iter().collect();
    let of_topic = |topic: OffsetFetchRequestTopics| {
        let name = TopicName::from(topic.name.as_str());
        let of = |index| {
            let committed = found.get(&NamedPartition { topic: name.clone(), index }).cloned().flatten();
            partition(index, committed, 0)
        };
        let partitions = topic.partition_indexes.into_iter().map(of).collect();
        OffsetFetchResponseTopics { name: topic.name, partitions, ..Default::default() }
    };
    asked.into_iter().map(of_topic).collect()
}

fn by_topic(offsets: FetchedOffsets<Durable>) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: BTreeMap<String, Vec<OffsetFetchResponsePartitions>> = BTreeMap::new();
    for (NamedPartition { topic, index }, committed) in offsets {
        topics.entry(topic.to_string()).or_default().push(partition(index, committed, 0));
    }
    let topics = topics.into_iter();
    topics.map(|(name, partitions)| OffsetFetchResponseTopics { name, partitions, ..Default::default() }).collect()
}

fn partition(
    index: i32,
    committed: Option<CommittedOffset<Durable>>,
    error_code: i16,
) -> OffsetFetchResponsePartitions {
    let metadata = committed.as_ref().and_then(|committed| committed.metadata.as_deref()).unwrap_or_default();
    OffsetFetchResponsePartitions {
        partition_index: index,
        committed_offset: committed.as_ref().map_or(-1, |committed| committed.offset.0),
        committed_leader_epoch: committed.as_ref().and_then(|known| known.leader_epoch).map_or(-1, |epoch| epoch.0),
        metadata: Some(String::from_utf8_lossy(metadata).into_owned()),
        error_code,
    }
}

fn alone(of: OffsetFetchResponsePartitions) -> OffsetFetchResponsePartition {
    OffsetFetchResponsePartition {
        partition_index: of.partition_index,
        committed_offset: of.committed_offset,
        committed_leader_epoch: of.committed_leader_epoch,
        metadata: of.metadata,
        error_code: of.error_code,
    }
}
