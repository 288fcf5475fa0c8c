//! What a consumer hears, and what it says.

use crate::assignor::{Assignor, Members, Remembered, Topics};
use crate::group::{Generation, MemberId, NamedPartition};
use crate::log::EpochEnd;
use crate::refusal::Refusal;
use crate::values::{LeaderEpoch, Offset, TopicId};
use std::collections::{BTreeMap, BTreeSet};

/// A fact.
///
/// The program around a consumer drops the answers to everything that was asked before [`Output::FindCoordinator`] or
/// [`Output::Leave`]; of each kind of request at most one is under way, but for commits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The application asks for records. It has processed all that was delivered before.
    Polled,
    /// The application wants what it has processed to be committed now.
    CommitAsked,
    /// The application is done.
    Closed,
    /// How many partitions the topics that the group reads have; one that does not exist is not there.
    TopicsSeen(Topics),
    /// Who leads, as some broker's metadata have it: an answer to [`Output::FindLeaders`], or looked up anyway. What
    /// nobody leads is not there.
    LeadersSeen(BTreeMap<NamedPartition, Leader>),
    /// The coordinator is known and can be asked.
    CoordinatorFound,
    /// Whoever was asked is not the coordinator, or cannot be reached, or nobody knows the coordinator.
    CoordinatorLost,
    /// An answer to [`Output::Join`].
    JoinAnswered {
        /// The id from now on, if the answer has one.
        member: Option<MemberId>,
        /// The generation, or why not.
        outcome: Result<Joined, Refusal>,
    },
    /// An answer to [`Output::Sync`]: this member's share.
    SyncAnswered(Result<BTreeSet<NamedPartition>, Refusal>),
    /// An answer to [`Output::Heartbeat`].
    HeartbeatAnswered(Result<(), Refusal>),
    /// An answer to [`Output::FetchOffsets`]; `None` for a partition of which nothing was committed.
    OffsetsAnswered(Result<BTreeMap<NamedPartition, Option<Place>>, Refusal>),
    /// An answer to [`Output::FindOffset`].
    OffsetFound {
        /// Of which partition.
        partition: NamedPartition,
        /// The offset of the next record to read (inclusive).
        offset: Offset,
    },
    /// An answer to [`Output::Commit`]: none of it was refused, or why some of it was.
    CommitAnswered {
        /// The generation that it named.
        generation: Option<Generation>,
        /// What came of it.
        outcome: Result<(), Refusal>,
    },
    /// Records have come from a partition's leader.
    Fetched {
        /// Of which partition.
        partition: NamedPartition,
        /// Where the fetch began (inclusive).
        from: Offset,
        /// The leader epoch that it named.
        under: Option<LeaderEpoch>,
        /// One past the last record.
        upto: Offset,
        /// The leader epoch of the last record, if its batch says.
        epoch: Option<LeaderEpoch>,
    },
    /// A partition's leader, or who was taken for it, refuses to be read.
    FetchRefused {
        /// Of which partition.
        partition: NamedPartition,
        /// Where the fetch began (inclusive).
        from: Offset,
        /// The leader epoch that it named.
        under: Option<LeaderEpoch>,
        /// Why.
        refusal: Refusal,
    },
    /// An answer to [`Output::FindEpochEnd`].
    EpochEndAnswered {
        /// Of which partition.
        partition: NamedPartition,
        /// The place that was asked about.
        at: Place,
        /// The leader epoch that was named.
        leader: LeaderEpoch,
        /// Where the leader's log ends the largest epoch not above the place's; `None` if it can't say.
        outcome: Result<Option<EpochEnd>, Refusal>,
    },
    /// A timer is due.
    TimerFired(Timer),
}

/// A place between two records of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The offset of the record that comes next (inclusive).
    pub offset: Offset,
    /// The leader epoch of the record before, if it is known.
    pub epoch: Option<LeaderEpoch>,
}

impl From<Offset> for Place {
    fn from(offset: Offset) -> Self {
        Self { offset, epoch: None }
    }
}

/// A partition's leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leader {
    /// The topic's id; zeros from brokers that know none.
    pub topic: TopicId,
    /// Since which election; none from brokers that don't say.
    pub epoch: Option<LeaderEpoch>,
}

/// A member of the next generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Joined {
    /// The generation.
    pub generation: Generation,
    /// How its members share out the partitions.
    pub assignor: Assignor,
    /// For the leader alone: whether it shares out anew, and among whom.
    pub leads: Option<Leads>,
}

/// What only a generation's leader is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leads {
    /// Whether the assignment stays as it is (KIP-814).
    pub skips: bool,
    /// Every member, with what it said when it joined.
    pub members: Members,
}

/// A consumer's timers. How long each runs is the program's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// `heartbeat.interval.ms`, from when it is set.
    Heartbeat,
    /// `max.poll.interval.ms`, from the last poll.
    Poll,
    /// `auto.commit.interval.ms`, from when it is set.
    Commit,
    /// `retry.backoff.ms`, from when it is set.
    Retry,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Find the group's coordinator, and connect to it.
    FindCoordinator,
    /// Send JoinGroup.
    Join {
        /// This member's id, if it has one.
        member: Option<MemberId>,
        /// What it owns and keeps.
        owned: BTreeSet<NamedPartition>,
        /// The generation that it comes from.
        generation: Option<Generation>,
        /// What goes into the user data of [`Assignor::Sticky`], if anything does.
        remembered: Option<Remembered>,
    },
    /// Send SyncGroup.
    Sync {
        /// This member's id.
        member: MemberId,
        /// The generation that it joined.
        generation: Generation,
        /// Who is to read what, if this member leads.
        assignments: BTreeMap<MemberId, BTreeSet<NamedPartition>>,
    },
    /// Send Heartbeat.
    Heartbeat {
        /// This member's id.
        member: MemberId,
        /// The generation that it lives in.
        generation: Generation,
    },
    /// Send LeaveGroup, and do not wait.
    Leave {
        /// This member's id.
        member: MemberId,
    },
    /// Ask the coordinator up to where these partitions were read.
    FetchOffsets(BTreeSet<NamedPartition>),
    /// Ask a partition's leader where to begin.
    FindOffset {
        /// Of which partition.
        partition: NamedPartition,
        /// At which end.
        at: End,
    },
    /// Look up the leaders of what it reads, after a pause.
    FindLeaders,
    /// Ask a partition's leader where an epoch ends (OffsetForLeaderEpoch). If there is no answer, then
    /// [`Input::LeadersSeen`] has it asked again.
    FindEpochEnd {
        /// Of which partition.
        partition: NamedPartition,
        /// The place whose epoch is meant.
        at: Place,
        /// The leader epoch to name.
        leader: LeaderEpoch,
    },
    /// Send OffsetCommit.
    Commit {
        /// This member's id, if it is one.
        member: Option<MemberId>,
        /// The generation that it lives in.
        generation: Option<Generation>,
        /// Of each partition the first offset that was not processed.
        offsets: BTreeMap<NamedPartition, Place>,
    },
    /// Hand records to the application.
    Deliver {
        /// Of which partition.
        partition: NamedPartition,
        /// The first offset (inclusive).
        from: Offset,
        /// One past the last.
        upto: Offset,
    },
    /// Tell the application what it now reads as well.
    Assigned(BTreeSet<NamedPartition>),
    /// Tell the application what it reads no more; no one else does yet.
    Revoked(BTreeSet<NamedPartition>),
    /// Tell the application what it has lost; someone else may read it already.
    Lost(BTreeSet<NamedPartition>),
    /// Tell the application that what it has read is in the log no more.
    Truncated {
        /// Of which partition.
        partition: NamedPartition,
        /// How far it had read (exclusive).
        at: Offset,
        /// The first offset that is known to differ, from which it reads on; `None` if nobody can say.
        diverges: Option<Offset>,
    },
    /// Tell the application that a commit was refused: what it processed may be processed again.
    CommitFailed(Refusal),
    /// Arm a timer, in place of an earlier one of the same name.
    SetTimer(Timer),
    /// Let a timer be.
    CancelTimer(Timer),
    /// End with an error that will not pass.
    Fail(Failure),
    /// End.
    Exit,
}

/// One end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Its first record.
    Earliest,
    /// Where the next record will be.
    Latest,
}

/// Why a consumer cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The coordinator refuses for good.
    Refused(Refusal),
    /// Nothing tells where to begin to read a partition (`auto.offset.reset=none`).
    NoOffset(NamedPartition),
    /// What was read of a partition is in its log no more, and nothing tells how to go on (`auto.offset.reset=none`).
    Truncated {
        /// Of which partition.
        partition: NamedPartition,
        /// How far it was read (exclusive).
        at: Offset,
        /// The first offset that is known to differ, if anyone can say.
        diverges: Option<Offset>,
    },
}
