//! A member of a group of consumers: the machine of the specification, with connections, clocks and records.
//!
//! Decides nothing: when to join, what to give up, where to read from and what to commit the machine says. The
//! coordinator is asked by a task, the leaders by a thread, one thing after the other.

mod coordinator;
mod metadata;
mod reader;
mod tasks;

pub use coordinator::Sessions;

use super::timers::Timers;
use super::{Client, Partition};
use crate::records::{Record, RecordError};
use highwater_spec::client::consumer::{self as machine, Config, Failure, Input, Output, Timer};
use highwater_spec::group::{Generation, NamedPartition, TopicName};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::rules::Rules;
use highwater_spec::values::Offset;
use reader::{Ask, Brought, From, Told};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::thread;
use std::time::Duration;
use tasks::{new_coordinator, read, spawn_coordinator};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// How long a consumer that can read nothing waits before it polls again.
const IDLE: Duration = Duration::from_millis(50);
/// How often the number of partitions is looked up.
const TOPICS: Duration = Duration::from_secs(5);
/// How long to wait before asking again.
const RETRY: Duration = Duration::from_millis(100);
/// How long a goodbye may take.
const LEAVE: Duration = Duration::from_secs(5);

/// How a consumer goes about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The group.
    pub group: String,
    /// What the machine is told.
    pub config: Config,
    /// How long it may be silent.
    pub sessions: Sessions,
    /// How often it tells that it is alive.
    pub heartbeat: Duration,
    /// How often it commits by itself.
    pub commit: Duration,
}

/// What a consumer tells whoever polls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Records of one partition, in order. They count as processed at the next poll.
    Records(Partition, Vec<Record>),
    /// It reads these as well.
    Assigned(Vec<Partition>),
    /// It reads these no more, and nobody else does yet.
    Revoked(Vec<Partition>),
    /// It has lost these; someone else may read them already.
    Lost(Vec<Partition>),
    /// What was processed may be processed again.
    CommitFailed(Refusal),
    /// What was read of a partition, up to the first offset (exclusive), is in its log no more: not from the second one
    /// on (inclusive), if anyone can say.
    Truncated(Partition, Offset, Option<Offset>),
    /// A partition holds what is no record.
    Damaged(Partition, RecordError),
    /// It cannot go on.
    Failed(Failure),
    /// It has ended.
    Ended,
}

/// Something that has happened, for [`Consumer::handle`].
#[derive(Debug)]
pub struct Event(Happened);

#[derive(Debug)]
enum Happened {
    Coordinator(u64, Vec<Input>),
    Read(Told),
    Due(Timer),
    Idle,
}

/// A member of a group.
pub struct Consumer {
    /// Made anew wherever one is needed.
    client: Box<dyn Fn() -> Client + Send>,
    settings: Settings,
    machine: machine::Consumer,
    timers: Timers<Timer>,
    /// How often what was asked of a coordinator was given up.
    life: u64,
    coordinator: UnboundedSender<Output>,
    coordinator_task: JoinHandle<()>,
    answers: UnboundedReceiver<(u64, Vec<Input>)>,
    answer: UnboundedSender<(u64, Vec<Input>)>,
    reader: UnboundedSender<Ask>,
    told: UnboundedReceiver<Told>,
    is_reading: bool,
    idle_until: Instant,
    topics_until: Instant,
    /// What a fetch has brought, until the machine says that it counts.
    brought: BTreeMap<NamedPartition, Vec<Record>>,
    /// In which of its shares each partition came that it owns.
    shares: BTreeMap<NamedPartition, u64>,
    last_share: u64,
    /// The topics that it reads, or shares out as the leader.
    topics: BTreeSet<TopicName>,
    news: VecDeque<News>,
    goodbyes: Vec<JoinHandle<()>>,
}

impl Consumer {
    /// A consumer that is no member yet. Must be made within a runtime.
    #[must_use]
    pub fn new(client: impl Fn() -> Client + Send + 'static, settings: Settings) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let client = Box::new(client);
        let (coordinator, coordinator_task) = spawn_coordinator(client(), &settings, 0, answer.clone());
        let (reader, asks) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let reads = client();
        thread::spawn(move || read(reads, asks, &tell));
        Self {
            client,
            machine: machine::Consumer::new(settings.config.clone()),
            topics: settings.config.topics.clone(),
            settings,
            timers: Timers::new(),
            life: 0,
            coordinator,
            coordinator_task,
            answers,
            answer,
            reader,
            told,
            is_reading: false,
            idle_until: Instant::now(),
            topics_until: Instant::now(),
            brought: BTreeMap::new(),
            shares: BTreeMap::new(),
            last_share: 0,
            news: VecDeque::new(),
            goodbyes: Vec::new(),
        }
    }

    /// The generation that it lives in, as long as it believes to be a member.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        self.machine.generation()
    }

    /// All that was delivered before is processed; more is asked for.
    pub fn poll(&mut self) {
        self.step(Input::Polled);
        if self.topics_until <= Instant::now() {
            self.topics_until = Instant::now() + TOPICS;
            self.read(Ask::Topics(self.topics.clone()));
        }
        if self.is_reading || self.machine.has_ended() {
            return;
        }
        let from = |(partition, offset): (&NamedPartition, Offset)| {
            (partition.clone(), From { offset, under: self.machine.leader_epoch(partition) })
        };
        let positions: BTreeMap<_, _> = self.machine.positions().map(from).collect();
        if positions.is_empty() {
            self.idle_until = Instant::now() + IDLE;
        } else {
            self.is_reading = true;
            self.read(Ask::Fetch(positions));
        }
    }

    /// Processes what was delivered, commits, leaves; [`News::Ended`] tells when that is done.
    pub fn close(&mut self) {
        self.step(Input::Closed);
    }

    /// What there is to tell.
    pub fn news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Waits for something to happen. Nothing is lost if it is not waited for to the end.
    pub async fn happens(&mut self) -> Event {
        tokio::select! {
            Some((life, inputs)) = self.answers.recv() => Event(Happened::Coordinator(life, inputs)),
            Some(told) = self.told.recv() => Event(Happened::Read(told)),
            timer = self.timers.due() => Event(Happened::Due(timer)),
            () = sleep_until(self.idle_until), if !self.is_reading => Event(Happened::Idle),
        }
    }

    /// Takes note of what has happened. Of what was fetched at most `most` records are delivered. Whether it is time to
    /// poll again.
    pub fn handle(&mut self, event: Event, most: usize) -> bool {
        match event.0 {
            Happened::Coordinator(life, inputs) => {
                // Answers to what was given up are none.
                if life == self.life {
                    inputs.into_iter().for_each(|input| self.hear(input));
                }
                false
            }
            Happened::Read(Told::Fetched(fetched)) => {
                self.is_reading = false;
                self.fetched(fetched, most);
                true
            }
            Happened::Read(Told::Found(partition, offset, share)) => {
                // What was asked for an earlier share says nothing of this one.
                if self.shares.get(&partition) == Some(&share) {
                    self.step(Input::OffsetFound { partition, offset });
                }
                false
            }
            Happened::Read(Told::Topics(topics, leaders)) => {
                self.step(Input::LeadersSeen(leaders));
                self.step(Input::TopicsSeen(topics));
                false
            }
            Happened::Read(Told::Leaders(leaders)) => {
                self.step(Input::LeadersSeen(leaders));
                false
            }
            Happened::Read(Told::EpochEnd { partition, at, leader, outcome }) => {
                self.step(Input::EpochEndAnswered { partition, at, leader, outcome });
                false
            }
            Happened::Read(Told::Nothing(ask)) => {
                if matches!(ask, Ask::FindOffset(..) | Ask::Leaders(_)) {
                    self.read(ask);
                }
                false
            }
            Happened::Due(timer) => {
                if self.timers.take(&timer) {
                    self.step(Input::TimerFired(timer));
                }
                false
            }
            Happened::Idle => {
                self.idle_until = Instant::now() + IDLE;
                true
            }
        }
    }

    /// Waits until whoever has to know has heard that it leaves.
    pub async fn gone(self) {
        self.coordinator_task.abort();
        for goodbye in self.goodbyes {
            let _ = tokio::time::timeout(LEAVE, goodbye).await;
        }
    }

    fn fetched(&mut self, fetched: Vec<(NamedPartition, From, Brought)>, mut most: usize) {
        for (partition, From { offset: from, under }, brought) in fetched {
            match brought {
                Brought::Records(mut found) => {
                    found.truncate(most);
                    let (upto, epoch) = (found.upto(from), found.epoch_below(found.upto(from)));
                    most -= found.records.len();
                    self.brought.insert(partition.clone(), found.records);
                    self.step(Input::Fetched { partition: partition.clone(), from, under, upto, epoch });
                    self.brought.remove(&partition);
                }
                Brought::Refused(refusal) => self.step(Input::FetchRefused { partition, from, under, refusal }),
                Brought::Damaged(error) => self.news.push_back(News::Damaged(plain(&partition), error)),
            }
        }
    }

    /// What a coordinator has answered.
    fn hear(&mut self, input: Input) {
        if let Input::TopicsSeen(topics) = &input {
            self.topics = self.settings.config.topics.iter().chain(topics.keys()).cloned().collect();
        }
        self.step(input);
    }

    fn step(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.machine.step(&Rules::KAFKA, input, &mut outputs);
        for output in outputs {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::FindCoordinator => {
                self.give_up_requests();
                self.ask(output);
            }
            Output::Leave { .. } => {
                self.give_up_requests();
                self.say_goodbye(output);
            }
            Output::Join { .. }
            | Output::Sync { .. }
            | Output::Heartbeat { .. }
            | Output::FetchOffsets(_)
            | Output::Commit { .. } => self.ask(output),
            Output::FindOffset { partition, at } => {
                let share = self.shares.get(&partition).copied().unwrap_or_default();
                self.read(Ask::FindOffset(partition, at, share));
            }
            Output::FindLeaders => self.read(Ask::Leaders(self.topics.clone())),
            Output::FindEpochEnd { partition, at, leader } => self.read(Ask::EpochEnd { partition, at, leader }),
            Output::Truncated { partition, at, diverges } => {
                self.news.push_back(News::Truncated(plain(&partition), at, diverges));
            }
            Output::Deliver { partition, .. } => {
                if let Some(records) = self.brought.remove(&partition).filter(|records| !records.is_empty()) {
                    self.news.push_back(News::Records(plain(&partition), records));
                }
            }
            Output::Assigned(partitions) => {
                self.last_share += 1;
                self.shares.extend(partitions.iter().map(|partition| (partition.clone(), self.last_share)));
                self.news.push_back(News::Assigned(all(&partitions)));
            }
            Output::Revoked(partitions) => {
                self.shares.retain(|partition, _| !partitions.contains(partition));
                self.news.push_back(News::Revoked(all(&partitions)));
            }
            Output::Lost(partitions) => {
                self.shares.retain(|partition, _| !partitions.contains(partition));
                self.news.push_back(News::Lost(all(&partitions)));
            }
            Output::CommitFailed(refusal) => self.news.push_back(News::CommitFailed(refusal)),
            Output::SetTimer(timer) => {
                let after = match timer {
                    Timer::Heartbeat => self.settings.heartbeat,
                    Timer::Poll => self.settings.sessions.poll,
                    Timer::Commit => self.settings.commit,
                    Timer::Retry => RETRY,
                };
                self.timers.set(timer, after);
            }
            Output::CancelTimer(timer) => self.timers.cancel(&timer),
            Output::Fail(failure) => self.news.push_back(News::Failed(failure)),
            Output::Exit => self.news.push_back(News::Ended),
        }
    }

    /// Whoever ends, ends: then nobody is asked any more.
    fn ask(&mut self, output: Output) {
        let _ = self.coordinator.send(output);
    }

    fn read(&mut self, ask: Ask) {
        let _ = self.reader.send(ask);
    }

    /// What was asked of the coordinator so far is answered to nobody.
    fn give_up_requests(&mut self) {
        self.life += 1;
        self.coordinator_task.abort();
        (self.coordinator, self.coordinator_task) =
            spawn_coordinator((self.client)(), &self.settings, self.life, self.answer.clone());
    }

    /// On a connection of its own, since a join may be waiting on the other.
    fn say_goodbye(&mut self, leave: Output) {
        let mut coordinator = new_coordinator((self.client)(), &self.settings);
        self.goodbyes.retain(|goodbye| !goodbye.is_finished());
        self.goodbyes.push(tokio::spawn(async move {
            coordinator.ask(Output::FindCoordinator).await;
            coordinator.ask(leave).await;
        }));
    }
}

fn all(partitions: &BTreeSet<NamedPartition>) -> Vec<Partition> {
    partitions.iter().map(plain).collect()
}

fn named(partition: &Partition) -> NamedPartition {
    NamedPartition { topic: partition.topic.as_str().into(), index: partition.index }
}

fn plain(partition: &NamedPartition) -> Partition {
    Partition { topic: partition.topic.0.to_string(), index: partition.index }
}
