//! What a coordinator writes into its partition of `__consumer_offsets`.
//!
//! The partition is compacted: of each key the last record counts, and one without a value deletes.
//! Source: Kafka's `GroupCoordinatorRecordHelpers`; keys of version 1 (offsets) and 2 (classic groups);
//! those of consumer groups are in `consumer::record`.

use super::{
    Client, ConsumerRecord, Generation, GroupId, InstanceId, MemberId, Millis, NamedPartition, ProtocolName,
    ProtocolType,
};
use crate::machine::Carrier;
use crate::values::{LeaderEpoch, Offset};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record<C: Carrier> {
    /// A classic group, as a whole.
    Group {
        /// The key.
        group: GroupId,
        /// The group from now on; `None` when it is deleted.
        metadata: Option<Arc<GroupMetadata<C>>>,
    },
    /// Up to where a group has read a partition.
    Offset {
        /// The key's first part.
        group: GroupId,
        /// The key's second part.
        partition: NamedPartition,
        /// The offset from now on; `None` when it is deleted.
        committed: Option<CommittedOffset<C>>,
    },
    /// A group of the consumer protocol, piece by piece.
    Consumer {
        /// The keys' first part.
        group: GroupId,
        /// The rest.
        record: ConsumerRecord,
    },
}

impl<C: Carrier> Record<C> {
    /// The group that it is about.
    #[must_use]
    pub fn group(&self) -> &GroupId {
        match self {
            Self::Group { group, .. } | Self::Offset { group, .. } | Self::Consumer { group, .. } => group,
        }
    }
}

/// A classic group at rest: no one is in it, or everyone has an assignment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupMetadata<C: Carrier> {
    /// What its members agree on by; `None` for a group that never had any.
    pub protocol_type: Option<ProtocolType>,
    /// The generation.
    pub generation: Generation,
    /// The way that the members chose; `None` when there are none.
    pub protocol: Option<ProtocolName>,
    /// The member that shares out the work.
    pub leader: Option<MemberId>,
    /// When the group got into this state.
    pub since: Option<C::Stamp>,
    /// The members.
    pub members: Vec<MemberMetadata<C>>,
}

/// A member at rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberMetadata<C: Carrier> {
    /// Its id.
    pub member: MemberId,
    /// What it is called across its lives, if it is static.
    pub instance: Option<InstanceId>,
    /// Who it is.
    pub client: Client,
    /// How long its next JoinGroup may take.
    pub rebalance_timeout: Millis,
    /// How long it may be silent.
    pub session_timeout: Millis,
    /// Its metadata for the chosen protocol.
    pub subscription: Subscription<C>,
    /// Its share of the work, from the group's leader; `None` when that is empty.
    pub assignment: Option<C::Bytes>,
}

/// What a member tells the group's leader, for one protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subscription<C: Carrier> {
    /// As it sent it.
    pub metadata: C::Bytes,
    /// The topics in it, if its type is `consumer` and it can be read. A function of `metadata`.
    pub topics: Option<BTreeSet<super::TopicName>>,
}

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommittedOffset<C: Carrier> {
    /// The first offset that was not processed (exclusive end of what was).
    pub offset: Offset,
    /// The leader epoch of the last record that was processed, if the client told.
    pub leader_epoch: Option<LeaderEpoch>,
    /// What the client keeps beside it.
    pub metadata: Option<C::Bytes>,
    /// When it was committed.
    pub at: C::Stamp,
}
