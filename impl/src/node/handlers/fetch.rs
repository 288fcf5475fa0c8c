//! Fetch: records for consumers and followers, from the published views and the logs' readers.
//!
//! A fetch that finds too little waits until something is published, and asks again. A follower's position is taken
//! from its first ask. There are no fetch sessions (KIP-227): every answer says so, and clients then name every
//! partition each time.
//!
//! Source: Kafka's `KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`, `DelayedFetch`.

use super::broker::BrokerService;
use super::duplicates::last_of_each;
use super::errors;
use super::looking::{LookedAt, until_found};
use crate::cells::Registration;
use crate::door::{Looking, Patience, Place};
use crate::node::cluster::Cluster;
use crate::node::partitions::Partition;
use crate::node::shard::Event;
use crate::wire::messages::fetch::{
    EpochEndOffset, FetchPartition, FetchRequest, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch,
    NodeEndpoint, PartitionData,
};
use bytes::Bytes;
use highwater_spec::replica::{Answer, Ask, FollowerFetch, ReadView, Reader};
use highwater_spec::values::{BrokerEpoch, BrokerId, LeaderEpoch, Offset, TopicId, TopicPartition};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// From this version on, topics go by id.
const BY_ID: i16 = 13;
/// From this version on, leaders are named to who was wrong about one (KIP-951).
const WITH_LEADERS: i16 = 16;
/// Kafka's number for a reader that sees everything committed to the log.
pub const READ_UNCOMMITTED: i8 = 0;
/// Kafka's number for a reader that wants no record of an aborted transaction.
pub const READ_COMMITTED: i8 = 1;
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
    /// `None`: a negative number was said.
    max_bytes: Option<usize>,
}

/// What a partition's view answers, and the view.
type Seen = Result<(Arc<ReadView>, Answer), i16>;

/// Answers a consumer or a follower, after at most the time that it allows.
pub async fn answer(service: &BrokerService, version: i16, mut request: FetchRequest) -> FetchResponse {
    request.topics = last_of_each(request.topics);
    if request.session_epoch != NO_SESSION && request.session_epoch != NEW_SESSION {
        return FetchResponse { error_code: errors::FETCH_SESSION_ID_NOT_FOUND, ..Default::default() };
    }
    if ![READ_UNCOMMITTED, READ_COMMITTED].contains(&request.isolation_level) {
        return refuse_all(version, request, errors::INVALID_REQUEST);
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
    let looks = Looks { at: place(&asked, reader), most, enough, deadline };
    let mut found = looks.until(service, asked).await;
    if request.isolation_level == READ_COMMITTED {
        name_no_aborted(&mut found);
    }
    respond(service, version, reader, request, found)
}

/// Until version 12 clients look for the error at each partition, then at the top.
fn refuse_all(version: i16, request: FetchRequest, error_code: i16) -> FetchResponse {
    let topics = request.topics.into_iter().filter(|_| version < BY_ID);
    let responses = topics.map(|topic| FetchableTopicResponse {
        topic: topic.topic,
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().map(|asked| unknown(asked.partition, error_code)).collect(),
    });
    FetchResponse { error_code, responses: responses.collect(), ..Default::default() }
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
            let max_bytes = usize::try_from(partition.partition_max_bytes).ok().filter(|_| request.max_bytes >= 0);
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

/// Before what the looks of a follower's fetch wait, where a door is kept.
fn place(asked: &[Asked], reader: Reader) -> Option<Place> {
    let first = asked.iter().find_map(|asked| asked.target.as_ref().ok());
    first.filter(|_| matches!(reader, Reader::Follower(_))).map(|(partition, _)| Place::Reader(partition.id))
}

/// The asks of a fetch, in words.
fn in_words(asked: &[Asked]) -> String {
    let asks = asked.iter().filter_map(|asked| asked.target.as_ref().ok().map(|(_, ask)| format!("{ask:?}")));
    asks.collect::<Vec<_>>().join(", ")
}

/// How a fetch looks at its partitions.
struct Looks {
    at: Option<Place>,
    most: usize,
    enough: usize,
    deadline: Instant,
}

impl Looks {
    /// Looks, and looks again whenever something is published, until there is enough or the time is up.
    async fn until(&self, service: &BrokerService, asked: Vec<Asked>) -> Vec<PartitionData> {
        let mut partitions = PartitionsAsked { looks: self, service, asked };
        until_found(&mut partitions).await
    }
}

/// The partitions of one fetch.
struct PartitionsAsked<'a> {
    looks: &'a Looks,
    service: &'a BrokerService,
    asked: Vec<Asked>,
}

impl LookedAt for PartitionsAsked<'_> {
    type Found = Vec<PartitionData>;

    async fn turn(&self) -> Option<Looking> {
        self.service.door.look(self.looks.at, || in_words(&self.asked)).await
    }

    async fn look(&mut self, time_is_up: bool) -> Option<Vec<PartitionData>> {
        let needed = if time_is_up || self.looks.deadline <= Instant::now() { 0 } else { self.looks.enough };
        let found;
        (self.asked, found) = look(self.service, mem::take(&mut self.asked), self.looks.most, needed).await;
        found
    }

    fn park(&self) -> (Arc<Notify>, Vec<Registration>) {
        park(&self.asked)
    }

    fn patience(&self) -> Patience {
        self.service.door.patience(self.looks.at, self.looks.deadline, || in_words(&self.asked))
    }
}

/// Has itself woken whenever one of the partitions publishes.
fn park(asked: &[Asked]) -> (Arc<Notify>, Vec<Registration>) {
    let woken = Arc::new(Notify::new());
    let hosted = asked.iter().filter_map(|asked| asked.target.as_ref().ok());
    let parked = hosted.map(|(partition, _)| partition.parked.register(Arc::clone(&woken) as Arc<_>)).collect();
    (woken, parked)
}

/// One look at every partition; nothing while there is less than `enough`. Logs are read where reading may block.
async fn look(
    service: &BrokerService,
    asked: Vec<Asked>,
    most: usize,
    enough: usize,
) -> (Vec<Asked>, Option<Vec<PartitionData>>) {
    let rules = service.rules;
    let seen: Vec<Seen> = asked
        .iter()
        .map(|asked| {
            let (partition, ask) = asked.target.as_ref().map_err(|code| *code)?;
            let view = partition.view.read();
            let answer = view.answer(&rules, ask);
            Ok((view, answer))
        })
        .collect();
    let is_read = |seen: &Seen| matches!(seen, Ok((_, Answer::Read { .. })));
    let settled = !seen.iter().all(is_read) || asked.is_empty() || asked.iter().any(|asked| asked.max_bytes.is_none());
    let any_records = seen.iter().any(|seen| matches!(seen, Ok((_, Answer::Read { from, upto, .. })) if from < upto));
    if !any_records {
        let found = (settled || enough == 0).then(|| gather(&asked, &seen, 0));
        return (asked, found);
    }
    let reading = tokio::task::spawn_blocking(move || {
        // Measured first: what is not enough yet would be read again at every publication.
        let has_enough = settled || enough <= 1 || available(&asked, &seen) >= enough;
        let found = has_enough.then(|| gather(&asked, &seen, most));
        (asked, found)
    });
    reading.await.expect("reading a log does not panic")
}

/// How many bytes of records there are to read.
fn available(asked: &[Asked], seen: &[Seen]) -> usize {
    let each = asked.iter().zip(seen).map(|(asked, seen)| match (&asked.target, seen) {
        (Ok((partition, _)), Ok((_, Answer::Read { from, upto, .. }))) => {
            // What can't be measured can't be read either, and reading says so.
            let there = partition.reader.size_between(*from, *upto).unwrap_or(u64::MAX);
            usize::try_from(there).unwrap_or(usize::MAX).min(asked.max_bytes.unwrap_or(0))
        }
        _ => 0,
    });
    each.fold(0, usize::saturating_add)
}

fn gather(asked: &[Asked], seen: &[Seen], most: usize) -> Vec<PartitionData> {
    let (mut found, mut bytes) = (Vec::with_capacity(asked.len()), 0);
    for (asked, seen) in asked.iter().zip(seen) {
        let data = match (&asked.target, seen, asked.max_bytes) {
            (Ok(_), Ok((_, Answer::Refused(refusal))), _) => refused(asked.index, refusal.code()),
            (Ok(_), Ok(_), None) => refused(asked.index, errors::INVALID_REQUEST),
            (Ok((partition, _)), Ok((view, answer)), Some(most_here)) => {
                let left = most.saturating_sub(bytes).min(most_here);
                of_answer(asked.index, partition, view, *answer, left, bytes == 0)
            }
            (_, Err(code), _) | (Err(code), ..) => refused(asked.index, *code),
        };
        bytes += data.records.as_ref().map_or(0, Bytes::len);
        found.push(data);
    }
    found
}

/// `first`: nothing was read yet, so that even a batch larger than what is allowed is read, lest it never be.
fn of_answer(
    index: i32,
    partition: &Partition,
    view: &ReadView,
    answer: Answer,
    left: usize,
    first: bool,
) -> PartitionData {
    let known = PartitionData {
        partition_index: index,
        high_watermark: view.high_watermark.0,
        last_stable_offset: view.high_watermark.0,
        log_start_offset: view.log_start.0,
        aborted_transactions: None,
        records: Some(Bytes::new()),
        ..Default::default()
    };
    match answer {
        Answer::Refused(refusal) => refused(index, refusal.code()),
        Answer::Diverging(end) => {
            PartitionData { diverging_epoch: EpochEndOffset { epoch: end.epoch.0, end_offset: end.end.0 }, ..known }
        }
        Answer::Read { from, upto, .. } if from < upto && (left > 0 || first) => {
            match partition.reader.read(from, upto, left, first) {
                Ok(records) => PartitionData { records: Some(records), ..known },
                Err(error) => {
                    tracing::error!(partition = %partition.name, %error, "a log can't be read");
                    refused(index, errors::STORAGE_ERROR)
                }
            }
        }
        Answer::Read { .. } => known,
    }
}

/// There are no transactions yet, and so none that was aborted.
fn name_no_aborted(partitions: &mut [PartitionData]) {
    let read = |data: &&mut PartitionData| data.error_code == errors::NONE && data.diverging_epoch.end_offset < 0;
    partitions.iter_mut().filter(read).for_each(|data| data.aborted_transactions = Some(Vec::new()));
}

/// Kafka names no aborted transactions where there is a log, and an empty list of them where there is none.
fn refused(index: i32, code: i16) -> PartitionData {
    match code {
        errors::UNKNOWN_TOPIC_OR_PARTITION | errors::UNKNOWN_TOPIC_ID => unknown(index, code),
        _ => PartitionData { aborted_transactions: None, ..unknown(index, code) },
    }
}

fn unknown(index: i32, code: i16) -> PartitionData {
    PartitionData {
        partition_index: index,
        error_code: code,
        high_watermark: -1,
        records: Some(Bytes::new()),
        ..Default::default()
    }
}

fn respond(
    service: &BrokerService,
    version: i16,
    reader: Reader,
    request: FetchRequest,
    found: Vec<PartitionData>,
) -> FetchResponse {
    let mut response = FetchResponse::default();
    let mut partitions = found.into_iter();
    let cluster = service.cluster.read();
    for topic in request.topics {
        let id = find(&cluster, version, &topic.topic, topic.topic_id.into());
        let mut of_topic: Vec<_> = partitions.by_ref().take(topic.partitions.len()).collect();
        if let Ok(id) = id
            && version >= WITH_LEADERS
        {
            name_leaders(&cluster, id, &mut of_topic, &mut response.node_endpoints);
        }
        let (topic, topic_id) = (topic.topic, topic.topic_id);
        response.responses.push(FetchableTopicResponse { topic, topic_id, partitions: of_topic });
    }
    if matches!(reader, Reader::Follower(_)) {
        // Brokers know one another's addresses.
        response.node_endpoints.clear();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::fetch::FetchTopic;
    use highwater_spec::refusal::Refusal;

    #[test]
    fn a_request_that_is_refused_as_a_whole_says_so_at_each_partition_to_old_clients() {
        let topic = FetchTopic { partitions: vec![FetchPartition::default()], ..Default::default() };
        let request = FetchRequest { topics: vec![topic], ..Default::default() };
        let old = refuse_all(12, request.clone(), errors::INVALID_REQUEST);
        assert_eq!(old.error_code, errors::INVALID_REQUEST);
        assert_eq!(old.responses[0].partitions[0].error_code, errors::INVALID_REQUEST);
        assert_eq!(refuse_all(13, request, errors::INVALID_REQUEST).responses, []);
    }

    #[test]
    fn aborted_transactions_are_null_only_where_a_log_was_looked_at() {
        assert_eq!(refused(0, errors::UNKNOWN_TOPIC_ID).aborted_transactions, Some(vec![]));
        assert_eq!(refused(0, Refusal::OffsetOutOfRange.code()).aborted_transactions, None);
        let read = PartitionData { aborted_transactions: None, ..Default::default() };
        let diverging = EpochEndOffset { epoch: 1, end_offset: 5 };
        let mut all = [read.clone(), PartitionData { diverging_epoch: diverging, ..read }];
        name_no_aborted(&mut all);
        assert_eq!((all[0].aborted_transactions.clone(), all[1].aborted_transactions.clone()), (Some(vec![]), None));
    }
}
