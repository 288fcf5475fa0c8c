//! The coordinators' thread by itself, over a log that the test writes: when it answers, and what it does when a write
//! fails, the high watermark lags, or somebody else leads.

use super::host::{Event, GroupHost, Surroundings};
use super::placement::TOPIC;
use super::{Groups, records};
use crate::carrier::{Durable, Net, Timestamp};
use crate::cells::{Drained, Published};
use crate::door::{Door, Entrance};
use crate::node::broker_host::Shards;
use crate::node::cluster::Cluster;
use crate::node::log_configs::LogConfigs;
use crate::node::log_dirs::LogDirs;
use crate::node::partitions::{Partition, Partitions};
use crate::node::shard::{self, Outcome, Produced};
use crate::records::{BatchBuilder, records as read};
use crate::storage::{LogConfig, LogDir, PartitionLog, PartitionName};
use highwater_spec::controller::{self, Image, Topic};
use highwater_spec::group::{
    CommitOffsets, CommittedOffset, Config, MemberIdentity, NamedPartition, OffsetToCommit, Reader, Record, Reply,
    Request,
};
use highwater_spec::log::{Batch, EpochCache};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Acks, ProduceOutcome, ReadRole, ReadView};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, Brokers, LeaderEpoch, Offset, PartitionEpoch, TopicId, TopicPartition};
use std::sync::{Arc, mpsc};
use std::thread;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

const ME: BrokerId = BrokerId(1);
const ID: TopicPartition = TopicPartition { topic: TopicId([5; 16]), index: 0 };

/// The thread, the only partition of the groups' topic, and a shard that leaves it to the test what becomes of an append.
struct Stand {
    _dir: TempDir,
    log: PartitionLog,
    epoch: LeaderEpoch,
    partition: Arc<Partition>,
    cluster: Arc<Published<Cluster>>,
    entrance: Entrance<Event>,
    groups: Groups,
    shard: Entrance<shard::Event>,
    appends: mpsc::Receiver<Produced>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Stand {
    /// With these records in the log, all of them committed. Nobody leads yet.
    fn new(begins_with: &[Vec<u8>]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log_dirs = LogDirs::new(LogDir::open(dir.path(), "cluster", ME).expect("a log directory"));
        let name = PartitionName::new(TOPIC, ID.index);
        let place = log_dirs.place(&name, ID.topic).expect("a place");
        let (log, _) = PartitionLog::open(&place.folder, LogConfig::default(), &place.last_run).expect("a log");
        let partition = Arc::new(Partition::new(ID, name, view(false, 0, 0), log.reader(), Offset(0)));
        let partitions = Arc::new(Partitions::default());
        partitions.insert(Arc::clone(&partition));
        let cluster = Arc::new(Published::new(Cluster::default()));
        let (entrance, shard) = (Entrance::new(Door::open()), Entrance::new(Door::open()));
        let around = Surroundings {
            me: ME,
            rules: Rules::KAFKA,
            config: Config::default(),
            log_configs: LogConfigs::of_a_broker(),
            cluster: Arc::clone(&cluster),
            shards: Shards::new(vec![shard.clone()]),
            partitions,
            runtime: Handle::current(),
        };
        let host = GroupHost::new(around, entrance.clone());
        let (appended, appends) = mpsc::channel();
        let of_shard = shard.clone();
        let threads = vec![thread::spawn(move || host.run()), thread::spawn(move || play(&of_shard, &appended))];
        let groups = Groups::new(entrance.clone(), Arc::clone(&cluster));
        let mut stand = Self {
            _dir: dir,
            epoch: LeaderEpoch(0),
            log,
            partition,
            cluster,
            entrance,
            groups,
            shard,
            appends,
            threads,
        };
        begins_with.iter().for_each(|batch| stand.write(batch.clone()));
        stand
    }

    /// Puts a batch of one record into the log.
    fn write(&mut self, bytes: Vec<u8>) {
        let batch = Batch::<Net> {
            base: self.log.reader().end(),
            count: 1,
            epoch: LeaderEpoch(0),
            producer: None,
            bytes: bytes.into(),
        };
        self.log.append(&[batch]).expect("room on the disk");
    }

    /// `leader` leads in the next epoch, and the replica here knows it; all below `high_watermark` is committed.
    fn lead(&mut self, leader: BrokerId, high_watermark: i64) {
        self.epoch = self.epoch.next();
        self.lead_on(leader, high_watermark);
    }

    /// The same in the same epoch.
    fn lead_on(&self, leader: BrokerId, high_watermark: i64) {
        self.show(leader == ME, high_watermark);
        let partition = controller::Partition {
            replicas: vec![ME],
            isr: Brokers::only(ME),
            elr: Brokers::default(),
            last_known_leader: None,
            leader: Some(leader),
            leader_epoch: self.epoch,
            partition_epoch: PartitionEpoch(0),
            recovering: false,
        };
        let topic =
            Topic { name: TOPIC.to_owned(), partitions: vec![partition], config: controller::Config::default() };
        let mut image = Image::default();
        image.topics.insert(ID.topic, topic);
        let before = self.cluster.read();
        self.cluster.publish(Cluster::new(Arc::new(image), Arc::default(), &before));
        assert!(self.entrance.send(Event::ClusterChanged).is_ok());
    }

    fn show(&self, leads: bool, high_watermark: i64) {
        self.partition.view.publish(view(leads, high_watermark, self.log.reader().end().0));
        self.partition.parked.wake_all();
    }

    /// Waits until the thread has heard all that it was told.
    async fn settled(&self) {
        let (done, heard) = oneshot::channel();
        assert!(self.entrance.send(Event::Mark(Box::new(move || done.send(()).unwrap_or_default()))).is_ok());
        heard.await.expect("the thread hears it");
    }

    /// What is committed of partition 0 of `t`, once that can be told.
    async fn until_told(&self) -> Option<i64> {
        loop {
            match self.fetch().await {
                Err(Refusal::CoordinatorLoadInProgress) => tokio::task::yield_now().await,
                told => return told.expect("it coordinates"),
            }
        }
    }

    async fn fetch(&self) -> Result<Option<i64>, Refusal> {
        let group = "g".into();
        let found = self
            .groups
            .look(&group, |coordinator| coordinator.fetch_offsets(&Reader::default(), &"g".into(), Some(&[of_t()])))
            .await?;
        Ok(found.into_iter().find_map(|(_, committed)| committed).map(|committed| committed.offset.0))
    }

    /// Begins to commit an offset; the answer comes when the shard has answered.
    fn commit(&self, offset: i64) -> tokio::task::JoinHandle<Result<(), Refusal>> {
        let groups = self.groups.clone();
        let offset = OffsetToCommit { offset: Offset(offset), leader_epoch: None, metadata: None, metadata_length: 0 };
        let request = Request::CommitOffsets(CommitOffsets {
            member: MemberIdentity { id: None, instance: None },
            generation: None,
            knows_group_id_not_found: true,
            offsets: vec![(of_t(), offset)],
        });
        tokio::spawn(async move {
            match groups.ask("g".into(), request).await {
                Reply::CommitOffsets(outcome) => outcome.and_then(|each| each[0].1),
                other => panic!("{other:?}"),
            }
        })
    }

    /// What the thread wants appended next.
    async fn next_append(&self) -> Produced {
        loop {
            match self.appends.try_recv() {
                Ok(produced) => return produced,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.entrance.close();
        self.shard.close();
        for thread in self.threads.drain(..) {
            assert!(thread.join().is_ok() || thread::panicking(), "a thread panicked");
        }
    }
}

/// The shard: whoever waits for it to hear what it was told has nothing to wait for; appends are the test's.
fn play(entrance: &Entrance<shard::Event>, appends: &mpsc::Sender<Produced>) {
    let mut events = Vec::new();
    while entrance.drain(&mut events, None) != Drained::Closed {
        for event in events.drain(..) {
            match event {
                shard::Event::Sync(_, done) => done(),
                shard::Event::Produced(produced) => drop(appends.send(produced)),
                _ => {}
            }
        }
    }
}

fn view(leads: bool, high_watermark: i64, log_end: i64) -> ReadView {
    let leader = ReadRole::Leader { assigned: Brokers::default(), epoch_start: Offset(0) };
    ReadView {
        role: if leads { leader } else { ReadRole::NotLeader },
        leader_epoch: Some(LeaderEpoch(0)),
        epochs: EpochCache::default(),
        log_start: Offset(0),
        high_watermark: Offset(high_watermark),
        log_end: Offset(log_end),
    }
}

fn of_t() -> NamedPartition {
    NamedPartition { topic: "t".into(), index: 0 }
}

/// A batch that says that group `g` has committed `offset`.
fn committed(offset: i64) -> Vec<u8> {
    let committed =
        CommittedOffset::<Durable> { offset: Offset(offset), leader_epoch: None, metadata: None, at: Timestamp(1) };
    let record = Record::Offset { group: "g".into(), partition: of_t(), committed: Some(committed) };
    let (key, value) = records::to_wire(&record).encode().expect("it fits");
    batch(&key, value.as_deref())
}

fn batch(key: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    batch.push(1, Some(key), value, &[]).expect("it fits");
    batch.build().expect("it fits").to_vec()
}

fn answer(produced: Produced, outcome: ProduceOutcome) {
    let _ = produced.reply.send(Outcome { outcome, log_start: Offset(0) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_until_its_records_are_committed() {
    let mut stand = Stand::new(&[committed(3)]);
    stand.lead(ME, 1);
    assert_eq!(stand.until_told().await, Some(3));
    let waits = stand.commit(4);
    let produced = stand.next_append().await;
    assert_eq!((produced.partition, produced.acks), (ID, Acks::All));
    assert_eq!(stand.fetch().await, Ok(Some(3)), "not committed yet");
    assert!(!waits.is_finished());
    answer(produced, ProduceOutcome::Acked { base: Offset(1) });
    assert_eq!(waits.await.expect("an answer"), Ok(()));
    assert_eq!(stand.fetch().await, Ok(Some(4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_too_few_replicas_have_are_committed_all_the_same() {
    let mut stand = Stand::new(&[]);
    stand.lead(ME, 0);
    assert_eq!(stand.until_told().await, None);
    let waits = stand.commit(4);
    answer(stand.next_append().await, ProduceOutcome::Undersized { base: Offset(0) });
    assert_eq!(waits.await.expect("an answer"), Ok(()));
    assert_eq!(stand.fetch().await, Ok(Some(4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_never_was_and_the_log_is_read_anew() {
    for outcome in [
        ProduceOutcome::Refused(Refusal::NotEnoughReplicas),
        ProduceOutcome::Unknown(Refusal::NotLeaderOrFollower),
        ProduceOutcome::Acked { base: Offset(9) },
    ] {
        let mut stand = Stand::new(&[committed(3)]);
        stand.lead(ME, 1);
        assert_eq!(stand.until_told().await, Some(3));
        let (first, second) = (stand.commit(4), stand.next_append().await);
        answer(second, outcome);
        assert_eq!(first.await.expect("an answer"), Err(Refusal::NotCoordinator), "{outcome:?}");
        assert_eq!(stand.until_told().await, Some(3));
        let waits = stand.commit(5);
        answer(stand.next_append().await, ProduceOutcome::Acked { base: Offset(1) });
        assert_eq!(waits.await.expect("an answer"), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_before_all_of_the_log_is_committed() {
    let mut stand = Stand::new(&[committed(3), committed(4)]);
    stand.lead(ME, 1);
    assert_eq!(stand.fetch().await, Err(Refusal::CoordinatorLoadInProgress));
    assert_eq!(stand.commit(5).await.expect("an answer"), Err(Refusal::CoordinatorLoadInProgress));
    stand.show(true, 2);
    assert_eq!(stand.until_told().await, Some(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_when_leadership_goes_is_sent_away() {
    let mut stand = Stand::new(&[]);
    stand.lead(ME, 0);
    assert_eq!(stand.until_told().await, None);
    let waits = stand.commit(4);
    let produced = stand.next_append().await;
    stand.lead(BrokerId(2), 0);
    assert_eq!(waits.await.expect("an answer"), Err(Refusal::NotCoordinator));
    assert_eq!(stand.fetch().await, Err(Refusal::NotCoordinator));
    // An answer to an earlier term changes nothing in a later one.
    stand.lead(ME, 0);
    assert_eq!(stand.until_told().await, None);
    answer(produced, ProduceOutcome::Acked { base: Offset(0) });
    let waits = stand.commit(5);
    answer(stand.next_append().await, ProduceOutcome::Acked { base: Offset(0) });
    assert_eq!(waits.await.expect("an answer"), Ok(()));
    assert_eq!(stand.fetch().await, Ok(Some(5)));
}

// Verifies: group.coordinator.epoch
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leadership_that_was_renewed_begins_with_the_log_and_one_that_goes_on_does_not() {
    let mut stand = Stand::new(&[committed(3)]);
    stand.lead(ME, 1);
    assert_eq!(stand.until_told().await, Some(3));
    // Somebody else led for so short that nobody here has heard of it, and has written.
    stand.write(committed(4));
    stand.lead(ME, 2);
    stand.settled().await;
    assert_eq!(stand.until_told().await, Some(4));
    let waits = stand.commit(5);
    let produced = stand.next_append().await;
    stand.lead_on(ME, 2);
    stand.settled().await;
    answer(produced, ProduceOutcome::Acked { base: Offset(2) });
    assert_eq!(waits.await.expect("an answer"), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_to_come_are_passed_over_and_damage_is_not() {
    let mut stand = Stand::new(&[committed(3), batch(&[0, 4, 0, 1, b'g'], Some(&[0, 0]))]);
    stand.lead(ME, 2);
    assert_eq!(stand.until_told().await, Some(3));
    let mut stand = Stand::new(&[committed(3), batch(&[0, 1, 0, 1, b'g'], None)]);
    stand.lead(ME, 2);
    while stand.fetch().await == Err(Refusal::CoordinatorLoadInProgress) {}
    assert_eq!(stand.fetch().await, Err(Refusal::NotCoordinator));
}

// Verifies: group.retention.offset, group.retention.group
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offset_that_no_one_has_needed_for_long_is_forgotten() {
    let mut stand = Stand::new(&[committed(3)]);
    stand.lead(ME, 1);
    assert_eq!(stand.until_told().await, Some(3));
    assert!(stand.entrance.send(Event::UnneededSince(Timestamp(0))).is_ok());
    let waits = stand.commit(4);
    answer(stand.next_append().await, ProduceOutcome::Acked { base: Offset(1) });
    assert_eq!(waits.await.expect("an answer"), Ok(()), "it was committed later than that, and is kept");
    assert!(stand.entrance.send(Event::UnneededSince(Timestamp(i64::MAX))).is_ok());
    let produced = stand.next_append().await;
    let written = read(&produced.bytes, 1 << 20).expect("records").map(|record| record.expect("a record"));
    assert!(written.into_iter().all(|record| record.value.is_none()), "tombstones only");
    answer(produced, ProduceOutcome::Acked { base: Offset(2) });
    while stand.fetch().await != Ok(None) {}
}
