//! Following, over sockets: gathers the fetches that replicas ask for and sends those that go to one leader together.
//!
//! It decides nothing about a partition: what to fetch, and whether, is the replica's to say. Each shard's replicas
//! fetch for themselves, so that a disk that stalls one shard does not stop the rest.
//!
//! A fetch may wait at the leader for records to come. One that is asked for meanwhile goes out beside it, and both end
//! at the same tick of `replica.fetch.wait.max.ms`, so that they travel together from then on.

use super::alive::Alive;
use super::broker_host::{Life, Shards};
use super::cluster::{Cluster, Endpoint};
use super::reach::Reach;
use super::shard;
use crate::carrier::Net;
use crate::cells::Published;
use crate::client::{ClientError, Connection};
use crate::records::{RecordError, check_copied, split};
use crate::wire::messages::{fetch, list_offsets};
use highwater_spec::log::{Batch, EpochEnd};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{FetchAnswer, FetchRequest};
use highwater_spec::values::{BrokerId, LeaderEpoch, Offset, TopicId, TopicPartition};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How many fetches to one leader may wait there for one shard.
const MOST_FLIGHTS: usize = 4;
/// ListOffsets' timestamp for the end of a log.
const LATEST: i64 = -1;
/// ListOffsets' timestamp for the start of a log.
const EARLIEST: i64 = -2;

/// What reaches the fetcher.
#[derive(Debug)]
pub enum Event {
    /// A replica fetches.
    Fetch(TopicPartition, FetchRequest),
    /// A replica asks for the ends of its leader's log.
    AskLogEnds(TopicPartition, FetchRequest),
    /// A replica fetches no more.
    Cancel(TopicPartition),
    /// A replica has taken note of an answer, and has said what it wants next.
    Processed(TopicPartition),
    /// A flight has ended; its answers are with the shard. If it brought any, its connection is free.
    Landed(Route, Vec<TopicPartition>, Result<Connection, ClientError>),
}

/// Whose fetches travel together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    leader: BrokerId,
    shard: usize,
}

#[derive(Clone, Copy, Debug)]
enum Want {
    Records(FetchRequest),
    LogEnds(FetchRequest),
}

/// What the fetcher works with.
#[derive(Clone)]
pub struct Surroundings {
    /// This broker.
    pub me: BrokerId,
    /// Where the others are.
    pub cluster: Arc<Published<Cluster>>,
    /// This broker's registration.
    pub life: watch::Receiver<Life>,
    /// Take the answers.
    pub shards: Shards,
    /// `replica.fetch.wait.max.ms`.
    pub max_wait: Duration,
    /// `replica.fetch.max.bytes`: of one partition.
    pub partition_bytes: i32,
    /// `replica.fetch.response.max.bytes`: of one answer.
    pub response_bytes: i32,
    /// How long an answer may take beyond what it waits at the leader.
    pub timeout: Duration,
}

/// The task's own state.
pub struct Fetcher {
    around: Surroundings,
    events: mpsc::UnboundedSender<Event>,
    routes: BTreeMap<Route, Fetches>,
    /// Whom each replica follows.
    followed: BTreeMap<TopicPartition, BrokerId>,
    /// Whether those who are followed answer.
    leaders: BTreeMap<BrokerId, Reach>,
    /// They end with this.
    flights: JoinSet<()>,
    alive: Alive,
    began: Instant,
}

/// The fetches of one route.
#[derive(Default)]
struct Fetches {
    wanted: BTreeMap<TopicPartition, Want>,
    /// Answered, and not taken note of yet: what they want next goes out together.
    processing: BTreeSet<TopicPartition>,
    flights: usize,
    idle: Vec<Connection>,
}

impl Fetcher {
    /// A fetcher that no replica has asked anything of yet. `events` leads back to it.
    pub fn new(around: Surroundings, events: mpsc::UnboundedSender<Event>, alive: Alive) -> Self {
        let (routes, followed, leaders, flights) = Default::default();
        Self { around, events, routes, followed, leaders, flights, alive, began: Instant::now() }
    }

    /// Runs until the broker ends.
    pub async fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) {
        let mut life = self.around.life.clone();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.heard(event),
                    None => return,
                },
                ended = life.wait_for(|life| life.ended) => return drop(ended),
            }
            while let Ok(event) = events.try_recv() {
                self.heard(event);
            }
            self.send_what_is_ready();
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Fetch(partition, request) => self.want(partition, request.leader, Want::Records(request)),
            Event::AskLogEnds(partition, request) => self.want(partition, request.leader, Want::LogEnds(request)),
            Event::Cancel(partition) => {
                self.forget(partition);
                let before = self.followed.remove(&partition);
                self.unless_followed(before);
            }
            Event::Processed(partition) => self.routes.values_mut().for_each(|fetches| {
                fetches.processing.remove(&partition);
            }),
            Event::Landed(route, partitions, outcome) => {
                if let Some(leader) = self.leaders.get(&route.leader) {
                    leader.note(&outcome);
                }
                let fetches = self.routes.entry(route).or_default();
                fetches.flights -= 1;
                fetches.processing.extend(partitions);
                fetches.idle.extend(outcome);
            }
        }
    }

    fn want(&mut self, partition: TopicPartition, leader: BrokerId, want: Want) {
        self.forget(partition);
        let before = self.followed.insert(partition, leader);
        self.unless_followed(before.filter(|before| *before != leader));
        self.leaders.entry(leader).or_insert_with(|| Reach::new(format!("broker {}", leader.0)));
        let route = Route { leader, shard: self.around.shards.index_of(partition) };
        self.routes.entry(route).or_default().wanted.insert(partition, want);
    }

    /// Who is not followed any more is not heard of either: whether it answers is news when it is followed again.
    fn unless_followed(&mut self, leader: Option<BrokerId>) {
        if let Some(leader) = leader.filter(|leader| !self.followed.values().any(|followed| followed == leader)) {
            self.leaders.remove(&leader);
        }
    }

    fn forget(&mut self, partition: TopicPartition) {
        for fetches in self.routes.values_mut() {
            fetches.wanted.remove(&partition);
        }
        self.routes.retain(|_, fetches| !fetches.wanted.is_empty() || fetches.flights > 0 || !fetches.idle.is_empty());
    }

    fn send_what_is_ready(&mut self) {
        while self.flights.try_join_next().is_some() {}
        let cluster = self.around.cluster.read();
        for (route, fetches) in &mut self.routes {
            if fetches.wanted.is_empty() || !fetches.processing.is_empty() || fetches.flights >= MOST_FLIGHTS {
                continue;
            }
            fetches.flights += 1;
            let flight = Flight {
                around: self.around.clone(),
                events: self.events.clone(),
                route: *route,
                endpoint: cluster.endpoint(route.leader).cloned(),
                wanted: std::mem::take(&mut fetches.wanted),
                connection: fetches.idle.pop(),
                max_wait: until_tick(self.began.elapsed(), self.around.max_wait),
            };
            let alive = self.alive.clone();
            self.flights.spawn(async move {
                let _alive = alive;
                flight.run().await;
            });
        }
    }
}

/// How long it is until the next tick; a whole one when that is near, so that a fetch has time to wait.
fn until_tick(elapsed: Duration, every: Duration) -> Duration {
    let every = every.max(Duration::from_millis(1));
    let into = Duration::from_nanos((elapsed.as_nanos() % every.as_nanos()).try_into().unwrap_or(u64::MAX));
    let left = every.saturating_sub(into);
    if left < every / 10 { left + every } else { left }
}

type Answers = HashMap<TopicPartition, shard::Event>;

/// One request to one leader, and its answer.
struct Flight {
    around: Surroundings,
    events: mpsc::UnboundedSender<Event>,
    route: Route,
    endpoint: Option<Endpoint>,
    wanted: BTreeMap<TopicPartition, Want>,
    connection: Option<Connection>,
    max_wait: Duration,
}

impl Flight {
    async fn run(mut self) {
        let (outcome, mut answers) = match self.ask().await {
            Ok((connection, answers)) => (Ok(connection), answers),
            Err(error) => (Err(error), HashMap::new()),
        };
        // Landed before it is processed: the shard's word that it was comes after this.
        let partitions = self.wanted.keys().copied().collect();
        let _ = self.events.send(Event::Landed(self.route, partitions, outcome));
        for (partition, want) in self.wanted {
            let event = match (want, answers.remove(&partition)) {
                (_, Some(event)) => event,
                (Want::Records(asked) | Want::LogEnds(asked), None) => {
                    shard::Event::FetchAnswered(partition, asked, FetchAnswer::Refused(Refusal::RequestTimedOut))
                }
            };
            self.around.shards.send(partition, event);
        }
    }

    /// A fetch changes nothing: where the leader closed a connection that was held, perhaps while the fetch was on its
    /// way, it is sent again on another one.
    async fn ask(&mut self) -> Result<(Connection, Answers), ClientError> {
        if let Some(held) = self.connection.take().filter(|held| !held.is_spent()) {
            match self.ask_on(held).await {
                Err(ClientError::Broken { .. }) => {}
                outcome => return outcome,
            }
        }
        let endpoint = self.endpoint.as_ref().ok_or_else(|| ClientError::unknown_broker(self.route.leader.0))?;
        self.ask_on(Connection::connect(&endpoint.to_string(), self.around.timeout).await?).await
    }

    /// A connection is kept only if the whole answer came.
    async fn ask_on(&self, mut connection: Connection) -> Result<(Connection, Answers), ClientError> {
        let allowed = self.max_wait + self.around.timeout;
        let answers = match tokio::time::timeout(allowed, self.exchange(&mut connection)).await {
            Ok(answers) => answers?,
            Err(_) => return Err(ClientError::timed_out(connection.address())),
        };
        Ok((connection, answers))
    }

    async fn exchange(&self, connection: &mut Connection) -> Result<Answers, ClientError> {
        let mut answers = HashMap::new();
        for (partition, want) in &self.wanted {
            if let Want::LogEnds(asked) = want {
                let ends = self.log_ends(connection, *partition, asked).await?;
                answers.extend(ends.map(|ends| (*partition, shard::Event::LogEndsAnswered(*partition, *asked, ends))));
            }
        }
        let asked = self.wanted.iter().filter_map(|(partition, want)| match want {
            Want::Records(asked) => Some((*partition, *asked)),
            Want::LogEnds(_) => None,
        });
        let asked: BTreeMap<_, _> = asked.collect();
        if asked.is_empty() {
            return Ok(answers);
        }
        let response = connection.call(&self.fetch_request(&asked)).await?;
        for topic in response.responses {
            for answer in topic.partitions {
                let partition = TopicPartition { topic: topic.topic_id.into(), index: answer.partition_index };
                if let Some(asked) = asked.get(&partition) {
                    let answer = self.understood(partition, answer);
                    answers.insert(partition, shard::Event::FetchAnswered(partition, *asked, answer));
                }
            }
        }
        Ok(answers)
    }

    fn fetch_request(&self, asked: &BTreeMap<TopicPartition, FetchRequest>) -> fetch::FetchRequest {
        let mut topics: BTreeMap<TopicId, Vec<fetch::FetchPartition>> = BTreeMap::new();
        for (partition, request) in asked {
            topics.entry(partition.topic).or_default().push(fetch::FetchPartition {
                partition: partition.index,
                current_leader_epoch: request.leader_epoch.0,
                fetch_offset: request.offset.0,
                last_fetched_epoch: request.last_fetched_epoch.map_or(-1, |epoch| epoch.0),
                partition_max_bytes: self.around.partition_bytes,
                ..Default::default()
            });
        }
        let topics = topics.into_iter().map(|(topic, partitions)| fetch::FetchTopic {
            topic_id: topic.into(),
            partitions,
            ..Default::default()
        });
        let epoch = self.around.life.borrow().epoch;
        fetch::FetchRequest {
            replica_state: fetch::ReplicaState {
                replica_id: self.around.me.0,
                replica_epoch: epoch.map_or(-1, |epoch| epoch.0),
            },
            max_wait_ms: i32::try_from(self.max_wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: 1,
            max_bytes: self.around.response_bytes,
            topics: topics.collect(),
            ..Default::default()
        }
    }

    fn understood(&self, partition: TopicPartition, answer: fetch::PartitionData) -> FetchAnswer<Net> {
        if let Some(refusal) = Refusal::from_code(answer.error_code) {
            return FetchAnswer::Refused(refusal);
        }
        if answer.diverging_epoch.end_offset >= 0 {
            let epoch = LeaderEpoch(answer.diverging_epoch.epoch);
            return FetchAnswer::Diverging(EpochEnd { epoch, end: Offset(answer.diverging_epoch.end_offset) });
        }
        match batches(answer.records.unwrap_or_default()) {
            Ok(batches) => FetchAnswer::Records {
                batches,
                high_watermark: Offset(answer.high_watermark),
                log_start: Offset(answer.log_start_offset),
            },
            Err(error) => {
                tracing::warn!(?partition, leader = %self.route.leader, %error, "the leader sent what is no record batch");
                FetchAnswer::Refused(Refusal::RequestTimedOut)
            }
        }
    }

    /// Both ends of the leader's log, if it tells both.
    async fn log_ends(
        &self,
        connection: &mut Connection,
        partition: TopicPartition,
        asked: &FetchRequest,
    ) -> Result<Option<shard::LogEnds>, ClientError> {
        let cluster = self.around.cluster.read();
        let Some(topic) = cluster.topic(partition.topic) else { return Ok(None) };
        let mut ends = [None; 2];
        for (end, timestamp) in ends.iter_mut().zip([EARLIEST, LATEST]) {
            let request = list_offsets::ListOffsetsRequest {
                replica_id: self.around.me.0,
                topics: vec![list_offsets::ListOffsetsTopic {
                    name: topic.name.clone(),
                    partitions: vec![list_offsets::ListOffsetsPartition {
                        partition_index: partition.index,
                        current_leader_epoch: asked.leader_epoch.0,
                        timestamp,
                    }],
                }],
                ..Default::default()
            };
            let response = connection.call(&request).await?;
            let answer = response.topics.first().and_then(|topic| topic.partitions.first());
            *end = answer.filter(|answer| answer.error_code == 0).map(|answer| Offset(answer.offset));
        }
        Ok(ends[0].zip(ends[1]).map(|(start, end)| shard::LogEnds { start, end }))
    }
}

/// The whole batches of an answer. A last one that was cut off by the answer's size is left for the next fetch.
fn batches(records: bytes::Bytes) -> Result<Vec<Batch<Net>>, RecordError> {
    let mut batches = Vec::new();
    for found in split(records) {
        let (header, bytes) = match found {
            Ok(found) => found,
            Err(RecordError::Incomplete { .. }) => break,
            Err(error) => return Err(error),
        };
        check_copied(&bytes)?;
        let epoch = header.leader_epoch.ok_or(RecordError::Record("its batch has no leader epoch"))?;
        let (base, count, producer) = (header.base_offset, header.offset_count(), header.sequenced());
        batches.push(Batch { base, count, epoch, producer, bytes });
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, HEADER_SIZE, stamped};

    #[test]
    fn fetches_that_begin_apart_end_together() {
        let ms = Duration::from_millis;
        assert_eq!(until_tick(ms(0), ms(500)), ms(500));
        assert_eq!(until_tick(ms(1_100), ms(500)), ms(400));
        assert_eq!(until_tick(ms(1_480), ms(500)), ms(520), "too near to be worth a request");
        assert_eq!(until_tick(ms(7), ms(0)), ms(1));
    }

    #[test]
    fn a_damaged_batch_of_the_leader_is_refused_and_one_that_was_cut_off_waits() {
        let mut builder = BatchBuilder::new();
        builder.push(1, None, Some(b"v"), &[]).expect("a record that fits");
        let batch = builder.build().expect("a batch that fits");
        let sound = stamped(&batch, Offset(5), LeaderEpoch(2)).map(|header| [&header, &batch[HEADER_SIZE..]].concat());
        let sound = sound.expect("a header");
        let cut_off = [&sound[..], &sound[..sound.len() - 1]].concat();
        let found = batches(cut_off.into()).expect("a batch and a piece");
        let places: Vec<_> = found.iter().map(|batch| (batch.base, batch.count, batch.epoch)).collect();
        assert_eq!(places, [(Offset(5), 1, LeaderEpoch(2))]);
        let mut damaged = sound;
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        assert!(matches!(batches(damaged.into()), Err(RecordError::Crc { .. })));
    }
}
