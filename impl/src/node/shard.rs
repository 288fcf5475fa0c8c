//! A shard: the thread that hosts some of the broker's replicas, steps them and carries out what they say.
//!
//! It decides nothing: which output follows from which input is `highwater_spec::replica`'s to say. Neighbouring
//! produces of one partition become one input, so that load makes batches by itself.

use super::cleaner::CleanWish;
use super::fetcher;
use super::hosted::Hosted;
use super::partitions::Partitions;
use super::producer_expiry::silent;
use super::tickets::Tickets;
use super::timers::Timers;
use super::{broker_host, log_dirs::LogDirs};
use crate::carrier::Net;
use crate::cells::Drained;
use crate::door::{Done, Enters, Entrance, Pass, Place, Plain, What};
use crate::storage::{CleanJob, Cleaned, FlushJob, Flushed, LogConfig, PartitionName, StorageError};
use bytes::Bytes;
use highwater_spec::broker;
use highwater_spec::machine::Machine;
use highwater_spec::producer::{Producers, Sequenced};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{
    Acks, FetchAnswer, FetchRequest, FollowerFetch, Input, Output, Produce, ProduceOutcome, Timer,
};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, Offset, Ticket, Timestamp, TopicPartition};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// What reaches a shard.
pub enum Event {
    /// The broker tells a replica something, and has it made if there is none.
    Told(Told),
    /// A client's batch.
    Produced(Produced),
    /// Someone wants to know what a replica knows of its producers. Without a replica nobody answers.
    ProducersAsked(TopicPartition, oneshot::Sender<Producers>),
    /// Producers that have written nothing since are to be forgotten.
    ProducersSilentSince(Timestamp),
    /// A follower's fetch.
    FollowerFetched(TopicPartition, FollowerFetch<Net>),
    /// The leader answered this follower's fetch.
    FetchAnswered(TopicPartition, FetchRequest, FetchAnswer<Net>),
    /// The leader told the ends of its log.
    LogEndsAnswered(TopicPartition, FetchRequest, LogEnds),
    /// A flush beside the shard has ended.
    Flushed(TopicPartition, Result<Flushed, StorageError>),
    /// Someone wants to know what is to be cleaned of a log. Without a replica nobody answers.
    CleaningConsidered(TopicPartition, CleanWish, oneshot::Sender<CleanJob>),
    /// A round of cleaning beside the shard has ended. The answer is up to where the log is clean now (exclusive).
    Cleaned(TopicPartition, Cleaned, oneshot::Sender<Offset>),
    /// A timer that the door has let through.
    Due(TimerName),
    /// To be called when a replica has heard what it was told before.
    Sync(TopicPartition, Done),
    /// To be called when everything sent before has been taken note of.
    Mark(Done),
    /// Every log is to be flushed and closed; the answer is whether all were.
    Close(oneshot::Sender<bool>),
}

/// What the broker says to one of its replicas.
pub struct Told {
    /// Which.
    pub partition: TopicPartition,
    /// Its name.
    pub name: PartitionName,
    /// How its log is kept.
    pub config: LogConfig,
    /// What it hears.
    pub input: Input<Net>,
}

/// A client's batch.
pub struct Produced {
    /// Where to.
    pub partition: TopicPartition,
    /// When to answer.
    pub acks: Acks,
    /// How many offsets it takes.
    pub count: u32,
    /// Whose it is, if its producer has an id.
    pub producer: Option<Sequenced>,
    /// The batch.
    pub bytes: Bytes,
    /// How long the client waits to hear that it is committed.
    pub timeout: Duration,
    /// Takes the answer.
    pub reply: oneshot::Sender<Outcome>,
}

/// How a produce ended, with the log's start (inclusive) as it then was.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// How.
    pub outcome: ProduceOutcome,
    /// The first offset that can be read.
    pub log_start: Offset,
}

/// The ends of a leader's log.
#[derive(Clone, Copy, Debug)]
pub struct LogEnds {
    /// Its first offset (inclusive).
    pub start: Offset,
    /// Its log end offset (exclusive).
    pub end: Offset,
}

/// What every shard of a broker shares.
pub struct Surroundings {
    /// The broker.
    pub me: BrokerId,
    /// The rules in force.
    pub rules: Rules,
    /// Where logs lie.
    pub log_dirs: Arc<LogDirs>,
    /// What other threads see of the replicas.
    pub partitions: Arc<Partitions>,
    /// Takes the fetches that replicas ask for.
    pub fetcher: mpsc::UnboundedSender<fetcher::Event>,
    /// Takes the ISRs that replicas propose.
    pub broker: Entrance<broker_host::Event>,
    /// `replica.lag.time.max.ms`.
    pub lag: Duration,
    /// `replica.fetch.backoff.ms`.
    pub fetch_backoff: Duration,
}

/// A timer of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerName {
    /// One that a replica asked for.
    Replica(TopicPartition, Timer),
    /// Until a producer stops waiting.
    Produce(TopicPartition, Ticket),
}

impl TimerName {
    /// What the replica hears when it fires.
    fn input(self) -> (TopicPartition, Input<Net>) {
        match self {
            Self::Replica(partition, timer) => (partition, Input::TimerFired(timer)),
            Self::Produce(partition, ticket) => (partition, Input::ProduceTimedOut(ticket)),
        }
    }
}

impl Enters for Event {
    fn arrival(&self) -> Option<(Place, What)> {
        let (partition, input) = match self {
            Self::Told(told) => (told.partition, told.input.recast::<Plain>()),
            Self::Produced(produced) => (produced.partition, produced.input()),
            Self::FollowerFetched(partition, fetch) => {
                (*partition, Input::<Net>::FollowerFetched(fetch.clone()).recast())
            }
            Self::FetchAnswered(partition, asked, answer) => {
                let answer = answer.clone();
                (*partition, Input::<Net>::FetchAnswered { asked: *asked, answer }.recast())
            }
            Self::LogEndsAnswered(partition, asked, LogEnds { start, end }) => {
                (*partition, Input::LogEndsAnswered { asked: *asked, start: *start, end: *end })
            }
            Self::Sync(partition, _) => return Some((Place::Replica(*partition), What::Sync)),
            Self::Close(_) => return Some((Place::Broker, What::Close)),
            Self::ProducersAsked(..)
            | Self::ProducersSilentSince(_)
            | Self::Flushed(..)
            | Self::CleaningConsidered(..)
            | Self::Cleaned(..)
            | Self::Due(_)
            | Self::Mark(_) => return None,
        };
        Some((Place::Replica(partition), What::Input(format!("{input:?}"))))
    }

    fn mark(done: Done) -> Self {
        Self::Mark(done)
    }
}

impl Produced {
    /// As a replica will hear it, but for the ticket.
    fn input(&self) -> Input<Plain> {
        let Self { acks, count, producer, ref bytes, .. } = *self;
        let request = Produce::<Net> { ticket: Ticket(0), acks, count, producer, bytes: bytes.clone() };
        Input::<Net>::Produced(vec![request]).recast()
    }
}

/// The thread's own state.
pub struct Shard {
    around: Arc<Surroundings>,
    entrance: Entrance<Event>,
    hosted: HashMap<TopicPartition, Hosted>,
    /// Whose logs could not be opened: not tried again until the broker starts again.
    unusable: HashSet<TopicPartition>,
    timers: Timers<TimerName>,
    tickets: Tickets<oneshot::Sender<Outcome>>,
}

impl Shard {
    /// A shard that hosts nothing yet.
    pub fn new(around: Arc<Surroundings>, entrance: Entrance<Event>) -> Self {
        let before = entrance.clone();
        let hold = move |name: &TimerName| {
            let (name, (partition, input)) = (*name, name.input());
            let timer = format!("{:?}", input.recast::<Plain>());
            before.hold_timer(Place::Replica(partition), timer, move || Event::Due(name))
        };
        Self {
            around,
            entrance,
            hosted: HashMap::new(),
            unusable: HashSet::new(),
            timers: Timers::before(hold),
            tickets: Tickets::new(),
        }
    }

    /// Runs until the inbox is closed.
    pub fn run(mut self) {
        let entrance = self.entrance.clone();
        let mut events = Vec::new();
        while entrance.drain(&mut events, self.timers.next()) != Drained::Closed {
            let mut arrived = events.drain(..).peekable();
            while let Some(event) = arrived.next() {
                match event {
                    Event::Produced(first) => {
                        let partition = first.partition;
                        let mut produced = vec![first];
                        while let Some(Event::Produced(next)) = arrived.next_if(|next| is_produced_to(next, partition))
                        {
                            produced.push(next);
                        }
                        self.produced(partition, produced);
                    }
                    other => self.heard(other),
                }
            }
            self.fire_timers();
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::Told(told) => self.told(told),
            Event::Produced(produced) => self.produced(produced.partition, vec![produced]),
            Event::FollowerFetched(partition, fetch) => self.turn(partition, Input::FollowerFetched(fetch)),
            Event::FetchAnswered(partition, asked, answer) => {
                self.turn(partition, Input::FetchAnswered { asked, answer });
                self.tell_fetcher(fetcher::Event::Processed(partition));
            }
            Event::LogEndsAnswered(partition, asked, LogEnds { start, end }) => {
                self.turn(partition, Input::LogEndsAnswered { asked, start, end });
                self.tell_fetcher(fetcher::Event::Processed(partition));
            }
            Event::ProducersAsked(partition, reply) => {
                if let Some(hosted) = self.hosted.get(&partition) {
                    let _ = reply.send(hosted.machine.producers().clone());
                }
            }
            Event::ProducersSilentSince(since) => self.expire_producers(since),
            Event::Flushed(partition, flushed) => self.flushed(partition, flushed),
            Event::CleaningConsidered(partition, wish, reply) => self.consider_cleaning(partition, &wish, reply),
            Event::Cleaned(partition, cleaned, reply) => self.cleaned(partition, &cleaned, reply),
            Event::Due(name) => {
                if self.timers.take(&name) {
                    let (partition, input) = name.input();
                    self.turn(partition, input);
                }
            }
            Event::Sync(_, done) | Event::Mark(done) => done(),
            Event::Close(done) => {
                let _ = done.send(self.close_logs());
            }
        }
    }

    fn expire_producers(&mut self, since: Timestamp) {
        let silent = self.hosted.iter().map(|(id, hosted)| (*id, silent(hosted.machine.producers(), since)));
        let silent: Vec<_> = silent.filter(|(_, producers)| !producers.is_empty()).collect();
        for (partition, producers) in silent {
            if let Some(hosted) = self.hosted.get_mut(&partition) {
                hosted.forget_producers(&producers);
            }
            self.turn(partition, Input::ProducersExpired(producers));
        }
    }

    fn flushed(&mut self, partition: TopicPartition, flushed: Result<Flushed, StorageError>) {
        let Some(hosted) = self.hosted.get_mut(&partition) else { return };
        if let Err(error) = hosted.note_flushed(flushed) {
            let name = hosted.name().clone();
            self.offline(&name, &error);
            self.turn(partition, Input::Failed { unanswered: Vec::new() });
        }
    }

    fn consider_cleaning(&self, partition: TopicPartition, wish: &CleanWish, reply: oneshot::Sender<CleanJob>) {
        let Some(hosted) = self.hosted.get(&partition) else { return };
        match hosted.clean_job(&self.around.rules, wish) {
            Ok(Some(job)) => drop(reply.send(job)),
            Ok(None) => {}
            Err(error) => tracing::warn!(partition = %hosted.name(), %error, "its log is not cleaned"),
        }
    }

    fn cleaned(&mut self, partition: TopicPartition, cleaned: &Cleaned, reply: oneshot::Sender<Offset>) {
        let Some(hosted) = self.hosted.get_mut(&partition) else { return };
        match hosted.note_cleaned(cleaned) {
            Ok(Some(upto)) => drop(reply.send(upto)),
            Ok(None) => {}
            Err(error) => {
                let name = hosted.name().clone();
                self.offline(&name, &error);
                self.turn(partition, Input::Failed { unanswered: Vec::new() });
            }
        }
    }

    fn fire_timers(&mut self) {
        while let Some(name) = self.timers.take_due(Instant::now()) {
            let (partition, input) = name.input();
            self.turn(partition, input);
        }
    }

    fn told(&mut self, told: Told) {
        if matches!(told.input, Input::Deleted) {
            self.unusable.remove(&told.partition);
        }
        if self.unusable.contains(&told.partition) {
            return;
        }
        if !self.hosted.contains_key(&told.partition) && !matches!(told.input, Input::Deleted | Input::Closing) {
            match Hosted::open(&self.around, &told) {
                Ok(hosted) => drop(self.hosted.insert(told.partition, hosted)),
                Err(error) => {
                    self.unusable.insert(told.partition);
                    return self.offline(&told.name, &error);
                }
            }
        }
        if let Some(hosted) = self.hosted.get_mut(&told.partition) {
            hosted.configure(told.config);
        }
        self.turn(told.partition, told.input);
    }

    fn offline(&self, name: &PartitionName, error: &StorageError) {
        tracing::error!(partition = %name, %error, "replica goes offline");
        let failed = broker::Input::ReplicaFailed;
        let _ = self.around.broker.send(broker_host::Event::Heard(failed));
    }

    /// Steps one replica with everything that was produced to it.
    fn produced(&mut self, partition: TopicPartition, produced: Vec<Produced>) {
        let Some(hosted) = self.hosted.get(&partition) else {
            let outcome = ProduceOutcome::Refused(Refusal::NotLeaderOrFollower);
            let refused = Outcome { outcome, log_start: Offset(0) };
            for waiting in produced {
                let _ = waiting.reply.send(refused);
            }
            return;
        };
        debug_assert_eq!(hosted.id(), partition);
        let now = Instant::now();
        let mut requests = Vec::with_capacity(produced.len());
        for Produced { acks, count, producer, bytes, timeout, reply, .. } in produced {
            let ticket = self.tickets.issue(reply);
            if acks == Acks::All {
                self.timers.set(TimerName::Produce(partition, ticket), now + timeout);
            }
            requests.push(Produce { ticket, acks, count, producer, bytes });
        }
        self.turn(partition, Input::Produced(requests));
    }

    /// One turn: step the machine, carry out what it says, in order. What fails drops the rest and is the next input.
    fn turn(&mut self, partition: TopicPartition, input: Input<Net>) {
        let mut outputs = Vec::new();
        let Some(hosted) = self.hosted.get_mut(&partition) else { return };
        hosted.machine.step(&self.around.rules, input, &mut outputs);
        let mut outputs = outputs.into_iter();
        while let Some(output) = outputs.next() {
            if let Err(error) = self.carry_out(partition, output) {
                let name = self.hosted.get(&partition).map(|hosted| hosted.name().clone());
                name.iter().for_each(|name| self.offline(name, &error));
                let unanswered = outputs.filter_map(|output| match output {
                    Output::Reply { ticket, .. } => Some(ticket),
                    _ => None,
                });
                return self.turn(partition, Input::Failed { unanswered: unanswered.collect() });
            }
        }
    }

    fn carry_out(&mut self, partition: TopicPartition, output: Output<Net>) -> Result<(), StorageError> {
        let Some(hosted) = self.hosted.get_mut(&partition) else { return Ok(()) };
        let lasts = output.outlives_process();
        match output {
            Output::StoreEpochs(epochs) => hosted.on_log(|log| log.store_epochs(&epochs))?,
            Output::Append(batches) => {
                if let Some(job) = hosted.append(&batches)? {
                    self.flush_aside(partition, job);
                }
            }
            Output::Truncate { to } => {
                hosted.on_log(|log| log.truncate(to))?;
                self.note_recovery_points()?;
            }
            Output::TruncateFully { at } => {
                hosted.on_log(|log| log.truncate_fully(at))?;
                self.note_recovery_points()?;
            }
            Output::ReadProducers { upto } => {
                let producers = hosted.producers().clone();
                self.turn(partition, Input::ProducersRead { upto, producers });
            }
            Output::Flush { upto } => hosted.on_log(|log| log.flush(upto))?,
            Output::Reply { ticket, outcome } => self.reply(partition, ticket, outcome),
            Output::Fetch(request) => self.tell_fetcher(fetcher::Event::Fetch(partition, request)),
            Output::AskLogEnds(request) => self.tell_fetcher(fetcher::Event::AskLogEnds(partition, request)),
            Output::CancelFetch => self.tell_fetcher(fetcher::Event::Cancel(partition)),
            Output::ProposeIsr(proposal) => {
                let proposed = broker::Input::IsrProposed { partition, proposal };
                let _ = self.around.broker.send(broker_host::Event::Heard(proposed));
            }
            Output::SetTimer { timer, from } => {
                let runs = match timer {
                    Timer::Lag(_) => self.around.lag,
                    Timer::FetchRetry => self.around.fetch_backoff,
                };
                let due = from.unwrap_or_else(Instant::now) + runs;
                self.timers.set(TimerName::Replica(partition, timer), due);
            }
            Output::Publish(view) => hosted.publish(view),
            Output::DeleteLog => self.delete(partition)?,
        }
        if lasts {
            self.entrance.door().carried_out(Place::Replica(partition));
        }
        Ok(())
    }

    /// Makes ended segments durable, as Kafka does, without making the shard wait.
    fn flush_aside(&self, partition: TopicPartition, job: FlushJob) {
        let entrance = self.entrance.clone();
        let run = move || drop(entrance.send(Event::Flushed(partition, job.run())));
        if let Err(error) = thread::Builder::new().name("flush".to_owned()).spawn(run) {
            // Nothing is lost: the recovery point stays where it was, and a later flush covers this one.
            tracing::warn!(%error, "an ended segment is not flushed yet");
        }
    }

    /// A cut may lie below what was durable: were the old mark to stand, a crash would leave what is written next
    /// unexamined.
    fn note_recovery_points(&self) -> Result<(), StorageError> {
        self.around.log_dirs.write_recovery_points(&self.around.partitions.all())
    }

    fn reply(&mut self, partition: TopicPartition, ticket: Ticket, outcome: ProduceOutcome) {
        self.timers.cancel(&TimerName::Produce(partition, ticket));
        let log_start = self.hosted.get(&partition).map_or(Offset(0), |hosted| hosted.machine.log().start);
        let Some(reply) = self.tickets.redeem(ticket) else { return };
        let answer = move || reply.send(Outcome { outcome, log_start }).unwrap_or_default();
        match self.entrance.door().keeper() {
            None => answer(),
            Some(keeper) => {
                let pass: Pass = Box::new(move |done| {
                    answer();
                    done();
                });
                keeper.arrived(Place::Replica(partition), What::Reply(format!("{outcome:?}")), pass);
            }
        }
    }

    fn delete(&mut self, partition: TopicPartition) -> Result<(), StorageError> {
        let Some(hosted) = self.hosted.remove(&partition) else { return Ok(()) };
        self.around.partitions.remove(partition);
        self.timers.cancel_all(|name| matches!(name, TimerName::Replica(of, _) if *of == partition));
        self.tell_fetcher(fetcher::Event::Cancel(partition));
        hosted.delete()
    }

    fn close_logs(&mut self) -> bool {
        self.timers.cancel_all(|_| true);
        let mut clean = true;
        for (_, hosted) in self.hosted.drain() {
            let name = hosted.name().clone();
            clean &= hosted.close().unwrap_or_else(|error| {
                tracing::error!(partition = %name, %error, "its log was not closed cleanly");
                false
            });
        }
        clean
    }

    fn tell_fetcher(&self, event: fetcher::Event) {
        // The fetcher ends only when the whole node does.
        let _ = self.around.fetcher.send(event);
    }
}

fn is_produced_to(event: &Event, partition: TopicPartition) -> bool {
    matches!(event, Event::Produced(produced) if produced.partition == partition)
}
