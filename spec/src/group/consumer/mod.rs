//! A group of the consumer protocol: the coordinator says who reads what, and each member moves there by itself.
//!
//! Three epochs say how far things are. The group's goes up when something changes that the assignment depends on. The
//! target assignment is computed for a group epoch and has it then. A member has the epoch of the target that it has
//! reached; it gets there once it has given up what it is to lose, and before it has all that it is to get. No one
//! waits for everyone, as in a classic group.
//!
//! All of it is in the log but for sessions and timers, so a new coordinator goes on where the last one was.
//!
//! Not here: racks and regular expressions (a member that subscribes with one is refused), members of classic groups
//! that change over one by one. Rules: `group.consumer.*`. Source: KIP-848; Kafka's `ConsumerGroup`,
//! `ConsumerGroupMember`.

mod heartbeat;
mod leave;
mod message;
mod read;
mod reconcile;
mod record;
mod subscribe;
mod target;
mod topics;

pub use message::{ConsumerHeartbeat, Purpose, Reader, Reconciled};
pub use read::DescribedConsumerGroup;
pub use record::{ConsumerRecord, GroupEpochs};
pub use topics::{KnownTopic, KnownTopics, MetadataHash};

use super::{Client, InstanceId, MemberId, Millis, ProtocolName, TopicName};
use crate::rules::{Release, Rules};
use crate::values::TopicPartition;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// How often what a group is to do has changed. The group, its target assignment and each member have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupEpoch(pub i32);

impl GroupEpoch {
    /// The next one. Saturates: no input may make a machine panic.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for GroupEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// Partitions that someone reads, or is to.
pub type Share = BTreeSet<TopicPartition>;

/// A group, as the log has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsumerGroup {
    /// The group's epoch. 0 is before anyone has joined.
    pub epoch: GroupEpoch,
    /// What the topics that its members read were like when it got this epoch.
    pub topics: MetadataHash,
    /// The epoch that the target assignment is for.
    pub target_epoch: GroupEpoch,
    /// The target assignment.
    pub targets: BTreeMap<MemberId, Share>,
    /// The members.
    pub members: BTreeMap<MemberId, ConsumerMember>,
}

/// A member, as the log has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsumerMember {
    /// What it says of itself.
    pub metadata: Arc<MemberDetails>,
    /// How far it is on its way to its target.
    pub current: Arc<Current>,
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberDetails {
    /// What it is called across its lives, if it is static.
    pub instance: Option<InstanceId>,
    /// Where it is.
    pub rack: Option<Arc<str>>,
    /// Who it is.
    pub client: Client,
    /// The topics that it wants to read, be there such or not.
    pub topics: BTreeSet<TopicName>,
    /// How long it may take to give up partitions.
    pub rebalance_timeout: Millis,
    /// The assignor that it votes for.
    pub assignor: Option<ProtocolName>,
}

impl Default for MemberDetails {
    fn default() -> Self {
        Self {
            instance: None,
            rack: None,
            client: Client { id: "".into(), host: "".into() },
            topics: BTreeSet::new(),
            rebalance_timeout: Millis(-1),
            assignor: None,
        }
    }
}

/// How far a member is on its way to its target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Current {
    /// The member's epoch; `None` for a static member that has gone for a while. 0 is before it has reached any target.
    pub epoch: Option<GroupEpoch>,
    /// The one before, which it may still believe in.
    pub previous: GroupEpoch,
    /// What it waits for.
    pub progress: Progress,
    /// What it may read.
    pub assigned: Share,
    /// What it has been told to give up and has not yet said that it has.
    pub revoked: Share,
}

impl Default for Current {
    fn default() -> Self {
        Self {
            epoch: Some(GroupEpoch(0)),
            previous: GroupEpoch(0),
            progress: Progress::Stable,
            assigned: Share::new(),
            revoked: Share::new(),
        }
    }
}

/// What a member waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// Nothing: it has its share of the target that it has reached.
    Stable,
    /// It is to give up partitions, and has not said yet that it has.
    UnrevokedPartitions,
    /// It is to get partitions that others have yet to give up.
    UnreleasedPartitions,
    /// Something that a later version wrote.
    Unknown,
}

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsumerState {
    /// No members.
    Empty,
    /// The target assignment is for an earlier epoch.
    Assigning,
    /// Not every member has reached the target assignment.
    Reconciling,
    /// Every member has its share of the target.
    Stable,
}

impl ConsumerState {
    /// Kafka's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

impl ConsumerGroup {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ConsumerState {
        if self.members.is_empty() {
            ConsumerState::Empty
        } else if self.epoch > self.target_epoch {
            ConsumerState::Assigning
        } else if self.members.values().all(|member| member.current.has_reached(self.target_epoch)) {
            ConsumerState::Stable
        } else {
            ConsumerState::Reconciling
        }
    }

    /// The living member of a static one.
    pub(super) fn static_member(&self, instance: &InstanceId) -> Option<(&MemberId, &ConsumerMember)> {
        self.members.iter().find(|(_, member)| member.metadata.instance.as_ref() == Some(instance))
    }

    /// Whether a member has a partition or has yet to give it up.
    fn is_owned(&self, rules: &Rules, partition: TopicPartition) -> bool {
        self.members.values().any(|member| match rules.release {
            Release::WhenGivenUp => member.current.owns(partition),
            Release::WhenTold => member.current.assigned.contains(&partition),
        })
    }

    pub(super) fn is_subscribed(&self, topic: &TopicName) -> bool {
        self.members.values().any(|member| member.metadata.topics.contains(topic))
    }
}

impl Current {
    /// Whether it has its whole share of the target of `epoch`.
    #[must_use]
    pub fn has_reached(&self, epoch: GroupEpoch) -> bool {
        self.progress == Progress::Stable && self.epoch == Some(epoch)
    }

    /// Whether it has a partition or has yet to give it up.
    #[must_use]
    pub fn owns(&self, partition: TopicPartition) -> bool {
        self.assigned.contains(&partition) || self.revoked.contains(&partition)
    }
}
