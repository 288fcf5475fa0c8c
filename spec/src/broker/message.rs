//! What a broker hears, and what it says.

use crate::controller::{HeartbeatReply, Image, IsrChange, Record};
use crate::machine::Carrier;
use crate::refusal::Refusal;
use crate::replica::{self, IsrProposal, ProposalsOutcome};
use crate::values::{BrokerEpoch, IncarnationId, Offset, TopicPartition};
use std::sync::Arc;

/// A fact that a broker takes note of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<C: Carrier> {
    /// The process has started.
    Started,
    /// The controller answered the registration; a request that was lost is answered with a refusal.
    RegistrationAnswered {
        /// The broker's epoch, or why not.
        outcome: Result<BrokerEpoch, Refusal>,
        /// When.
        at: C::Stamp,
    },
    /// The controller answered a heartbeat.
    HeartbeatAnswered(Result<HeartbeatReply, Refusal>),
    /// A snapshot of the metadata was loaded, before any record was heard.
    SnapshotLoaded {
        /// The metadata.
        image: Arc<Image>,
        /// The first offset that it does not contain (exclusive).
        end: Offset,
        /// When.
        at: C::Stamp,
    },
    /// Committed records of the metadata log arrived.
    MetadataArrived {
        /// The offset of the first.
        from: Offset,
        /// The records, without gaps.
        records: Vec<Record>,
        /// When.
        at: C::Stamp,
    },
    /// A replica that leads proposes an ISR.
    IsrProposed {
        /// Of which partition.
        partition: TopicPartition,
        /// What.
        proposal: IsrProposal,
    },
    /// The controller answered an AlterPartition: each change, or the whole request refused.
    AlterPartitionAnswered(ProposalsOutcome),
    /// Someone wants the process to stop.
    ShutdownAsked,
    /// Every log is flushed and closed.
    LogsClosed,
    /// A replica's disk failed.
    ReplicaFailed,
    /// A timer that this broker asked for is due.
    TimerFired(Timer),
}

/// An instruction to the shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output<C: Carrier> {
    /// Register at the controller.
    Register {
        /// This process.
        incarnation: IncarnationId,
        /// What the last process wrote down when it shut down cleanly.
        previous_epoch: Option<BrokerEpoch>,
    },
    /// Tell the controller that this broker is alive.
    Heartbeat {
        /// Its registration.
        epoch: BrokerEpoch,
        /// The first metadata offset that it has not applied (exclusive).
        metadata_end: Offset,
        /// It wants to be fenced.
        want_fence: bool,
        /// It wants to stop.
        want_shutdown: bool,
    },
    /// Ask the controller for ISR changes.
    AlterPartition {
        /// The broker's registration.
        broker_epoch: BrokerEpoch,
        /// The changes.
        changes: Vec<IsrChange>,
    },
    /// Step a replica of this broker; make an empty one if there is none.
    Tell {
        /// Which.
        partition: TopicPartition,
        /// What it hears.
        input: replica::Input<C>,
    },
    /// Flush and close every log, then step [`Input::LogsClosed`].
    CloseLogs,
    /// Write the mark of a clean shutdown, durably.
    WriteCleanShutdown {
        /// The registration that ends.
        epoch: BrokerEpoch,
    },
    /// End the process.
    Exit,
    /// Arm a timer, in place of an earlier one of the same name.
    SetTimer(Timer),
}

/// A broker's timers. How long each runs is the shell's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Until the next attempt to register.
    Registration,
    /// `broker.heartbeat.interval.ms`.
    Heartbeat,
    /// Until an AlterPartition is sent again.
    AlterPartitionRetry,
}
