//! A group of the classic protocol: its members agree on a generation, and one of them shares out the work.
//!
//! Rules: `group.member.*`, `group.protocol.*`. Source: Kafka's `ClassicGroup`, `ClassicGroupMember`.

use super::turn::Turn;
use super::{
    Client, Generation, GroupMetadata, InstanceId, Joined, MemberId, MemberIdentity, MemberMetadata, Millis, Protocol,
    ProtocolName, ProtocolType, Reply, Stored, Subscription, Synced, Timer, TopicName,
};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::values::Ticket;
use std::collections::{BTreeMap, BTreeSet};

/// The type whose subscriptions the coordinator can read.
pub(super) const CONSUMER: &str = "consumer";

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No members.
    Empty,
    /// A generation is to begin, and members are awaited.
    PreparingRebalance,
    /// A generation has begun, and its leader's assignment is awaited.
    CompletingRebalance,
    /// Every member has, or can get, its share.
    Stable,
}

impl State {
    /// Kafka's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A group as it lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClassicGroup<C: Carrier> {
    /// Where it stands.
    pub state: State,
    /// When a request or a timer last brought it there; `None` if that is not known.
    pub since: Option<C::Stamp>,
    /// The generation.
    pub generation: Generation,
    /// What its members agree on by.
    pub protocol_type: Option<ProtocolType>,
    /// The way that the members of this generation chose.
    pub protocol: Option<ProtocolName>,
    /// The member that shares out the work.
    pub leader: Option<MemberId>,
    /// The members.
    pub members: BTreeMap<MemberId, ClassicMember<C>>,
    /// The ids that were handed out and have not come back yet.
    pub pending: BTreeSet<MemberId>,
    /// The members that have not yet asked for their share of this generation.
    pub pending_sync: BTreeSet<MemberId>,
    /// What is to be known while a group that was empty prepares its first rebalance.
    pub initial: Option<Initial>,
}

/// The first rebalance of a group that was empty: it waits for more members to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Initial {
    /// The delay that runs.
    pub delay: Millis,
    /// How much of the members' rebalance timeout may still be waited after it.
    pub remaining: Millis,
    /// Whether a member has come since it began to run.
    pub member_added: bool,
}

/// A member as it lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClassicMember<C: Carrier> {
    /// What it is called across its lives, if it is static.
    pub instance: Option<InstanceId>,
    /// Who it is.
    pub client: Client,
    /// How long it may be silent.
    pub session_timeout: Millis,
    /// How long the others wait for it.
    pub rebalance_timeout: Millis,
    /// The ways that it knows, the one that it likes best first.
    pub protocols: Vec<Protocol<C>>,
    /// Its share in this generation, or its last one.
    pub assignment: Option<C::Bytes>,
    /// Whether its first JoinGroup has not been answered yet.
    pub is_new: bool,
    /// The request of it that waits.
    pub parked: Option<Parked>,
}

/// A request that waits for other members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Parked {
    /// A JoinGroup, until a generation begins.
    Join {
        /// Who waits.
        ticket: Ticket,
        /// For a static member that comes back to a stable group: it is answered as soon as that is written.
        reentry: Option<Reentry>,
    },
    /// A SyncGroup, until the leader's assignment is written.
    Sync {
        /// Who waits.
        ticket: Ticket,
    },
}

/// How to answer a static member that takes up where its last life ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reentry {
    /// Whether it can be told to leave the assignment as it is.
    pub knows_skip_assignment: bool,
    /// The leader before it came back, which its own last life may have been.
    pub leader: Option<MemberId>,
}

impl Parked {
    /// Who waits.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        match self {
            Self::Join { ticket, .. } | Self::Sync { ticket } => *ticket,
        }
    }

    pub(super) fn refused<C: Carrier>(&self, member: Option<MemberId>, refusal: Refusal) -> Reply<C> {
        match self {
            Self::Join { .. } => Reply::Join { member, outcome: Err(refusal) },
            Self::Sync { .. } => Reply::Sync(Err(refusal)),
        }
    }
}

impl<C: Carrier> ClassicMember<C> {
    pub(super) fn is_joining(&self) -> bool {
        matches!(self.parked, Some(Parked::Join { .. }))
    }

    /// `group.session.parked`: whoever waits for others is alive, but for a new member, whose client may be gone
    /// without a trace.
    pub(super) fn is_excused(&self) -> bool {
        !self.is_new && self.parked.is_some()
    }

    fn supports(&self, protocol: &ProtocolName) -> bool {
        self.protocols.iter().any(|known| known.name == *protocol)
    }

    pub(super) fn subscription(&self, protocol: Option<&ProtocolName>) -> Option<&Subscription<C>> {
        self.protocols.iter().find(|known| Some(&known.name) == protocol).map(|known| &known.subscription)
    }
}

impl<C: Carrier> ClassicGroup<C> {
    /// A group that no one has joined yet.
    #[must_use]
    pub fn empty(since: Option<C::Stamp>) -> Self {
        Self {
            state: State::Empty,
            since,
            generation: Generation(0),
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            pending: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            initial: None,
        }
    }

    /// The group as the log has it. A member's other protocols are not in the log.
    pub(super) fn stored(stored: &Stored<C>) -> Self {
        let Some(metadata) = &stored.metadata else { return Self::empty(None) };
        let restored = |member: &MemberMetadata<C>| {
            let protocol = metadata.protocol.clone().unwrap_or_else(|| "".into());
            let known = ClassicMember {
                instance: member.instance.clone(),
                client: member.client.clone(),
                session_timeout: member.session_timeout,
                rebalance_timeout: member.rebalance_timeout,
                protocols: vec![Protocol { name: protocol, subscription: member.subscription.clone() }],
                assignment: member.assignment.clone(),
                is_new: false,
                parked: None,
            };
            (member.member.clone(), known)
        };
        Self {
            state: if metadata.members.is_empty() { State::Empty } else { State::Stable },
            generation: metadata.generation,
            protocol_type: metadata.protocol_type.clone(),
            protocol: metadata.protocol.clone(),
            leader: metadata.leader.clone(),
            members: metadata.members.iter().map(restored).collect(),
            ..Self::empty(metadata.since)
        }
    }

    /// The group at rest, with each member's share as `assignment` says.
    pub(super) fn metadata(
        &self,
        assignment: impl Fn(&MemberId, &ClassicMember<C>) -> Option<C::Bytes>,
    ) -> GroupMetadata<C> {
        let members = self.members.iter().filter_map(|(id, member)| {
            Some(MemberMetadata {
                member: id.clone(),
                instance: member.instance.clone(),
                client: member.client.clone(),
                rebalance_timeout: member.rebalance_timeout,
                session_timeout: member.session_timeout,
                subscription: member.subscription(self.protocol.as_ref())?.clone(),
                assignment: assignment(id, member),
            })
        });
        GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            since: self.since,
            members: members.collect(),
        }
    }

    pub(super) fn is_leader(&self, member: &MemberId) -> bool {
        self.leader.as_ref() == Some(member)
    }

    /// The present life of a static member.
    #[must_use]
    pub fn static_member(&self, instance: &InstanceId) -> Option<&MemberId> {
        self.members.iter().find(|(_, member)| member.instance.as_ref() == Some(instance)).map(|(id, _)| id)
    }

    /// `group.member.fence`: of a static member only the last life counts. `group.member.known`: and anyone must be a
    /// member.
    pub(super) fn validate(&self, member: &MemberIdentity) -> Result<&MemberId, Refusal> {
        if let Some(instance) = &member.instance {
            let living = self.static_member(instance);
            guard!("group.member.known/instance", living.is_some());
            let living = living.ok_or(Refusal::UnknownMemberId)?;
            if guard!("group.member.fence", member.id.as_ref() != Some(living)) {
                return Err(Refusal::FencedInstanceId);
            }
        }
        let id = member.id.as_ref().and_then(|id| self.members.get_key_value(id));
        guard!("group.member.known", id.is_some());
        id.map(|(id, _)| id).ok_or(Refusal::UnknownMemberId)
    }

    pub(super) fn has_all_joined(&self) -> bool {
        self.pending.is_empty() && self.members.values().all(ClassicMember::is_joining)
    }

    /// The longest that any member asks the others to wait for it.
    pub(super) fn rebalance_timeout(&self) -> Millis {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or_default().max(Millis(0))
    }

    /// `group.protocol.common`: a member must know a way that every member knows; into an empty group it may bring any.
    pub(super) fn supports(&self, protocol_type: &ProtocolType, protocols: &[Protocol<C>]) -> bool {
        match self.state {
            State::Empty => !protocol_type.0.is_empty() && !protocols.is_empty(),
            _ => {
                let common = |name| self.members.values().all(|member| member.supports(name));
                self.protocol_type.as_ref() == Some(protocol_type)
                    && protocols.iter().any(|protocol| common(&protocol.name))
            }
        }
    }

    /// `group.protocol.vote`: of the ways that every member knows, the one that most of them like best; of as many, the
    /// first by name (Kafka takes any).
    pub(super) fn select_protocol(&self) -> Option<ProtocolName> {
        rule!("group.protocol.vote");
        let common = |name: &ProtocolName| self.members.values().all(|member| member.supports(name));
        let vote = |member: &'_ ClassicMember<C>| {
            member.protocols.iter().map(|protocol| &protocol.name).find(|name| common(name)).cloned()
        };
        let mut votes: BTreeMap<ProtocolName, usize> = BTreeMap::new();
        self.members.values().filter_map(vote).for_each(|name| *votes.entry(name).or_default() += 1);
        let most = votes.values().copied().max()?;
        votes.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name)
    }

    /// Whether members of this generation read `topic`, as far as the coordinator can tell.
    pub(super) fn is_subscribed(&self, topic: &TopicName) -> bool {
        let reads = |member: &ClassicMember<C>| {
            let topics = member.subscription(self.protocol.as_ref()).and_then(|known| known.topics.as_ref());
            topics.is_none_or(|topics| topics.contains(topic))
        };
        self.is_consumer() && self.members.values().any(reads)
    }

    pub(super) fn is_consumer(&self) -> bool {
        self.protocol_type.as_ref().is_some_and(|known| &*known.0 == CONSUMER)
    }

    /// What a member learns of this generation.
    pub(super) fn joined(&self, member: &MemberId) -> Joined<C> {
        let told = |(id, member): (&MemberId, &ClassicMember<C>)| {
            let identity = MemberIdentity { id: Some(id.clone()), instance: member.instance.clone() };
            Some((identity, member.subscription(self.protocol.as_ref())?.metadata.clone()))
        };
        let members = self.is_leader(member).then(|| self.members.iter().filter_map(told).collect());
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            members: members.unwrap_or_default(),
        }
    }

    pub(super) fn synced(&self, member: &MemberId) -> Synced<C> {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.get(member).and_then(|member| member.assignment.clone()),
        }
    }

    /// The requests that wait, each with its member.
    pub(super) fn parked(&self) -> impl Iterator<Item = (MemberId, &Parked)> {
        self.members.iter().filter_map(|(id, member)| Some((id.clone(), member.parked.as_ref()?)))
    }

    /// `group.parked.one`: a request that another one of the same member overtakes is told to begin anew, where Kafka
    /// never answers it.
    pub(super) fn park(&mut self, id: &MemberId, parked: Parked, turn: &mut Turn<'_, C>) {
        let Some(member) = self.members.get_mut(id) else { return };
        let overtaken = member.parked.replace(parked);
        guard!("group.parked.one", overtaken.is_some());
        if let Some(overtaken) = overtaken {
            turn.reply(overtaken.ticket(), overtaken.refused(Some(id.clone()), Refusal::RebalanceInProgress));
        }
    }

    /// Writes that there is no such group any more. Ids that were handed out go with it.
    pub(super) fn forget(&self, turn: &mut Turn<'_, C>) {
        self.pending.iter().for_each(|member| turn.cancel_timer(Timer::Session(member.clone())));
        turn.write_group(None);
    }

    /// `group.member.remove`: what of a member waits is answered, and if it led, another one does.
    pub(super) fn remove(&mut self, id: &MemberId, turn: &mut Turn<'_, C>) {
        rule!("group.member.remove");
        turn.cancel_timer(Timer::Session(id.clone()));
        let removed = self.members.remove(id);
        if let Some(parked) = removed.and_then(|member| member.parked) {
            turn.reply(parked.ticket(), parked.refused(None, Refusal::UnknownMemberId));
        }
        if guard!("group.member.remove/leader", self.is_leader(id)) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending.remove(id);
        self.pending_sync.remove(id);
    }
}
