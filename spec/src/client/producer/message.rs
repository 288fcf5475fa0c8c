//! What a producer hears, and what it says.

use super::Identity;
use crate::client::Code;
use crate::group::NamedPartition;
use crate::producer::Sequence;
use crate::values::{Offset, Ticket};

/// Which batch. Never used twice by one producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The application has given a record, and its partition is chosen.
    Given {
        /// Where it is to go.
        partition: NamedPartition,
        /// Which record. Free for another once it is done.
        record: Ticket,
        /// How many bytes of a batch it takes.
        bytes: u32,
    },
    /// The application waits until everything is done.
    FlushAsked,
    /// An answer to [`Output::AskId`].
    IdAnswered(Result<Identity, Code>),
    /// An answer to [`Output::Send`], or the certainty that none will come; with acks=0, that it was sent.
    Answered {
        /// The batch's partition.
        partition: NamedPartition,
        /// Which batch.
        batch: BatchId,
        /// Which attempt.
        attempt: u32,
        /// The offset of its first record, if the leader tells; or why not.
        outcome: Result<Option<Offset>, Code>,
    },
    /// Another broker leads the partition than at the last attempt.
    LeaderChanged(NamedPartition),
    /// A timer is due.
    TimerFired(Timer),
}

/// A producer's timers. How long each runs is the program's configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// `linger.ms`, from when it is set: how long the partition's newest batch waits for more records.
    Linger(NamedPartition),
    /// `retry.backoff.ms`, from when it is set: until a batch for this partition is sent again.
    Retry(NamedPartition),
    /// `delivery.timeout.ms`, from when it is set: how long this batch may take in all.
    Delivery(NamedPartition, BatchId),
    /// `retry.backoff.ms`, from when it is set: until an id is asked for again.
    Id,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Ask any broker for an id (InitProducerId).
    AskId,
    /// Send a batch to the leader of its partition. Those for one partition arrive in this order as long as they go to
    /// one leader on one connection.
    Send(Request),
    /// Look up who leads the partition.
    FindLeader(NamedPartition),
    /// Tell the application what became of these records.
    Done {
        /// Where they were to go.
        partition: NamedPartition,
        /// Which, in order.
        records: Vec<Ticket>,
        /// What became of them.
        outcome: Outcome,
    },
    /// Tell who waited for it that everything is done.
    Flushed,
    /// Arm a timer, in place of an earlier one of the same name.
    SetTimer(Timer),
    /// Let a timer be.
    CancelTimer(Timer),
}

/// A batch to send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Its partition.
    pub partition: NamedPartition,
    /// Which batch.
    pub batch: BatchId,
    /// The how manieth attempt, from 1.
    pub attempt: u32,
    /// Whose it is and the number of its first record, if the producer is idempotent.
    pub numbers: Option<(Identity, Sequence)>,
    /// Its records, in order.
    pub records: Vec<Ticket>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It counts as written. The offset is that of the first record that was named, if anyone told.
    Acked(Option<Offset>),
    /// It was certainly not written.
    Refused(Code),
    /// It may have been written, or may still be.
    Unknown(Code),
}
