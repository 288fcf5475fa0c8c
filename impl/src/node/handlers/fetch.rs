//! Fetch: records for consumers and followers, from the published views and the logs' readers.
//!
//! A fetch that finds too little waits until something is published, and asks again. A follower's position is taken
//! from its first ask. There are no fetch sessions (KIP-227): every answer says so, and clients then name every
//! partition each time.
//!
//! Source: Kafka's `KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`, `DelayedFetch`.

use super::broker::BrokerService;
use super::errors;
use crate::node::cluster::Cluster;
use crate::node::partitions::Partition;
use crate::node::shard::Event;
use crate::wire::messages::fetch::{
    EpochEndOffset, FetchPartition, FetchRequest, FetchResponse, FetchTopic, FetchableTopicResponse, LeaderIdAndEpoch,
    NodeEndpoint, PartitionData,
};
use bytes::Bytes;
use highwater_spec::replica::{Answer, Ask, FollowerFetch, Reader};
use highwater_spec::values::{BrokerEpoch, BrokerId, LeaderEpoch, Offset, TopicId, TopicPartition};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// From this version on, topics go by id.
const BY_ID: i16 = 13;
/// Kafka's number for a reader that wants no record of an aborted transaction.
const READ_COMMITTED: i8 = 1;
/// Kafka's number for the epoch of a fetch without a session.
const NO_SESSION: i32 = -1;
/// Kafka's number for the epoch of the first fetch of a session.
const NEW_SESSION: i32 = 0;
/// Kafka's replica id of someone who looks at one copy, whether or not it leads.
const DEBUGGER: i32 = -2;

/// One partition that is asked for.
struct Asked {
    index: i32,
    target: Result<(Arc<Partition>, Ask), i16>,
    max_bytes: usize,
}

/// What one look found.
struct Found {
    partitions: Vec<PartitionData>,
    /// How many bytes of records.
    bytes: usize,
    /// Whether some partition has something else to say than records.
    settled: bool,
}

/// Answers a consumer or a follower, after at most the time that it allows.
pub async fn answer(service: &BrokerService, version: i16, mut request: FetchRequest) -> FetchResponse {
    request.topics = last_of_each(request.topics);
    if request.session_epoch != NO_SESSION && request.session_epoch != NEW_SESSION {
        return FetchResponse { error_code: errors::FETCH_SESSION_ID_NOT_FOUND, ..Default::default() };
    }
    let replica = match version {
        ..15 => request.replica_id,
        _ => request.replica_state.replica_id,
    };
    let reader = reader(replica);
    let asked = asked(service, version, &request, reader).await;
    if let Reader::Follower(follower) = reader {
        let epoch = Some(request.replica_state.replica_epoch).filter(|epoch| version >= 15 && *epoch >= 0);
        note_positions(service, &asked, follower, epoch.map(BrokerEpoch));
    }
    let most = usize::try_from(request.max_bytes).unwrap_or(0).min(service.config.fetch_max_bytes as usize);
    let enough = usize::try_from(request.min_bytes).unwrap_or(0).min(most);
    let deadline = Instant::now() + Duration::from_millis(request.max_wait_ms.max(0).unsigned_abs().into());
    let mut found = look_until(service, asked, most, enough, deadline).await;
    if request.isolation_level == READ_COMMITTED {
        name_no_aborted(&mut found.partitions);
    }
    respond(service, version, request, found)
}

/// A partition that is named twice is asked for as said last, as in Kafka.
fn last_of_each(topics: Vec<FetchTopic>) -> Vec<FetchTopic> {
    let mut merged: Vec<FetchTopic> = Vec::with_capacity(topics.len());
    for topic in topics {
        let same = |known: &&mut FetchTopic| known.topic == topic.topic && known.topic_id == topic.topic_id;
        match merged.iter_mut().rev().find(same) {
            Some(known) => known.partitions.extend(topic.partitions),
            None => merged.push(topic),
        }
    }
    for topic in &mut merged {
        let mut kept: Vec<FetchPartition> = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions.drain(..) {
            match kept.iter_mut().find(|known| known.partition == partition.partition) {
                Some(known) => *known = partition,
                None => kept.push(partition),
            }
        }
        topic.partitions = kept;
    }
    merged
}

fn reader(replica: i32) -> Reader {
    match replica {
        DEBUGGER => Reader::Debugger,
        ..0 => Reader::Consumer,
        id => Reader::Follower(BrokerId(id)),
    }
}

async fn asked(service: &BrokerService, version: i16, request: &FetchRequest, reader: Reader) -> Vec<Asked> {
    let cluster = service.cluster.read();
    let mut all = Vec::new();
    for topic in &request.topics {
        let id = find(&cluster, version, &topic.topic, topic.topic_id.into());
        for partition in &topic.partitions {
            let hosted = match id {
                Ok(topic) => service.hosted(&cluster, TopicPartition { topic, index: partition.partition }).await,
                Err(code) => Err(code),
            };
            let target = hosted.map(|hosted| (hosted, ask(reader, partition)));
            let max_bytes = usize::try_from(partition.partition_max_bytes).unwrap_or(0);
            all.push(Asked { index: partition.partition, target, max_bytes });
        }
    }
    all
}

fn find(cluster: &Cluster, version: i16, name: &str, id: TopicId) -> Result<TopicId, i16> {
    if version >= BY_ID {
        cluster.topic(id).map(|_| id).ok_or(errors::UNKNOWN_TOPIC_ID)
    } else {
        cluster.topic_named(name).map(|(id, _)| id).ok_or(errors::UNKNOWN_TOPIC_OR_PARTITION)
    }
}

fn ask(reader: Reader, partition: &FetchPartition) -> Ask {
    let epoch = |epoch: i32| (epoch >= 0).then_some(LeaderEpoch(epoch));
    Ask {
        reader,
        leader_epoch: epoch(partition.current_leader_epoch),
        offset: Offset(partition.fetch_offset),
        last_fetched_epoch: epoch(partition.last_fetched_epoch),
    }
}

fn note_positions(service: &BrokerService, asked: &[Asked], replica: BrokerId, broker_epoch: Option<BrokerEpoch>) {
    let at = Instant::now();
    for (partition, ask) in asked.iter().filter_map(|asked| asked.target.as_ref().ok()) {
        let fetch = FollowerFetch {
            replica,
            broker_epoch,
            leader_epoch: ask.leader_epoch,
            offset: ask.offset,
            last_fetched_epoch: ask.last_fetched_epoch,
            at,
        };
        service.shards.send(partition.id, Event::FollowerFetched(partition.id, fetch));
    }
}

/// Looks, and looks again whenever something is published, until there is enough or the time is up.
async fn look_until(
    service: &BrokerService,
    asked: Vec<Asked>,
    most: usize,
    enough: usize,
    deadline: Instant,
) -> Found {
    let mut asked = asked;
    let is_enough = |found: &Found| found.settled || found.bytes >= enough || Instant::now() >= deadline;
    let mut found;
    (asked, found) = look(service, asked, most).await;
    if is_enough(&found) {
        return found;
    }
    // First registered, then looked again: what is published in between is not missed.
    let woken = Arc::new(Notify::new());
    let parked = asked.iter().filter_map(|asked| asked.target.as_ref().ok());
    let parked: Vec<_> = parked.map(|(partition, _)| partition.parked.register(Arc::clone(&woken) as Arc<_>)).collect();
    loop {
        (asked, found) = look(service, asked, most).await;
        if is_enough(&found) {
            break;
        }
        // Past the deadline it looks once more: that is the answer.
        let _ = tokio::time::timeout_at(deadline.into(), woken.notified()).await;
    }
    drop(parked);
    found
}

/// One look at every partition. Logs are read where reading may block.
async fn look(service: &BrokerService, asked: Vec<Asked>, most: usize) -> (Vec<Asked>, Found) {
    let rules = service.rules;
    let answers: Vec<_> = asked
        .iter()
        .map(|asked| {
            asked.target.as_ref().map_err(|code| *code).map(|(found, ask)| found.view.read().answer(&rules, ask))
        })
        .collect();
    let any_records = answers.iter().any(|answer| matches!(answer, Ok(Answer::Read { from, upto, .. }) if from < upto));
    if !any_records {
        let found = gather(&asked, &answers, 0);
        return (asked, found);
    }
    let reading = tokio::task::spawn_blocking(move || {
        let found = gather(&asked, &answers, most);
        (asked, found)
    });
    reading.await.expect("reading a log does not panic")
}

fn gather(asked: &[Asked], answers: &[Result<Answer, i16>], most: usize) -> Found {
    let mut found = Found { partitions: Vec::with_capacity(asked.len()), bytes: 0, settled: asked.is_empty() };
    for (asked, answer) in asked.iter().zip(answers) {
        let data = match (&asked.target, answer) {
            (Ok((partition, _)), Ok(answer)) => {
                let left = most.saturating_sub(found.bytes).min(asked.max_bytes);
                of_answer(asked.index, partition, *answer, left, found.bytes == 0)
            }
            (_, Err(code)) | (Err(code), _) => refused(asked.index, *code),
        };
        found.bytes += data.records.as_ref().map_or(0, Bytes::len);
        found.settled |= data.error_code != errors::NONE || data.diverging_epoch.end_offset >= 0;
        found.partitions.push(data);
    }
    found
}

/// `first`: nothing was read yet, so that even a batch larger than what is allowed is read, lest it never be.
fn of_answer(index: i32, partition: &Partition, answer: Answer, left: usize, first: bool) -> PartitionData {
    let (from, upto, high_watermark) = match answer {
        Answer::Read { from, upto, high_watermark } => (from, upto, high_watermark),
        Answer::Diverging(end) => {
            let diverging_epoch = EpochEndOffset { epoch: end.epoch.0, end_offset: end.end.0 };
            return PartitionData {
                partition_index: index,
                diverging_epoch,
                records: Some(Bytes::new()),
                ..Default::default()
            };
        }
        Answer::Refused(refusal) => return refused(index, refusal.code()),
    };
    let records = match from < upto && (left > 0 || first) {
        true => partition.reader.read(from, upto, left, first),
        false => Ok(Bytes::new()),
    };
    match records {
        Ok(records) => PartitionData {
            partition_index: index,
            high_watermark: high_watermark.0,
            last_stable_offset: high_watermark.0,
            log_start_offset: partition.view.read().log_start.0,
            records: Some(records),
            ..Default::default()
        },
        Err(error) => {
            tracing::error!(partition = %partition.name, %error, "a log can't be read");
            refused(index, errors::STORAGE_ERROR)
        }
    }
}

/// There are no transactions yet, and so none that was aborted.
fn name_no_aborted(partitions: &mut [PartitionData]) {
    let read = partitions.iter_mut().filter(|data| data.error_code == errors::NONE);
    read.for_each(|data| data.aborted_transactions = Some(Vec::new()));
}

fn refused(index: i32, code: i16) -> PartitionData {
    PartitionData {
        partition_index: index,
        error_code: code,
        high_watermark: -1,
        records: Some(Bytes::new()),
        ..Default::default()
    }
}

fn respond(service: &BrokerService, version: i16, request: FetchRequest, found: Found) -> FetchResponse {
    let mut response = FetchResponse::default();
    let mut partitions = found.partitions.into_iter();
    let cluster = service.cluster.read();
    for topic in request.topics {
        let id = find(&cluster, version, &topic.topic, topic.topic_id.into());
        let mut of_topic: Vec<_> = partitions.by_ref().take(topic.partitions.len()).collect();
        if let Ok(id) = id {
            name_leaders(&cluster, id, &mut of_topic, &mut response.node_endpoints);
        }
        response.responses.push(FetchableTopicResponse {
            topic: topic.topic,
            topic_id: topic.topic_id,
            partitions: of_topic,
        });
    }
    response
}

/// KIP-951: who was wrong about a leader hears who it is.
fn name_leaders(
    cluster: &Cluster,
    topic: TopicId,
    partitions: &mut [PartitionData],
    endpoints: &mut Vec<NodeEndpoint>,
) {
    let fenced = highwater_spec::refusal::Refusal::FencedLeaderEpoch.code();
    let wrong = |data: &&mut PartitionData| [errors::NOT_LEADER_OR_FOLLOWER, fenced].contains(&data.error_code);
    for data in partitions.iter_mut().filter(wrong) {
        let found = cluster.partition(TopicPartition { topic, index: data.partition_index });
        let Some((leader, epoch)) = found.and_then(|found| Some((found.leader?, found.leader_epoch))) else { continue };
        data.current_leader = LeaderIdAndEpoch { leader_id: leader.0, leader_epoch: epoch.0 };
        let known = endpoints.iter().any(|endpoint| endpoint.node_id == leader.0);
        if let Some(endpoint) = cluster.live_endpoint(leader).filter(|_| !known) {
            let (host, port) = (endpoint.host.clone(), endpoint.port.into());
            endpoints.push(NodeEndpoint { node_id: leader.0, host, port, rack: None });
        }
    }
}
