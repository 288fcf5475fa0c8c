//! ListOffsets and OffsetForLeaderEpoch: where a log begins, ends, and was at some time or epoch.
//!
//! Source: Kafka's `ReplicaManager.fetchOffset`, `UnifiedLog.fetchOffsetByTimestamp`, KIP-79, KIP-320, KIP-734.

use super::broker::BrokerService;
use super::errors;
use super::fetch::{READ_COMMITTED, READ_UNCOMMITTED};
use crate::node::cluster::Cluster;
use crate::node::partitions::Partition;
use crate::storage::{StorageError, TimestampOffset};
use crate::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
    ListOffsetsTopicResponse,
};
use crate::wire::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{ReadView, Reader};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, LeaderEpoch, Offset, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Kafka's replica id of a client.
const CONSUMER: i32 = -1;
/// Kafka's replica id of someone who looks at one copy, whether or not it leads.
const DEBUGGER: i32 = -2;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Latest,
    Earliest,
    MaxTimestamp,
    /// The last offset in remote storage, of which there is none.
    LatestTiered,
    /// The first record not older than so many milliseconds since 1970.
    At(i64),
}

impl Wanted {
    /// Reads Kafka's special timestamps; `None` for those that `version` does not have.
    fn parse(timestamp: i64, version: i16) -> Option<Self> {
        match timestamp {
            -1 => Some(Self::Latest),
            -2 => Some(Self::Earliest),
            -3 => (version >= 7).then_some(Self::MaxTimestamp),
            // Everything is local.
            -4 => (version >= 8).then_some(Self::Earliest),
            -5 => (version >= 9).then_some(Self::LatestTiered),
            -6 => (version >= 11).then_some(Self::LatestTiered),
            ..-6 => None,
            at => Some(Self::At(at)),
        }
    }
}

/// Answers, after reading logs where reading may block.
pub async fn answer(service: &BrokerService, version: i16, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let cluster = service.cluster.read();
    let reader = match request.replica_id {
        DEBUGGER => Reader::Debugger,
        ..=CONSUMER => Reader::Consumer,
        id => Reader::Follower(BrokerId(id)),
    };
    let mut topics = Vec::with_capacity(request.topics.len());
    for (name, asked) in by_topic(request.topics) {
        let mut partitions = Vec::with_capacity(asked.len());
        for (index, times) in asked {
            let found = match times[..] {
                [ref partition] if is_isolation_level(request.isolation_level) => {
                    find(service, &cluster, &name, partition, reader, version).await
                }
                _ => Err(errors::INVALID_REQUEST),
            };
            partitions.push(described(index, version, found));
        }
        topics.push(ListOffsetsTopicResponse { name, partitions });
    }
    ListOffsetsResponse { topics, ..Default::default() }
}

fn is_isolation_level(number: i8) -> bool {
    [READ_UNCOMMITTED, READ_COMMITTED].contains(&number)
}

/// What is asked of each partition of each topic. More than one question of one partition is an error.
fn by_topic(topics: Vec<ListOffsetsTopic>) -> BTreeMap<String, BTreeMap<i32, Vec<ListOffsetsPartition>>> {
    let mut all: BTreeMap<String, BTreeMap<i32, Vec<ListOffsetsPartition>>> = BTreeMap::new();
    for topic in topics {
        let of_topic = all.entry(topic.name).or_default();
        for partition in topic.partitions {
            of_topic.entry(partition.partition_index).or_default().push(partition);
        }
    }
    all
}

async fn find(
    service: &BrokerService,
    cluster: &Cluster,
    topic: &str,
    asked: &ListOffsetsPartition,
    reader: Reader,
    version: i16,
) -> Result<Option<TimestampOffset>, i16> {
    let wanted = Wanted::parse(asked.timestamp, version).ok_or(errors::UNSUPPORTED_VERSION)?;
    let hosted = hosted(service, cluster, topic, asked.partition_index).await?;
    look_up(service, hosted, reader, asked, wanted).await
}

async fn hosted(service: &BrokerService, cluster: &Cluster, topic: &str, index: i32) -> Result<Arc<Partition>, i16> {
    let (topic, _) = cluster.topic_named(topic).ok_or(errors::UNKNOWN_TOPIC_OR_PARTITION)?;
    service.hosted(cluster, TopicPartition { topic, index }).await
}

async fn look_up(
    service: &BrokerService,
    hosted: Arc<Partition>,
    reader: Reader,
    asked: &ListOffsetsPartition,
    wanted: Wanted,
) -> Result<Option<TimestampOffset>, i16> {
    let view = hosted.view.read();
    let leader_epoch = epoch(asked.current_leader_epoch);
    let code = |refusal: Refusal| refusal.code();
    let at_end = |offset, leader_epoch| Some(TimestampOffset { offset, timestamp: -1, leader_epoch });
    match wanted {
        Wanted::Latest => {
            let offset = view.latest(&service.rules, reader, leader_epoch).map_err(code)?;
            Ok(at_end(offset, view.leader_epoch))
        }
        Wanted::Earliest => {
            let offset = view.earliest(&service.rules, reader, leader_epoch).map_err(code)?;
            Ok(at_end(offset, epoch_at_start(&view)))
        }
        Wanted::LatestTiered => {
            view.earliest(&service.rules, reader, leader_epoch).map_err(code)?;
            Ok(None)
        }
        Wanted::MaxTimestamp | Wanted::At(_) => {
            let upto = view.latest(&service.rules, reader, leader_epoch).map_err(code)?;
            let reading = tokio::task::spawn_blocking(move || match wanted {
                Wanted::At(at) => hosted.reader.offset_for_timestamp(at, view.log_start, upto),
                _ => hosted.reader.offset_of_max_timestamp(view.log_start, upto),
            });
            reading.await.expect("reading a log does not panic").map_err(unreadable)
        }
    }
}

fn unreadable(error: StorageError) -> i16 {
    tracing::error!(%error, "a log can't be read");
    errors::STORAGE_ERROR
}

/// The leader epoch of the first record, if the epochs reach back to it.
fn epoch_at_start(view: &ReadView) -> Option<LeaderEpoch> {
    view.epochs.entries().first().filter(|first| first.start <= view.log_start).map(|first| first.epoch)
}

fn described(
    partition_index: i32,
    version: i16,
    found: Result<Option<TimestampOffset>, i16>,
) -> ListOffsetsPartitionResponse {
    let nothing = ListOffsetsPartitionResponse { partition_index, timestamp: -1, offset: -1, ..Default::default() };
    match found {
        Ok(Some(found)) => ListOffsetsPartitionResponse {
            timestamp: found.timestamp,
            offset: found.offset.0,
            leader_epoch: found.leader_epoch.map_or(-1, |epoch| epoch.0),
            ..nothing
        },
        Ok(None) => nothing,
        // Before version 5 clients don't know the code.
        Err(errors::OFFSET_NOT_AVAILABLE) if version < 5 => {
            ListOffsetsPartitionResponse { error_code: errors::LEADER_NOT_AVAILABLE, ..nothing }
        }
        Err(error_code) => ListOffsetsPartitionResponse { error_code, ..nothing },
    }
}

/// OffsetForLeaderEpoch: where an epoch ends, for whoever looks for the place where two logs part.
pub async fn end_of_epochs(
    service: &BrokerService,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let cluster = service.cluster.read();
    let reader = match request.replica_id {
        ..0 => Reader::Consumer,
        id => Reader::Follower(BrokerId(id)),
    };
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let (current, wanted) = (epoch(asked.current_leader_epoch), epoch(asked.leader_epoch));
            let found = hosted(service, &cluster, &topic.topic, asked.partition).await;
            let end =
                found.and_then(|hosted| end_of_epoch(&service.rules, &hosted.view.read(), reader, current, wanted));
            let nothing =
                EpochEndOffset { partition: asked.partition, leader_epoch: -1, end_offset: -1, ..Default::default() };
            partitions.push(match end {
                Ok(Some((epoch, end))) => EpochEndOffset { leader_epoch: epoch.0, end_offset: end.0, ..nothing },
                Ok(None) => nothing,
                Err(error_code) => EpochEndOffset { error_code, ..nothing },
            });
        }
        topics.push(OffsetForLeaderTopicResult { topic: topic.topic, partitions });
    }
    OffsetForLeaderEpochResponse { topics, ..Default::default() }
}

fn end_of_epoch(
    rules: &Rules,
    view: &ReadView,
    reader: Reader,
    current: Option<LeaderEpoch>,
    wanted: Option<LeaderEpoch>,
) -> Result<Option<(LeaderEpoch, Offset)>, i16> {
    // Asked without an epoch, only the fencing counts.
    let end = view.end_of_epoch(rules, reader, current, wanted.unwrap_or(LeaderEpoch(0))).map_err(Refusal::code)?;
    Ok(end.filter(|_| wanted.is_some()).map(|end| (end.epoch, end.end)))
}

/// −1 is none; anything else is fenced like any epoch.
fn epoch(number: i32) -> Option<LeaderEpoch> {
    (number != -1).then_some(LeaderEpoch(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_times_belong_to_versions() {
        assert_eq!(Wanted::parse(-3, 6), None);
        assert_eq!(Wanted::parse(-3, 7), Some(Wanted::MaxTimestamp));
        assert_eq!(Wanted::parse(-6, 10), None);
        assert_eq!([Wanted::parse(-7, 11), Wanted::parse(i64::MIN, 11)], [None, None], "no times yet");
        assert_eq!(Wanted::parse(0, 1), Some(Wanted::At(0)));
    }

    #[test]
    fn questions_of_one_partition_come_together() {
        let topic = |name: &str, indexes: &[i32]| {
            let partition = |index: &i32| ListOffsetsPartition { partition_index: *index, ..Default::default() };
            ListOffsetsTopic { name: name.to_owned(), partitions: indexes.iter().map(partition).collect() }
        };
        let asked = by_topic(vec![topic("a", &[0, 1]), topic("b", &[0]), topic("a", &[0])]);
        let times = |name: &str| asked[name].values().map(Vec::len).collect::<Vec<_>>();
        assert_eq!((times("a"), times("b")), (vec![2, 1], vec![1]));
    }
}
