//! What a replica hears, and what it says.

use super::{Ask, IsrProposal, IsrState, Peer, ReadView, Reader};
use crate::log::{Batch, EpochCache, EpochEnd};
use crate::machine::Carrier;
use crate::producer::{Producers, Sequenced};
use crate::refusal::Refusal;
use crate::values::{
    BrokerEpoch, BrokerId, Brokers, LeaderEpoch, Offset, PartitionEpoch, ProducerId, Ticket, Timestamp,
};

/// A fact that a replica takes note of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<C: Carrier> {
    /// The metadata log says who leads, and who is in sync.
    Assigned(Assignment<C>),
    /// The metadata log says something new of what surrounds the partition, and nothing of the partition itself.
    ClusterChanged {
        /// The other brokers.
        peers: Vec<Peer>,
        /// The topic's `min.insync.replicas`, at most the number of replicas.
        min_insync_replicas: usize,
    },
    /// Clients sent batches; neighbours may be handed over together.
    Produced(Vec<Produce<C>>),
    /// A producer's time is up. Its records stay.
    ProduceTimedOut(Ticket),
    /// A follower asked for records, and so acknowledged everything below the offset that it asked for.
    FollowerFetched(FollowerFetch<C>),
    /// The leader answered this follower.
    FetchAnswered {
        /// What had been asked.
        asked: FetchRequest,
        /// What came back.
        answer: FetchAnswer<C>,
    },
    /// The leader told the ends of its log (ListOffsets), after a fetch out of its range.
    LogEndsAnswered {
        /// The fetch that was out of range.
        asked: FetchRequest,
        /// The leader's first offset (inclusive).
        start: Offset,
        /// The leader's log end offset (exclusive).
        end: Offset,
    },
    /// The controller answered a proposed ISR.
    IsrAnswered {
        /// What had been proposed.
        proposal: IsrProposal,
        /// The partition as it is now, or why the proposal was refused.
        outcome: Result<IsrState, Refusal>,
    },
    /// What the log below `upto` (exclusive) says of its producers, as was asked.
    ProducersRead {
        /// Where that log ends.
        upto: Offset,
        /// The fold of it.
        producers: Producers,
    },
    /// These producers have written nothing for `producer.id.expiration.ms`.
    ProducersExpired(Vec<ProducerId>),
    /// A timer that this replica asked for is due.
    TimerFired(Timer),
    /// The broker shuts down cleanly.
    Closing,
    /// An output of the last step, or a flush, failed.
    Failed {
        /// Who would have been answered by the outputs that were dropped after it.
        unanswered: Vec<Ticket>,
    },
    /// The topic was deleted.
    Deleted,
}

/// An instruction to the shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output<C: Carrier> {
    /// Write the epoch checkpoint and make it durable.
    StoreEpochs(EpochCache),
    /// Write these batches at the end of the log.
    Append(Vec<Batch<C>>),
    /// Cut everything at and above `to`. Reads under way that reach past the cut are finished first or broken off.
    Truncate {
        /// The new log end offset (exclusive).
        to: Offset,
    },
    /// Drop the whole log and begin an empty one.
    TruncateFully {
        /// Where it begins and ends.
        at: Offset,
    },
    /// Say, before anything else is heard, what the log says of its producers ([`Input::ProducersRead`]).
    ReadProducers {
        /// Where the log ends (exclusive).
        upto: Offset,
    },
    /// Make everything below `upto` durable.
    Flush {
        /// The first offset that need not be (exclusive).
        upto: Offset,
    },
    /// Answer a producer.
    Reply {
        /// Who waits.
        ticket: Ticket,
        /// The answer.
        outcome: ProduceOutcome,
    },
    /// Fetch, in place of whatever fetch was under way.
    Fetch(FetchRequest),
    /// Ask the leader for the ends of its log, because this fetch is out of its range.
    AskLogEnds(FetchRequest),
    /// Fetch no more.
    CancelFetch,
    /// Propose an ISR to the controller.
    ProposeIsr(IsrProposal),
    /// Arm a timer, in place of an earlier one of the same name.
    SetTimer {
        /// Which.
        timer: Timer,
        /// Its time runs from here; `None` is now.
        from: Option<C::Stamp>,
    },
    /// Let readers see this from now on, and wake those who wait.
    Publish(ReadView),
    /// Delete the log's files.
    DeleteLog,
}

impl<C: Carrier> Output<C> {
    /// Whether carrying it out leaves something behind that a crash doesn't undo: a node can stop between two of these.
    #[must_use]
    pub fn outlives_process(&self) -> bool {
        match self {
            Self::StoreEpochs(_)
            | Self::Append(_)
            | Self::Truncate { .. }
            | Self::TruncateFully { .. }
            | Self::Flush { .. }
            | Self::DeleteLog => true,
            Self::ReadProducers { .. }
            | Self::Reply { .. }
            | Self::Fetch(_)
            | Self::AskLogEnds(_)
            | Self::CancelFetch
            | Self::ProposeIsr(_)
            | Self::SetTimer { .. }
            | Self::Publish(_) => false,
        }
    }
}

/// A replica's timers. How long each runs is the shell's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// `replica.lag.time.max.ms` since the follower was last caught up.
    Lag(BrokerId),
    /// `replica.fetch.backoff.ms`.
    FetchRetry,
}

/// A partition as the metadata log has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assignment<C: Carrier> {
    /// Who leads, if anyone may.
    pub leader: Option<BrokerId>,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// The epoch of this state.
    pub partition_epoch: PartitionEpoch,
    /// Who has a copy.
    pub replicas: Brokers,
    /// Who is in sync.
    pub isr: Brokers,
    /// The topic's `min.insync.replicas`, at most the number of replicas.
    pub min_insync_replicas: usize,
    /// What is known of the brokers that have a copy.
    pub peers: Vec<Peer>,
    /// When this was heard.
    pub at: C::Stamp,
}

/// One batch that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Produce<C: Carrier> {
    /// Who waits for the answer.
    pub ticket: Ticket,
    /// When to answer.
    pub acks: Acks,
    /// How many offsets the batch takes.
    pub count: u32,
    /// Whose it is, if a producer with an id sent it.
    pub producer: Option<Sequenced>,
    /// The batch.
    pub bytes: C::Bytes,
}

/// When a producer is told that its records were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acks {
    /// Never; an error closes its connection (acks=0).
    None,
    /// When the leader has appended them (acks=1).
    Leader,
    /// When they are committed (acks=all).
    All,
}

/// How a produce ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProduceOutcome {
    /// Written as the producer asked.
    Acked {
        /// The offset of its first record.
        base: Offset,
    },
    /// Written as the producer asked, when it was sent for the first time.
    Duplicate {
        /// The offset of its first record.
        base: Offset,
        /// The largest timestamp of its records, as they were written.
        timestamp: Timestamp,
    },
    /// Certainly not written.
    Refused(Refusal),
    /// Below the high watermark, though fewer replicas hold it than `min.insync.replicas` asks.
    Undersized {
        /// The offset of its first record.
        base: Offset,
    },
    /// Appended here; whether it will be committed is not known.
    Unknown(Refusal),
}

impl ProduceOutcome {
    /// What a producer is told: the offset of its first record, or what went wrong.
    ///
    /// # Errors
    /// Why it was not written as the producer asked.
    pub fn told(self) -> Result<Offset, Refusal> {
        match self {
            Self::Acked { base } | Self::Duplicate { base, .. } => Ok(base),
            Self::Undersized { .. } => Err(Refusal::NotEnoughReplicasAfterAppend),
            Self::Refused(refusal) | Self::Unknown(refusal) => Err(refusal),
        }
    }
}

/// What a follower asks of its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchRequest {
    /// Whom it asks.
    pub leader: BrokerId,
    /// The leader epoch that it follows in.
    pub leader_epoch: LeaderEpoch,
    /// Its log end offset: the first offset that it wants (inclusive).
    pub offset: Offset,
    /// The epoch of its last record, if the leader is to look where their logs part.
    pub last_fetched_epoch: Option<LeaderEpoch>,
}

impl FetchRequest {
    /// As it reaches the leader from `replica`.
    #[must_use]
    pub fn arriving<C: Carrier>(
        &self,
        replica: BrokerId,
        broker_epoch: Option<BrokerEpoch>,
        at: C::Stamp,
    ) -> FollowerFetch<C> {
        let Self { leader: _, leader_epoch, offset, last_fetched_epoch } = *self;
        FollowerFetch { replica, broker_epoch, leader_epoch: Some(leader_epoch), offset, last_fetched_epoch, at }
    }

    /// What `replica` asks of the leader's view.
    #[must_use]
    pub fn ask(&self, replica: BrokerId) -> Ask {
        let Self { leader: _, leader_epoch, offset, last_fetched_epoch } = *self;
        Ask { reader: Reader::Follower(replica), leader_epoch: Some(leader_epoch), offset, last_fetched_epoch }
    }
}

/// What a leader answers a follower.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FetchAnswer<C: Carrier> {
    /// Records from the offset asked for; none, when there are none yet.
    Records {
        /// The batches, without gaps.
        batches: Vec<Batch<C>>,
        /// The leader's high watermark (exclusive).
        high_watermark: Offset,
        /// The leader's first offset (inclusive).
        log_start: Offset,
    },
    /// The logs part: the largest epoch not above the follower's, and where it ends at the leader.
    Diverging(EpochEnd),
    /// Refused.
    Refused(Refusal),
}

/// A follower's fetch, as it reached the leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FollowerFetch<C: Carrier> {
    /// Who asks.
    pub replica: BrokerId,
    /// Its broker epoch, from versions of Fetch that carry it (15 and later).
    pub broker_epoch: Option<BrokerEpoch>,
    /// The leader epoch that it follows in, from versions that carry it (9 and later).
    pub leader_epoch: Option<LeaderEpoch>,
    /// The first offset that it wants (inclusive).
    pub offset: Offset,
    /// The epoch of its last record, if it asks where the logs part.
    pub last_fetched_epoch: Option<LeaderEpoch>,
    /// When it came.
    pub at: C::Stamp,
}
