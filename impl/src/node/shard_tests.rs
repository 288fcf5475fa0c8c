//! A shard by itself: what it hears comes by its inbox, and what it does shows in files, views, answers, and in what it
//! asks of others. Here a disk can fail, a producer can wait in vain, and a waker can look at what it is woken for.

use super::broker_host;
use super::fetcher;
use super::log_dirs::LogDirs;
use super::partitions::{Partition, Partitions};
use super::shard::{Event, Outcome, Produced, Shard, Surroundings, Told};
use crate::carrier::Net;
use crate::cells::{Drained, Wake};
use crate::door::{Door, Entrance};
use crate::records::BatchBuilder;
use crate::storage::{LogConfig, LogDir, PartitionName};
use bytes::Bytes;
use highwater_spec::broker;
use highwater_spec::log::{Batch, EpochEnd};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Acks, Assignment, FetchAnswer, FetchRequest, Input, ProduceOutcome, ReadRole};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, Brokers, LeaderEpoch, Offset, PartitionEpoch, TopicId, TopicPartition};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

const ME: BrokerId = BrokerId(1);
const OTHER: BrokerId = BrokerId(2);
const FIRST: TopicPartition = TopicPartition { topic: TopicId([7; 16]), index: 0 };
const SECOND: TopicPartition = TopicPartition { index: 1, ..FIRST };
/// Longer than any test runs.
const NEVER: Duration = Duration::from_secs(3600);

/// A shard, and everything around it.
struct Stand {
    dir: TempDir,
    partitions: Arc<Partitions>,
    entrance: Entrance<Event>,
    fetches: mpsc::UnboundedReceiver<fetcher::Event>,
    broker: Entrance<broker_host::Event>,
    shard: Option<Shard>,
    thread: Option<thread::JoinHandle<()>>,
    config: LogConfig,
}

impl Stand {
    /// A shard that doesn't run yet: what is sent to it meanwhile is drained at once.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log_dirs = Arc::new(LogDirs::new(LogDir::open(dir.path(), "cluster", ME).expect("a log directory")));
        let (fetcher, fetches) = mpsc::unbounded_channel();
        let (partitions, entrance, broker) = (Arc::default(), Entrance::new(Door::open()), Entrance::new(Door::open()));
        let around = Surroundings {
            me: ME,
            rules: Rules::KAFKA,
            log_dirs,
            partitions: Arc::clone(&partitions),
            fetcher,
            broker: broker.clone(),
            lag: NEVER,
            fetch_backoff: Duration::from_millis(1),
        };
        let shard = Some(Shard::new(Arc::new(around), entrance.clone()));
        Self { dir, partitions, entrance, fetches, broker, shard, thread: None, config: LogConfig::default() }
    }

    /// One that runs.
    fn running() -> Self {
        let mut stand = Self::new();
        stand.run();
        stand
    }

    fn run(&mut self) {
        let shard = self.shard.take().expect("it doesn't run yet");
        self.thread = Some(thread::spawn(move || shard.run()));
    }

    fn send(&self, event: Event) {
        assert!(self.entrance.send(event).is_ok(), "it runs until the stand ends");
    }

    /// `leader` leads from now on; `replicas` are all in sync.
    fn assign(&self, partition: TopicPartition, leader: BrokerId, epoch: i32, replicas: &[BrokerId]) {
        let replicas: Brokers = replicas.iter().copied().collect();
        let assignment = Assignment {
            leader: Some(leader),
            leader_epoch: LeaderEpoch(epoch),
            partition_epoch: PartitionEpoch(epoch),
            isr: replicas.clone(),
            replicas,
            min_insync_replicas: 1,
            peers: Vec::new(),
            at: Instant::now(),
        };
        let (name, config) = (PartitionName::new("t", partition.index), self.config.clone());
        self.send(Event::Told(Told { partition, name, config, input: Input::Assigned(assignment) }));
    }

    fn produce(&self, partition: TopicPartition, acks: Acks, timeout: Duration) -> oneshot::Receiver<Outcome> {
        let (reply, outcome) = oneshot::channel();
        self.send(Event::Produced(Produced {
            partition,
            acks,
            count: 1,
            producer: None,
            bytes: record(),
            timeout,
            reply,
        }));
        outcome
    }

    /// Waits until it has done what it was sent.
    fn settle(&self) {
        let (done, mut told) = oneshot::channel();
        self.send(Event::Mark(Box::new(move || {
            let _ = done.send(());
        })));
        soon("the shard is done", || told.try_recv().ok());
    }

    fn partition(&self, id: TopicPartition) -> Arc<Partition> {
        self.settle();
        self.partitions.get(id).expect("a replica")
    }

    fn end(&self, id: TopicPartition) -> Offset {
        self.partition(id).reader.end()
    }

    /// What the replica asks its leader for next.
    fn next_fetch(&mut self) -> FetchRequest {
        soon("the follower fetches", || match self.fetches.try_recv() {
            Ok(fetcher::Event::Fetch(_, request)) => Some(request),
            _ => None,
        })
    }

    fn answer(&self, asked: FetchRequest, answer: FetchAnswer<Net>) {
        self.send(Event::FetchAnswered(FIRST, asked, answer));
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("t-0")
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.entrance.close();
        let joined = self.thread.take().map(thread::JoinHandle::join);
        assert!(thread::panicking() || joined.is_none_or(|joined| joined.is_ok()), "the shard panicked");
    }
}

/// Looks until there is something; only what never comes meets the limit.
fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn outcome(mut reply: oneshot::Receiver<Outcome>) -> ProduceOutcome {
    soon("the producer is answered", || reply.try_recv().ok()).outcome
}

fn record() -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(1, None, Some(b"v"), &[]).expect("a record that fits");
    builder.build().expect("a batch that fits")
}

/// Looks, when it is woken, how far readers may read, and how far they can.
struct Witness {
    partition: Arc<Partition>,
    seen: Mutex<Vec<(Offset, Offset)>>,
}

impl Wake for Witness {
    fn wake(&self) {
        let ends = (self.partition.view.read().log_end, self.partition.reader.end());
        self.seen.lock().expect("nobody panics with it").push(ends);
    }
}

#[test]
fn who_waits_is_woken_once_there_is_something_to_read() {
    let stand = Stand::running();
    stand.assign(FIRST, ME, 0, &[ME]);
    let partition = stand.partition(FIRST);
    let witness = Arc::new(Witness { partition: Arc::clone(&partition), seen: Mutex::default() });
    let _registered = partition.parked.register(Arc::clone(&witness) as Arc<dyn Wake>);
    assert_eq!(outcome(stand.produce(FIRST, Acks::All, NEVER)), ProduceOutcome::Acked { base: Offset(0) });
    let seen = witness.seen.lock().expect("nobody panics with it").clone();
    assert_eq!(seen.last(), Some(&(Offset(1), Offset(1))));
    assert!(seen.iter().all(|(told, there)| told <= there), "told before it was there: {seen:?}");
}

#[test]
fn a_replica_whose_disk_fails_acknowledges_nothing_and_goes_offline() {
    let mut stand = Stand::new();
    stand.config.segment_bytes = 1;
    stand.run();
    stand.assign(FIRST, ME, 0, &[ME]);
    assert_eq!(outcome(stand.produce(FIRST, Acks::Leader, NEVER)), ProduceOutcome::Acked { base: Offset(0) });
    // Where the next segment would be.
    fs::create_dir(stand.folder().join("00000000000000000001.log")).expect("a folder");
    let storage = Refusal::StorageError;
    assert_eq!(outcome(stand.produce(FIRST, Acks::Leader, NEVER)), ProduceOutcome::Unknown(storage));
    assert_eq!(outcome(stand.produce(FIRST, Acks::Leader, NEVER)), ProduceOutcome::Refused(storage));
    assert_eq!(stand.partition(FIRST).view.read().role, ReadRole::Offline(storage));
    let mut heard = Vec::new();
    assert_eq!(stand.broker.drain(&mut heard, None), Drained::Some);
    let is_failure = |event: &_| matches!(event, broker_host::Event::Heard(broker::Input::ReplicaFailed));
    assert!(heard.iter().any(is_failure), "the broker knows nothing of it");
}

#[test]
fn neighbouring_produces_go_each_to_its_own_partition() {
    let mut stand = Stand::new();
    stand.assign(FIRST, ME, 0, &[ME]);
    stand.assign(SECOND, ME, 0, &[ME]);
    let replies = [FIRST, SECOND].map(|partition| stand.produce(partition, Acks::Leader, NEVER));
    stand.run();
    for reply in replies {
        assert_eq!(outcome(reply), ProduceOutcome::Acked { base: Offset(0) });
    }
    assert_eq!((stand.end(FIRST), stand.end(SECOND)), (Offset(1), Offset(1)));
}

#[test]
fn a_producer_waits_no_longer_than_it_wants() {
    let stand = Stand::running();
    stand.assign(FIRST, ME, 0, &[ME, OTHER]);
    let timed_out = ProduceOutcome::Unknown(Refusal::RequestTimedOut);
    assert_eq!(outcome(stand.produce(FIRST, Acks::All, Duration::from_millis(1))), timed_out);
}

#[test]
fn a_producer_that_waits_hears_that_the_leader_leads_no_more() {
    let stand = Stand::running();
    stand.assign(FIRST, ME, 0, &[ME, OTHER]);
    let reply = stand.produce(FIRST, Acks::All, NEVER);
    stand.assign(FIRST, OTHER, 1, &[ME, OTHER]);
    assert!(matches!(outcome(reply), ProduceOutcome::Unknown(_)));
}

#[test]
fn a_follower_that_was_refused_asks_once_more() {
    let mut stand = Stand::running();
    stand.assign(FIRST, OTHER, 0, &[ME, OTHER]);
    let asked = stand.next_fetch();
    stand.answer(asked, FetchAnswer::Refused(Refusal::RequestTimedOut));
    assert_eq!(stand.next_fetch(), asked);
    stand.settle();
    let again = std::iter::from_fn(|| stand.fetches.try_recv().ok());
    assert_eq!(again.filter(|event| matches!(event, fetcher::Event::Fetch(..))).count(), 0, "asked twice");
}

#[test]
fn an_epoch_is_on_the_disk_once_its_leader_leads() {
    let stand = Stand::running();
    stand.assign(FIRST, ME, 3, &[ME]);
    stand.settle();
    let epochs = fs::read_to_string(stand.folder().join("leader-epoch-checkpoint")).expect("a checkpoint");
    assert!(epochs.lines().any(|line| line == "3 0"), "{epochs}");
}

#[test]
fn a_cut_is_in_the_file_and_the_recovery_point_that_it_lowered_is_written_down() {
    let mut stand = Stand::running();
    stand.assign(FIRST, OTHER, 0, &[ME, OTHER]);
    let batch = |base| Batch { base: Offset(base), count: 1, epoch: LeaderEpoch(0), producer: None, bytes: record() };
    let records = vec![batch(0), batch(1)];
    let records = FetchAnswer::Records { batches: records, high_watermark: Offset(0), log_start: Offset(0) };
    let asked = stand.next_fetch();
    stand.answer(asked, records);
    let asked = stand.next_fetch();
    assert_eq!((asked.offset, stand.end(FIRST)), (Offset(2), Offset(2)));
    let points = stand.dir.path().join("recovery-point-offset-checkpoint");
    assert!(!points.exists(), "nothing was cut yet");
    stand.answer(asked, FetchAnswer::Diverging(EpochEnd { epoch: LeaderEpoch(0), end: Offset(1) }));
    assert_eq!((stand.next_fetch().offset, stand.end(FIRST)), (Offset(1), Offset(1)));
    assert!(fs::read_to_string(points).expect("it is written").lines().any(|line| line == "t 0 0"));
    let segment = fs::metadata(stand.folder().join("00000000000000000000.log")).expect("a segment");
    assert_eq!(segment.len(), record().len() as u64);
}
