//! What a coordinator hears, and what it says.

use super::{
    Client, CommittedOffset, ConsumerHeartbeat, Generation, GroupId, InstanceId, KnownTopics, MemberId, Millis,
    NamedPartition, ProtocolName, ProtocolType, Reader, Reconciled, Subscription,
};
use crate::machine::Carrier;
use crate::refusal::Refusal;
use crate::values::{LeaderEpoch, Offset, Ticket};
use std::sync::Arc;

/// A fact that a coordinator takes note of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<C: Carrier> {
    /// The topics are such from now on. Comes before [`Input::Elected`], and once more before [`Input::Loaded`]: the log
    /// does not carry them.
    TopicsChanged {
        /// All that there are.
        topics: Arc<KnownTopics>,
    },
    /// The log takes batches of at most this size from now on. Until this comes it is what [`super::Config`] says.
    LimitChanged {
        /// In bytes: `max.message.bytes`.
        max_batch: u64,
    },
    /// This broker leads the partition from now on, and begins to read it.
    Elected,
    /// The partition has been read to its end: this coordinator's state is the fold of all its records.
    Loaded {
        /// When.
        at: C::Stamp,
    },
    /// A client asked.
    Asked {
        /// Who waits.
        ticket: Ticket,
        /// When it came.
        at: C::Stamp,
        /// The group that it is about; may be empty.
        group: GroupId,
        /// What it wants.
        request: Request<C>,
    },
    /// It is time to look for offsets of a group that are no longer needed.
    RetentionChecked {
        /// When.
        at: C::Stamp,
        /// Of which group.
        group: GroupId,
        /// The moment that is `offsets.retention.minutes` ago.
        since: C::Stamp,
    },
    /// A timer that this coordinator asked for is due. One that was set anew or cancelled since is not.
    TimerFired {
        /// When.
        at: C::Stamp,
        /// Of which group.
        group: GroupId,
        /// Which.
        timer: Timer,
    },
}

/// What clients ask of a coordinator. What only reads what is committed is not here, but a function
/// ([`super::ReplicatedCoordinator`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request<C: Carrier> {
    /// To be a member, and to take part in the next generation.
    Join(JoinGroup<C>),
    /// For the member's share of the work.
    Sync(SyncGroup<C>),
    /// Nothing: the member is alive.
    Heartbeat {
        /// The member.
        member: MemberIdentity,
        /// The generation that it lives in.
        generation: Option<Generation>,
    },
    /// To be a member of a consumer group, to stay or to leave.
    ConsumerHeartbeat(ConsumerHeartbeat),
    /// To be members no more.
    Leave(Vec<MemberIdentity>),
    /// To keep offsets.
    CommitOffsets(CommitOffsets<C>),
    /// For offsets, and to wait until none of them can go back (`require_stable`, KIP-447).
    FetchStableOffsets {
        /// Who asks.
        reader: Reader,
        /// Of which partitions; `None` for all that have any.
        partitions: Option<Vec<NamedPartition>>,
    },
    /// To forget offsets.
    DeleteOffsets {
        /// Of which partitions.
        partitions: Vec<NamedPartition>,
    },
    /// To forget the group.
    Delete,
}

/// A member, as it names itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberIdentity {
    /// The id that it was given, if any.
    pub id: Option<MemberId>,
    /// What it is called across its lives, if it is static.
    pub instance: Option<InstanceId>,
}

/// JoinGroup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinGroup<C: Carrier> {
    /// Who asks.
    pub member: MemberIdentity,
    /// The id to give it if it has none: its instance id or client id, a dash and a random UUID, chosen by the shell.
    pub fresh: MemberId,
    /// Who it is.
    pub client: Client,
    /// How long it may be silent.
    pub session_timeout: Millis,
    /// How long the others wait for it when the group rebalances (a version without it sends the session timeout).
    pub rebalance_timeout: Millis,
    /// What the group must agree on by.
    pub protocol_type: ProtocolType,
    /// The ways that it knows, the one that it likes best first; none twice.
    pub protocols: Vec<Protocol<C>>,
    /// Whether its version can be sent away with an id to come back with (4 and later, KIP-394).
    pub knows_member_id_required: bool,
    /// Whether its version can be told to leave the assignment as it is (9 and later, KIP-814).
    pub knows_skip_assignment: bool,
}

/// A way to share out the work, with what the member tells the leader for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Protocol<C: Carrier> {
    /// Its name.
    pub name: ProtocolName,
    /// For the leader.
    pub subscription: Subscription<C>,
}

/// SyncGroup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SyncGroup<C: Carrier> {
    /// Who asks.
    pub member: MemberIdentity,
    /// The generation that it joined.
    pub generation: Option<Generation>,
    /// The type and protocol that it believes in, from versions that tell (5 and later).
    pub protocol_type: Option<ProtocolType>,
    /// See `protocol_type`.
    pub protocol: Option<ProtocolName>,
    /// Who is to do what, from the group's leader; `None` is a share that is empty.
    pub assignments: Vec<(MemberId, Option<C::Bytes>)>,
}

/// OffsetCommit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommitOffsets<C: Carrier> {
    /// Who asks; no one in particular, when a program keeps offsets without being a member.
    pub member: MemberIdentity,
    /// The generation that it lives in.
    pub generation: Option<Generation>,
    /// Whether its version knows GROUP_ID_NOT_FOUND (9 and later).
    pub knows_group_id_not_found: bool,
    /// The offsets.
    pub offsets: Vec<(NamedPartition, OffsetToCommit<C>)>,
}

/// One offset to keep.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OffsetToCommit<C: Carrier> {
    /// The first offset that was not processed.
    pub offset: Offset,
    /// The leader epoch of the last record that was processed, if the client tells.
    pub leader_epoch: Option<LeaderEpoch>,
    /// What to keep beside it.
    pub metadata: Option<C::Bytes>,
    /// The length of `metadata`, in the unit of `offset.metadata.max.bytes`.
    pub metadata_length: u32,
}

/// A group's timers. Each runs from the moment at which it is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// How long a member, or an id that was handed out, may be silent.
    Session(MemberId),
    /// How long a member of a consumer group has to give up partitions.
    Revocation(MemberId),
    /// How long members have to join the next generation.
    Join,
    /// How long members have to ask for their share.
    Sync,
}

/// An instruction to the shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output<C: Carrier> {
    /// Answer a request.
    Reply {
        /// Who waits.
        ticket: Ticket,
        /// The answer.
        reply: Reply<C>,
    },
    /// Arm a timer, in place of an earlier one of the same group and name.
    SetTimer {
        /// Of which group.
        group: GroupId,
        /// Which.
        timer: Timer,
        /// When it is due, from now.
        after: Millis,
    },
    /// Let a timer be. It may be one that is not armed.
    CancelTimer {
        /// Of which group.
        group: GroupId,
        /// Which.
        timer: Timer,
    },
    /// Let every timer of this coordinator be.
    CancelAllTimers,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply<C: Carrier> {
    /// To JoinGroup.
    Join {
        /// The member's id from now on; `None` for none.
        member: Option<MemberId>,
        /// The generation that it is in, or why it is in none.
        outcome: Result<Joined<C>, Refusal>,
    },
    /// To SyncGroup.
    Sync(Result<Synced<C>, Refusal>),
    /// To Heartbeat.
    Heartbeat(Result<(), Refusal>),
    /// To ConsumerGroupHeartbeat; `None` to a member that has left.
    ConsumerHeartbeat(Result<Option<Reconciled>, Refusal>),
    /// To LeaveGroup, each member by itself.
    Leave(MemberResults),
    /// To OffsetCommit, each partition by itself.
    CommitOffsets(PartitionResults),
    /// To OffsetFetch, when it had to wait.
    FetchOffsets(Result<FetchedOffsets<C>, Refusal>),
    /// To OffsetDelete, each partition by itself.
    DeleteOffsets(PartitionResults),
    /// To DeleteGroups, for this group.
    Delete(Result<(), Refusal>),
}

/// Each member by itself, or why none.
pub type MemberResults = Result<Vec<(MemberIdentity, Result<(), Refusal>)>, Refusal>;

/// Each partition by itself, or why none.
pub type PartitionResults = Result<Vec<(NamedPartition, Result<(), Refusal>)>, Refusal>;

/// Each partition with its offset, if it has one.
pub type FetchedOffsets<C> = Vec<(NamedPartition, Option<CommittedOffset<C>>)>;

/// What a member learns of the generation that it joined.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Joined<C: Carrier> {
    /// The generation.
    pub generation: Generation,
    /// What the group agrees on by.
    pub protocol_type: Option<ProtocolType>,
    /// The way that it chose.
    pub protocol: Option<ProtocolName>,
    /// The member that shares out the work.
    pub leader: Option<MemberId>,
    /// Whether the leader is to leave the assignment as it is.
    pub skip_assignment: bool,
    /// Every member with its metadata for the chosen protocol, told to the leader alone; empty for the others.
    pub members: Vec<(MemberIdentity, C::Bytes)>,
}

/// A member's share of the work.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Synced<C: Carrier> {
    /// What the group agrees on by.
    pub protocol_type: Option<ProtocolType>,
    /// The way that it chose.
    pub protocol: Option<ProtocolName>,
    /// The share; `None` is empty.
    pub assignment: Option<C::Bytes>,
}

impl<C: Carrier> Request<C> {
    /// The answer that refuses it as a whole.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> Reply<C> {
        match self {
            Self::Join(join) => Reply::Join { member: join.member.id.clone(), outcome: Err(refusal) },
            Self::Sync(_) => Reply::Sync(Err(refusal)),
            Self::Heartbeat { .. } => Reply::Heartbeat(Err(refusal)),
            Self::ConsumerHeartbeat(_) => Reply::ConsumerHeartbeat(Err(refusal)),
            Self::Leave(_) => Reply::Leave(Err(refusal)),
            Self::CommitOffsets(_) => Reply::CommitOffsets(Err(refusal)),
            Self::FetchStableOffsets { .. } => Reply::FetchOffsets(Err(refusal)),
            Self::DeleteOffsets { .. } => Reply::DeleteOffsets(Err(refusal)),
            Self::Delete => Reply::Delete(Err(refusal)),
        }
    }
}

impl<C: Carrier> Reply<C> {
    /// The answer to the same request that refuses it as a whole.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> Self {
        match self {
            Self::Join { member, .. } => Self::Join { member: member.clone(), outcome: Err(refusal) },
            Self::Sync(_) => Self::Sync(Err(refusal)),
            Self::Heartbeat(_) => Self::Heartbeat(Err(refusal)),
            Self::ConsumerHeartbeat(_) => Self::ConsumerHeartbeat(Err(refusal)),
            Self::Leave(_) => Self::Leave(Err(refusal)),
            Self::CommitOffsets(_) => Self::CommitOffsets(Err(refusal)),
            Self::FetchOffsets(_) => Self::FetchOffsets(Err(refusal)),
            Self::DeleteOffsets(_) => Self::DeleteOffsets(Err(refusal)),
            Self::Delete(_) => Self::Delete(Err(refusal)),
        }
    }
}
