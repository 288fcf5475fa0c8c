//! A producer as a client: which records go together, in which order batches go out, what is sent again, and what the
//! application is told.
//!
//! An idempotent one numbers its records in each partition, so that the leader knows what is sent again; what the leader
//! makes of it is [`crate::producer`].
//!
//! Not here: which partition a record goes to ([`super::partitioner`]), who leads it, what a record looks like,
//! transactions. Kafka counts batches under way by connection; here they are counted by partition, which comes to the
//! same for the order within one.
//!
//! Rules: `client.producer.*`. Source: KIP-98, KIP-91, KIP-360, KIP-679, KAFKA-5494; Kafka's `RecordAccumulator`,
//! `Sender`, `TransactionManager`.

mod answer;
mod message;
mod queue;

pub use message::{BatchId, Input, Outcome, Output, Request, Timer};

use super::Code;
use crate::group::NamedPartition;
use crate::machine::Machine;
use crate::replica::Acks;
use crate::rules::Rules;
use crate::values::{ProducerEpoch, ProducerId, Ticket};
use queue::{Batch, Queue, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Whose numbers they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The producer.
    pub id: ProducerId,
    /// How often it has begun anew.
    pub epoch: ProducerEpoch,
}

/// What a producer is told when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Who must have a record (`acks`).
    pub acks: Acks,
    /// Whether records have numbers (`enable.idempotence`).
    pub idempotent: bool,
    /// How many batches for one partition may be under way (`max.in.flight.requests.per.connection`); at least 1.
    pub max_in_flight: usize,
    /// How many bytes make a batch full (`batch.size`). A larger record has a batch of its own.
    pub batch_bytes: u32,
    /// How often a batch may be sent again (`retries`).
    pub retries: u32,
}

impl Config {
    /// Kafka's defaults since 3.0.
    pub const KAFKA: Self =
        Self { acks: Acks::All, idempotent: true, max_in_flight: 5, batch_bytes: 16_384, retries: i32::MAX as u32 };

    /// `client.producer.config`: numbers are of use only if every replica has to have them, the leader knows all batches
    /// that may be under way, and what fails is sent again.
    ///
    /// # Errors
    /// What does not go together.
    pub fn checked(self) -> Result<Self, Unsound> {
        match self {
            Self { idempotent: true, acks: Acks::None | Acks::Leader, .. } => Err(Unsound::Acks),
            Self { idempotent: true, max_in_flight: 6.., .. } => Err(Unsound::InFlight),
            Self { idempotent: true, retries: 0, .. } => Err(Unsound::Retries),
            sound => Ok(sound),
        }
    }
}

/// What does not go together with idempotence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsound {
    /// Fewer acks than all.
    Acks,
    /// More than five under way.
    InFlight,
    /// No retries.
    Retries,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acks => "an idempotent producer needs acks=all",
            Self::InFlight => "an idempotent producer may have at most 5 batches under way",
            Self::Retries => "an idempotent producer has to be allowed to try again",
        })
    }
}

/// A producer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Producer {
    config: Config,
    whoami: Whoami,
    queues: BTreeMap<NamedPartition, Queue>,
    last_batch: BatchId,
    /// Partitions whose numbers begin anew, in another epoch, at the end of this step.
    bumps: BTreeSet<NamedPartition>,
    /// Whether someone waits until everything is done.
    flushes: bool,
    /// Why nothing can be sent any more.
    fatal: Option<Code>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whoami {
    /// It has not needed an id yet, or may ask again.
    Unknown,
    Asked,
    Known(Identity),
}

impl Producer {
    /// A producer that has been given no record yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            whoami: Whoami::Unknown,
            queues: BTreeMap::new(),
            last_batch: BatchId(0),
            bumps: BTreeSet::new(),
            flushes: false,
            fatal: None,
        }
    }

    /// Whose numbers it gives now.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        match self.whoami {
            Whoami::Known(identity) => Some(identity),
            Whoami::Unknown | Whoami::Asked => None,
        }
    }

    /// How many records are not done.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.queues.values().flat_map(|queue| &queue.batches).map(|batch| batch.records.len()).sum()
    }

    /// How many batches wait to be sent to a partition, and whether the newest still takes records: what a partitioner
    /// looks at.
    #[must_use]
    pub fn waiting(&self, partition: &NamedPartition) -> (u32, bool) {
        let Some(queue) = self.queues.get(partition) else { return (0, false) };
        let waiting = queue.batches.iter().filter(|batch| batch.state != State::InFlight).count();
        let is_open = queue.batches.back().is_some_and(|batch| batch.state == State::Open);
        (u32::try_from(waiting).unwrap_or(u32::MAX), is_open)
    }

    /// `client.producer.batch`: a record goes into the newest batch of its partition, if there is room; or else a batch
    /// begins with it, and the one before is ready.
    fn given(&mut self, partition: NamedPartition, record: Ticket, bytes: u32, out: &mut Vec<Output>) {
        if let Some(code) = self.fatal {
            return out.push(Output::Done { partition, records: vec![record], outcome: Outcome::Refused(code) });
        }
        let queue = self.queues.entry(partition.clone()).or_default();
        let last = queue.batches.back_mut().filter(|batch| batch.state == State::Open);
        match last {
            Some(batch) if batch.bytes.saturating_add(bytes) <= self.config.batch_bytes => {
                batch.push(record, bytes);
            }
            last => {
                if let Some(full) = last {
                    full.state = State::Ready;
                }
                self.last_batch.0 += 1;
                let mut batch = Batch::new(self.last_batch);
                batch.push(record, bytes);
                out.push(Output::SetTimer(Timer::Delivery(partition.clone(), batch.id)));
                out.push(Output::SetTimer(Timer::Linger(partition.clone())));
                queue.batches.push_back(batch);
            }
        }
        let is_full = queue.batches.back().is_some_and(|batch| batch.bytes >= self.config.batch_bytes);
        if is_full || self.flushes {
            Self::make_ready(&partition, queue, out);
        }
    }

    /// `client.producer.ready`: a batch is sent once it is full, has waited for `linger.ms`, or is waited for.
    fn make_ready(partition: &NamedPartition, queue: &mut Queue, out: &mut Vec<Output>) {
        if let Some(batch) = queue.batches.back_mut().filter(|batch| batch.state == State::Open) {
            batch.state = State::Ready;
            out.push(Output::CancelTimer(Timer::Linger(partition.clone())));
        }
    }

    fn flush_asked(&mut self, out: &mut Vec<Output>) {
        self.flushes = true;
        for (partition, queue) in &mut self.queues {
            Self::make_ready(partition, queue, out);
        }
    }

    fn timer_fired(&mut self, timer: Timer, out: &mut Vec<Output>) {
        match timer {
            Timer::Linger(partition) => {
                if let Some(queue) = self.queues.get_mut(&partition) {
                    Self::make_ready(&partition, queue, out);
                }
            }
            Timer::Retry(partition) => self.retry(&partition),
            Timer::Delivery(partition, batch) => self.expire(&partition, batch, out),
            Timer::Id if self.whoami == Whoami::Asked => self.whoami = Whoami::Unknown,
            Timer::Id => {}
        }
    }

    /// `client.producer.retry.leader`: another leader is asked at once.
    fn retry(&mut self, partition: &NamedPartition) {
        if let Some(queue) = self.queues.get_mut(partition) {
            queue.backs_off = false;
        }
    }

    /// `client.producer.id`: an idempotent producer sends nothing before it has an id.
    fn ask_id(&mut self, out: &mut Vec<Output>) {
        let has_work = self.queues.values().any(|queue| queue.batches.iter().any(|batch| batch.state == State::Ready));
        if self.config.idempotent && self.whoami == Whoami::Unknown && has_work {
            self.whoami = Whoami::Asked;
            out.push(Output::AskId);
        }
    }

    fn id_answered(&mut self, outcome: Result<Identity, Code>, out: &mut Vec<Output>) {
        if self.whoami != Whoami::Asked {
            return;
        }
        match outcome {
            Ok(identity) => self.whoami = Whoami::Known(identity),
            Err(code) if code.is_retriable() => out.push(Output::SetTimer(Timer::Id)),
            Err(code) => self.fail_all(code, out),
        }
    }

    /// Everything that may go out goes out.
    fn send(&mut self, out: &mut Vec<Output>) {
        let current = self.identity();
        for (partition, queue) in &mut self.queues {
            while let Some(at) = queue.sendable(&self.config, current) {
                let numbers = self.config.idempotent.then_some(current).flatten();
                if let Some(current) = numbers {
                    queue.number(at, current);
                }
                let identity = queue.identity;
                let batch = &mut queue.batches[at];
                batch.state = State::InFlight;
                batch.is_renumbered = false;
                batch.attempts = batch.attempts.saturating_add(1);
                out.push(Output::Send(Request {
                    partition: partition.clone(),
                    batch: batch.id,
                    attempt: batch.attempts,
                    numbers: numbers.and(identity.zip(batch.first)),
                    records: batch.tickets(),
                }));
            }
        }
    }

    /// What follows from any input, in the order of Kafka's `Sender.runOnce`.
    fn go_on(&mut self, out: &mut Vec<Output>) {
        self.resolve();
        self.bump(out);
        self.ask_id(out);
        self.send(out);
        if self.flushes && self.unfinished() == 0 {
            self.flushes = false;
            out.push(Output::Flushed);
        }
    }
}

impl Machine for Producer {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, _rules: &Rules, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Given { partition, record, bytes } => self.given(partition, record, bytes, out),
            Input::FlushAsked => self.flush_asked(out),
            Input::IdAnswered(outcome) => self.id_answered(outcome, out),
            Input::Answered { partition, batch, attempt, outcome } => {
                self.answered(&partition, batch, attempt, outcome, out);
            }
            Input::LeaderChanged(partition) => self.retry(&partition),
            Input::TimerFired(timer) => self.timer_fired(timer, out),
        }
        self.go_on(out);
    }
}
