//! What a consumer hears of its topics: how many partitions they have, and who leads them.

use crate::client::{Client, ClientError, ErrorCode};
use crate::wire::messages::metadata::{MetadataResponsePartition, MetadataResponseTopic};
use highwater_spec::assignor::Topics;
use highwater_spec::client::consumer::Leader;
use highwater_spec::group::{NamedPartition, TopicName};
use highwater_spec::values::{LeaderEpoch, TopicId};
use std::collections::{BTreeMap, BTreeSet};

/// These topics; one that does not exist is not there.
pub(super) async fn described(
    client: &mut Client,
    topics: &BTreeSet<TopicName>,
) -> Result<Vec<MetadataResponseTopic>, ClientError> {
    let names: Vec<_> = topics.iter().map(|name| &*name.0).collect();
    let mut found = client.metadata(Some(&names)).await?.topics;
    found.retain(|topic| ErrorCode(topic.error_code) == ErrorCode::NONE);
    Ok(found)
}

/// How many partitions they have.
pub(super) fn topics_of(topics: &[MetadataResponseTopic]) -> Topics {
    let count = |topic: &MetadataResponseTopic| u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX);
    topics.iter().map(|topic| (name(topic), count(topic))).collect()
}

/// Who leads their partitions; those that nobody leads are not there.
pub(super) fn leaders_of(topics: &[MetadataResponseTopic]) -> BTreeMap<NamedPartition, Leader> {
    let of_topic = |topic: &MetadataResponseTopic| {
        let (name, id) = (name(topic), TopicId(topic.topic_id.0));
        let led = topic.partitions.iter().filter(|partition| partition.leader_id >= 0);
        let leader = move |partition: &MetadataResponsePartition| {
            let epoch = Some(LeaderEpoch(partition.leader_epoch)).filter(|epoch| epoch.0 >= 0);
            let of = NamedPartition { topic: name.clone(), index: partition.partition_index };
            (of, Leader { topic: id, epoch })
        };
        led.map(leader).collect::<Vec<_>>()
    };
    topics.iter().flat_map(of_topic).collect()
}

fn name(topic: &MetadataResponseTopic) -> TopicName {
    topic.name.as_deref().unwrap_or_default().into()
}
