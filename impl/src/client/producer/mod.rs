//! A producer: the machine of the specification, with connections, clocks and records.
//!
//! Decides nothing: what is sent when, and what is sent again, the machine says. Each broker has a connection of its own
//! here, which carries one request at a time with whatever has come together.

mod sender;

use super::timers::Timers;
use super::{Client, ClientError, Partition};
use crate::records::{BatchBuilder, Compression, RecordError};
use crate::wire::messages::InitProducerIdRequest;
use bytes::Bytes;
use highwater_spec::client::Code;
use highwater_spec::client::producer::{self as machine, Config, Identity, Input, Outcome, Output, Request, Timer};
use highwater_spec::group::NamedPartition;
use highwater_spec::machine::Machine;
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Ticket};
use sender::{Answer, Manner, Parcel};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a record takes beside its key and its value, at most.
const RECORD_OVERHEAD: usize = 21;
/// The most bytes of records that are not done (`buffer.memory`).
const BUFFER_BYTES: usize = 32 * 1024 * 1024;
/// How long to wait before something is sent again (`retry.backoff.ms`).
const BACKOFF: Duration = Duration::from_millis(100);

/// How a producer goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What the machine is told.
    pub config: Config,
    /// How to compress batches.
    pub compression: Compression,
    /// How long a batch waits for more records.
    pub linger: Duration,
    /// How long a batch may take in all.
    pub delivery: Duration,
    /// How long a broker may take for one request.
    pub request: Duration,
}

/// A record to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Option<Bytes>,
    /// Its time, in milliseconds since 1970.
    pub timestamp: i64,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which record: what [`Producer::give`] gave.
    pub record: Ticket,
    /// Its partition.
    pub partition: Partition,
    /// Its offset, if someone told; or that it was not written, or may have been, and why.
    pub outcome: Result<Option<Offset>, Lost>,
}

/// Why a record does not count as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Whether it certainly was not.
    pub had_no_effect: bool,
    /// Why, in words.
    pub reason: String,
}

/// Something that has happened, for [`Producer::handle`].
#[derive(Debug)]
pub struct Event(Happened);

#[derive(Debug)]
enum Happened {
    Answered(Answer),
    Due(Timer),
}

/// A producer for one cluster.
#[derive(Debug)]
pub struct Producer {
    client: Client,
    settings: Settings,
    machine: machine::Producer,
    records: BTreeMap<Ticket, NewRecord>,
    next: Ticket,
    buffered: usize,
    timers: Timers<Timer>,
    /// By address.
    senders: BTreeMap<String, UnboundedSender<Parcel>>,
    answers: UnboundedReceiver<Answer>,
    answer: UnboundedSender<Answer>,
    /// What last went wrong with a partition.
    trouble: BTreeMap<Partition, String>,
    done: VecDeque<Delivery>,
    is_flushed: bool,
}

impl Producer {
    /// A producer that speaks through this client.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        Self {
            client,
            settings,
            machine: machine::Producer::new(settings.config),
            records: BTreeMap::new(),
            next: Ticket(0),
            buffered: 0,
            timers: Timers::new(),
            senders: BTreeMap::new(),
            answers,
            answer,
            trouble: BTreeMap::new(),
            done: VecDeque::new(),
            is_flushed: false,
        }
    }

    /// Whether so much is not done that no more should be given.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.buffered >= BUFFER_BYTES
    }

    /// How many batches wait for a partition, and whether the newest still takes records.
    #[must_use]
    pub fn waiting(&self, partition: &Partition) -> (u32, bool) {
        self.machine.waiting(&named(partition))
    }

    /// How many bytes of a batch a record takes, at most.
    #[must_use]
    pub fn bytes(record: &NewRecord) -> u32 {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        u32::try_from(length(&record.key) + length(&record.value) + RECORD_OVERHEAD).unwrap_or(u32::MAX)
    }

    /// Takes a record. What becomes of it, [`Producer::delivered`] tells later.
    pub async fn give(&mut self, partition: &Partition, record: NewRecord) -> Ticket {
        let ticket = self.next;
        self.next = Ticket(ticket.0.wrapping_add(1));
        let bytes = Self::bytes(&record);
        self.buffered += bytes as usize;
        self.records.insert(ticket, record);
        self.step(Input::Given { partition: named(partition), record: ticket, bytes }).await;
        ticket
    }

    /// From now on nothing waits for more. [`Producer::is_flushed`] tells when everything is done.
    pub async fn flush(&mut self) {
        self.is_flushed = false;
        self.step(Input::FlushAsked).await;
    }

    /// Whether everything that was given before [`Producer::flush`] is done.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    /// What is done and was not told yet.
    pub fn delivered(&mut self) -> impl Iterator<Item = Delivery> + '_ {
        self.done.drain(..)
    }

    /// Waits for something to happen. Nothing is lost if it is not waited for to the end.
    pub async fn happens(&mut self) -> Event {
        tokio::select! {
            Some(answer) = self.answers.recv() => Event(Happened::Answered(answer)),
            timer = self.timers.due() => Event(Happened::Due(timer)),
        }
    }

    /// Takes note of what has happened.
    pub async fn handle(&mut self, event: Event) {
        match event.0 {
            Happened::Answered(Answer { partition, batch, attempt, outcome }) => {
                let outcome = outcome.map_err(|(code, reason)| {
                    self.trouble.insert(partition.clone(), reason);
                    code
                });
                self.step(Input::Answered { partition: named(&partition), batch, attempt, outcome }).await;
            }
            Happened::Due(timer) => {
                if self.timers.take(&timer) {
                    self.step(Input::TimerFired(timer)).await;
                }
            }
        }
    }

    /// One turn of the machine, and what follows from its outputs at once.
    async fn step(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut outputs = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.machine.step(&Rules::KAFKA, input, &mut outputs);
            for output in outputs.drain(..) {
                self.carry_out(output, &mut inputs).await;
            }
        }
    }

    async fn carry_out(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::AskId => inputs.push_back(Input::IdAnswered(self.ask_id().await)),
            Output::Send(request) => {
                let (partition, batch, attempt) = (request.partition.clone(), request.batch, request.attempt);
                if let Err((code, reason)) = self.send(request).await {
                    self.trouble.insert(plain(&partition), reason);
                    inputs.push_back(Input::Answered { partition, batch, attempt, outcome: Err(code) });
                }
            }
            Output::FindLeader(_) => self.client.forget_topics(),
            Output::Done { partition, records, outcome } => self.finish(&plain(&partition), records, outcome),
            Output::Flushed => self.is_flushed = true,
            Output::SetTimer(timer) => {
                let after = match &timer {
                    Timer::Linger(_) => self.settings.linger,
                    Timer::Delivery(..) => self.settings.delivery,
                    Timer::Retry(_) | Timer::Id => BACKOFF,
                };
                self.timers.set(timer, after);
            }
            Output::CancelTimer(timer) => self.timers.cancel(&timer),
        }
    }

    async fn ask_id(&mut self) -> Result<Identity, Code> {
        let request =
            InitProducerIdRequest { transactional_id: None, transaction_timeout_ms: i32::MAX, ..Default::default() };
        let answer = self.client.ask_any(&request, Duration::ZERO).await;
        let answer = answer.map_err(|error| code_of(&error))?;
        match answer.error_code {
            0 => Ok(Identity { id: ProducerId(answer.producer_id), epoch: ProducerEpoch(answer.producer_epoch) }),
            code => Err(Code(code)),
        }
    }

    async fn send(&mut self, request: Request) -> Result<(), (Code, String)> {
        let partition = plain(&request.partition);
        let unbuildable = |error: RecordError| (Code(error.code()), error.to_string());
        let bytes = self.encode(&request).map_err(unbuildable)?;
        let found = self.client.leader(&partition).await;
        let (leader, topic) = found.map_err(|error| (code_of(&error), error.to_string()))?;
        let endpoint = self.client.brokers().get(&leader).map(ToString::to_string);
        let unknown = || (Code::LEADER_NOT_AVAILABLE, ClientError::unknown_broker(leader).to_string());
        let address = endpoint.ok_or_else(unknown)?;
        let parcel =
            Parcel { partition, topic_id: topic.topic_id, batch: request.batch, attempt: request.attempt, bytes };
        let sender = self.senders.entry(address.clone()).or_insert_with(|| {
            let (sender, parcels) = mpsc::unbounded_channel();
            let manner = Manner {
                acks: self.settings.config.acks.into(),
                connect: self.client.patience().connect,
                within: self.settings.request,
                answer: self.client.patience().answer,
            };
            tokio::spawn(sender::run(address, manner, parcels, self.answer.clone()));
            sender
        });
        let gone = |_| (Code::NETWORK_EXCEPTION, "the connection's task is gone".to_owned());
        sender.send(parcel).map_err(gone)
    }

    fn encode(&self, request: &Request) -> Result<Bytes, RecordError> {
        let mut batch = BatchBuilder::new().compression(self.settings.compression);
        if let Some((identity, first)) = request.numbers {
            batch = batch.producer(identity.id.0, identity.epoch.0, first.0);
        }
        for record in request.records.iter().filter_map(|ticket| self.records.get(ticket)) {
            batch.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &[])?;
        }
        batch.build()
    }

    fn finish(&mut self, partition: &Partition, records: Vec<Ticket>, outcome: Outcome) {
        for (index, record) in (0..).zip(records) {
            if let Some(gone) = self.records.remove(&record) {
                self.buffered -= Self::bytes(&gone) as usize;
            }
            let outcome = match outcome {
                Outcome::Acked(base) => Ok(base.map(|base| base.plus(index))),
                Outcome::Refused(code) => Err(self.lost(partition, code, true)),
                Outcome::Unknown(code) => Err(self.lost(partition, code, false)),
            };
            self.done.push_back(Delivery { record, partition: partition.clone(), outcome });
        }
    }

    fn lost(&self, partition: &Partition, code: Code, had_no_effect: bool) -> Lost {
        let named = super::ErrorCode(code.0);
        let reason = match (code, self.trouble.get(partition)) {
            (Code::REQUEST_TIMED_OUT, Some(trouble)) => format!("no success in time; at last: {trouble}"),
            (_, Some(trouble)) => trouble.clone(),
            (_, None) => named.to_string(),
        };
        Lost { had_no_effect, reason }
    }
}

/// What an error is to the machine.
fn code_of(error: &ClientError) -> Code {
    match error {
        ClientError::Refused { code, .. } => Code(code.0),
        ClientError::Unsupported { .. } => Code::UNSUPPORTED_VERSION,
        ClientError::Unreachable { .. } | ClientError::UnknownBroker(_) => Code::LEADER_NOT_AVAILABLE,
        ClientError::UnknownTopic(_) | ClientError::UnknownPartition { .. } => Code(3),
        ClientError::Unfit(_) => Code::MESSAGE_TOO_LARGE,
        _ => Code::NETWORK_EXCEPTION,
    }
}

fn named(partition: &Partition) -> NamedPartition {
    NamedPartition { topic: partition.topic.as_str().into(), index: partition.index }
}

fn plain(partition: &NamedPartition) -> Partition {
    Partition { topic: partition.topic.0.to_string(), index: partition.index }
}
