//! What can be asked of a coordinator without waiting: offsets, lists, descriptions.
//!
//! They see what is committed. A classic group that is committed to exist is seen as it lives, as in Kafka.

use super::{
    ClassicGroup, ClassicMember, ConsumerState, Coordinator, FetchedOffsets, GroupId, Measured, MemberId,
    NamedPartition, ProtocolName, ProtocolType, Reader, ReplicatedCoordinator, Role, State, Stored, classic::CONSUMER,
};
use crate::machine::Carrier;
use crate::refusal::Refusal;

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListedGroup {
    /// Its id.
    pub group: GroupId,
    /// What its members agree on by; `None` for none.
    pub protocol_type: Option<ProtocolType>,
    /// Where it stands.
    pub state: ListedState,
}

/// Where a group of either kind stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListedState {
    /// A classic group.
    Classic(State),
    /// A group of the consumer protocol.
    Consumer(ConsumerState),
}

impl ListedState {
    /// Kafka's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic(state) => state.name(),
            Self::Consumer(state) => state.name(),
        }
    }

    /// Kafka's name for the kind of group.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Classic(_) => "classic",
            Self::Consumer(_) => "consumer",
        }
    }
}

/// A group, described.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedGroup<C: Carrier> {
    /// Where it stands.
    pub state: State,
    /// What its members agree on by; `None` for none.
    pub protocol_type: Option<ProtocolType>,
    /// The way that they chose, if the group is stable.
    pub protocol: Option<ProtocolName>,
    /// Its members. What they tell the leader is only there if the group is stable.
    pub members: Vec<DescribedMember<C>>,
}

/// A member, described.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedMember<C: Carrier> {
    /// Its id.
    pub id: MemberId,
    /// The rest of it.
    pub member: ClassicMember<C>,
    /// What it tells the leader for the chosen protocol.
    pub metadata: Option<C::Bytes>,
}

impl<C: Measured> ReplicatedCoordinator<C> {
    /// OffsetFetch without `require_stable`: what is committed of the group's offsets, for `partitions` or for all that
    /// have one.
    ///
    /// # Errors
    /// While it is not active, and what a consumer group refuses those who are not, or no longer, its members.
    pub fn fetch_offsets(
        &self,
        reader: &Reader,
        group: &GroupId,
        partitions: Option<&[NamedPartition]>,
    ) -> Result<FetchedOffsets<C>, Refusal> {
        self.active()?;
        self.committed().offsets_for(reader, group, partitions)
    }

    /// ListGroups: every group that is committed to exist.
    ///
    /// # Errors
    /// While it is not active.
    pub fn list_groups(&self) -> Result<Vec<ListedGroup>, Refusal> {
        self.active()?;
        let listed = |(id, stored): (&GroupId, &Stored<C>)| match &stored.consumer {
            Some(group) => Some(ListedGroup {
                group: id.clone(),
                protocol_type: Some(CONSUMER.into()),
                state: ListedState::Consumer(group.state()),
            }),
            None => {
                let ClassicGroup { protocol_type, state, .. } = self.living(id)?;
                Some(ListedGroup { group: id.clone(), protocol_type, state: ListedState::Classic(state) })
            }
        };
        Ok(self.committed().stored.iter().filter_map(listed).collect())
    }

    /// DescribeGroups, for one group; `None` if it is not committed to exist as a classic one, which Kafka calls "Dead".
    ///
    /// # Errors
    /// While it is not active.
    pub fn describe_group(&self, group: &GroupId) -> Result<Option<DescribedGroup<C>>, Refusal> {
        self.active()?;
        Ok(self.living(group).map(DescribedGroup::of))
    }

    fn living(&self, id: &GroupId) -> Option<ClassicGroup<C>> {
        let stored = self.committed().stored.get(id).filter(|stored| stored.consumer.is_none())?;
        Some(self.speculative().classic.get(id).cloned().unwrap_or_else(|| ClassicGroup::stored(stored)))
    }

    pub(super) fn active(&self) -> Result<&Coordinator<C>, Refusal> {
        match self.speculative().role {
            Role::Active => Ok(self.speculative()),
            Role::Loading => Err(Refusal::CoordinatorLoadInProgress),
            Role::Resigned => Err(Refusal::NotCoordinator),
        }
    }
}

impl<C: Carrier> DescribedGroup<C> {
    fn of(group: ClassicGroup<C>) -> Self {
        let protocol = group.protocol.filter(|_| group.state == State::Stable);
        let described = |(id, member): (MemberId, ClassicMember<C>)| {
            let metadata = member.subscription(protocol.as_ref()).map(|known| known.metadata.clone());
            DescribedMember { id, metadata, member }
        };
        let members = group.members.into_iter().map(described).collect();
        Self { state: group.state, protocol_type: group.protocol_type, members, protocol }
    }
}
