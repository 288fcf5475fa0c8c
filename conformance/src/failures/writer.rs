//! A writer: its values go out one batch after another, each once, and what became of each is noted.

use super::history::{Outcome, Value};
use super::log::Log;
use highwater::client::{ClientError, Connection, ErrorCode};
use highwater::records::{BatchBuilder, RecordError};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use highwater_spec::values::{BrokerId, Offset};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a broker may wait for a batch to be committed, in milliseconds.
const COMMIT_MS: i32 = 1_000;
/// A broker that hasn't answered by then is asleep, or gone in silence.
const PATIENCE: Duration = Duration::from_secs(2);

/// When a broker answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// At once: no promise is made.
    Leader,
    /// When all in sync have it.
    All,
}

/// Why values were not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// No broker knows of a leader.
    #[error("nobody leads")]
    NobodyLeads,
    /// The broker refused, or there is no answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The values make no batch.
    #[error(transparent)]
    Batch(#[from] RecordError),
}

impl WriteError {
    /// The broker's error code, if it answered with one.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Client(ClientError::Refused { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// Whether the values are in no log for certain. A leader that is deposed while it waits for its followers answers
    /// NOT_LEADER_OR_FOLLOWER after it has appended: that one says nothing.
    fn was_not_written(&self) -> bool {
        match self {
            Self::NobodyLeads | Self::Batch(_) => true,
            Self::Client(ClientError::Refused { code, .. }) => {
                [ErrorCode::NOT_ENOUGH_REPLICAS, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ErrorCode::UNKNOWN_TOPIC_ID]
                    .contains(code)
            }
            Self::Client(error) => error.had_no_effect(),
        }
    }
}

/// Writes to one log, each value once.
#[derive(Debug)]
pub struct Writer {
    name: Arc<str>,
    log: Log,
    acks: Acks,
    /// The only broker that it writes to; `None`: whoever leads.
    only: Option<BrokerId>,
    connection: Option<Connection>,
    next: u32,
}

impl Writer {
    /// Writes to whoever leads. Its values begin with `kind`.
    #[must_use]
    pub fn new(kind: &str, log: &Log, acks: Acks) -> Self {
        Self { name: log.history.name(kind), log: log.clone(), acks, only: None, connection: None, next: 0 }
    }

    /// Writes to `broker`, whoever leads.
    #[must_use]
    pub fn only_to(mut self, broker: BrokerId) -> Self {
        self.only = Some(broker);
        self
    }

    /// Sends the next `count` values in one batch, once, and notes what became of them. The offset is the first one's.
    ///
    /// # Errors
    /// When they aren't acknowledged.
    pub async fn write(&mut self, count: u32) -> Result<Offset, WriteError> {
        let numbers = self.next..self.next + count;
        self.next = numbers.end;
        let values: Vec<_> = numbers.map(|number| Value { writer: Arc::clone(&self.name), number }).collect();
        self.note(&values, |_| Outcome::Unknown("not answered yet".to_owned()));
        let written = self.send(&values).await;
        match &written {
            // What only the leader has may be lost.
            Ok(_) if self.acks == Acks::Leader => self.note(&values, |_| Outcome::Unknown("acks=1".to_owned())),
            Ok(base) => self.note(&values, |index| Outcome::Acknowledged(Offset(base.0 + index))),
            Err(error) if error.was_not_written() => self.note(&values, |_| Outcome::NotWritten(error.to_string())),
            Err(error) => self.note(&values, |_| Outcome::Unknown(error.to_string())),
        }
        written
    }

    fn note(&self, values: &[Value], outcome: impl Fn(i64) -> Outcome) {
        for (index, value) in (0..).zip(values) {
            self.log.history.note(value.clone(), outcome(index));
        }
    }

    /// The connection is kept only after success: whoever refuses may not lead any more, and an answer that comes late
    /// must not be taken for the next.
    async fn send(&mut self, values: &[Value]) -> Result<Offset, WriteError> {
        let request = self.request(values)?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let answered = timeout(PATIENCE, connection.call(&request)).await;
        let mut answer = answered.unwrap_or_else(|_| Err(ClientError::timed_out(connection.address())))?;
        let partition = answer.responses.pop().and_then(|mut topic| topic.partition_responses.pop());
        let partition = partition.ok_or_else(|| ClientError::Incomplete {
            address: connection.address().to_owned(),
            subject: self.log.topic.to_string(),
        })?;
        ErrorCode(partition.error_code).of(|| self.log.topic.to_string())?;
        self.connection = Some(connection);
        Ok(Offset(partition.base_offset))
    }

    async fn connect(&self) -> Result<Connection, WriteError> {
        let broker = match self.only {
            Some(broker) => broker,
            None => self.log.leader().await.ok_or(WriteError::NobodyLeads)?,
        };
        let address = self.log.address(broker).ok_or(ClientError::unknown_broker(broker.0))?;
        Ok(Connection::connect(&address.to_string(), PATIENCE).await?)
    }

    fn request(&self, values: &[Value]) -> Result<ProduceRequest, WriteError> {
        let mut batch = BatchBuilder::new();
        for value in values {
            batch.push(0, None, Some(value.to_string().as_bytes()), &[])?;
        }
        let partition_data = vec![PartitionProduceData { index: 0, records: Some(batch.build()?) }];
        Ok(ProduceRequest {
            acks: if self.acks == Acks::All { -1 } else { 1 },
            timeout_ms: COMMIT_MS,
            topic_data: vec![TopicProduceData { topic_id: self.log.id, partition_data, ..Default::default() }],
            ..Default::default()
        })
    }
}
