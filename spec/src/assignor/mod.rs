//! Assignors: how the members of a group share out the partitions that they read.
//!
//! Pure functions of who the members are, what they subscribe to and what they own. In a classic group the leader, a
//! client, runs the one that the members chose; the coordinator never looks into it.
//!
//! In a consumer group the coordinator runs one of its own (`server`).
//!
//! Not here: racks. Source: KIP-54, KIP-341, KIP-429, KIP-792; Kafka's
//! `RangeAssignor`, `RoundRobinAssignor`, `StickyAssignor`, `CooperativeStickyAssignor`.

mod in_turn;
mod range;
mod server;
mod sticky;
mod unequal;

pub use server::ServerAssignor;

use crate::group::{Generation, InstanceId, MemberId, NamedPartition, TopicName};
use crate::rules::Rules;
use std::collections::{BTreeMap, BTreeSet};

/// The members of a group.
pub type Members = BTreeMap<MemberId, Subscriber>;

/// The topics that there are, each with its number of partitions.
pub type Topics = BTreeMap<TopicName, u32>;

/// Who gets what. Every member has an entry.
pub type Assignment = BTreeMap<MemberId, BTreeSet<NamedPartition>>;

/// A member, as the group's leader knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subscriber {
    /// What it is called across its lives, if it is static.
    pub instance: Option<InstanceId>,
    /// What it wants to read. A topic that does not exist counts for nothing.
    pub topics: BTreeSet<TopicName>,
    /// What it says that it owns.
    pub owned: BTreeSet<NamedPartition>,
    /// The generation in which it got that; `None` if it does not say.
    pub generation: Option<Generation>,
    /// What it says that [`Assignor::Sticky`] has given it, in that assignor's user data.
    pub remembered: Option<Remembered>,
}

/// What a member was given last by [`Assignor::Sticky`], whether or not it still owns it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remembered {
    /// Its share.
    pub partitions: BTreeSet<NamedPartition>,
    /// The generation in which it got that; `None` if it does not say.
    pub generation: Option<Generation>,
}

/// A way to share out partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assignor {
    /// Each topic by itself, in ranges.
    Range,
    /// All partitions in turn.
    RoundRobin,
    /// Evenly, and as before as far as that goes.
    Sticky,
    /// As [`Assignor::Sticky`], but a partition that changes hands is first given up and only then given away.
    CooperativeSticky,
}

impl Assignor {
    /// Every assignor.
    pub const ALL: [Self; 4] = [Self::Range, Self::RoundRobin, Self::Sticky, Self::CooperativeSticky];

    /// The name by which members vote for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::Sticky => "sticky",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// Shares out the partitions of `topics` among `members`, as today.
    #[must_use]
    pub fn assign(self, members: &Members, topics: &Topics) -> Assignment {
        self.assign_by(&Rules::KAFKA, members, topics)
    }

    /// Shares out the partitions of `topics` among `members`, by these rules.
    #[must_use]
    pub fn assign_by(self, rules: &Rules, members: &Members, topics: &Topics) -> Assignment {
        let mut assignment = members.keys().map(|id| (id.clone(), BTreeSet::new())).collect();
        match self {
            Self::Range => range::assign(members, topics, &mut assignment),
            Self::RoundRobin => in_turn::assign(members, topics, &mut assignment),
            Self::Sticky => drop(sticky::assign(rules, &as_remembered(members), topics, &mut assignment)),
            Self::CooperativeSticky => {
                let changing_hands = sticky::assign(rules, members, topics, &mut assignment);
                hold_back(&changing_hands, &mut assignment);
            }
        }
        assignment
    }
}

/// `assignor.sticky.remembered`: an eager member has given up everything before it joins, so that what it was given last
/// counts as what it owns, and nothing else does.
fn as_remembered(members: &Members) -> Members {
    let remembers = |member: &Subscriber| {
        let Remembered { partitions, generation } = member.remembered.clone().unwrap_or_default();
        Subscriber { owned: partitions, generation, ..member.clone() }
    };
    members.iter().map(|(id, member)| (id.clone(), remembers(member))).collect()
}

/// `assignor.cooperative`: a partition that its owner has yet to give up is given to no one; the next generation gives it
/// away.
fn hold_back(changing_hands: &BTreeSet<NamedPartition>, assignment: &mut Assignment) {
    assignment.values_mut().for_each(|share| share.retain(|partition| !changing_hands.contains(partition)));
}

/// `assignor.order`: static members come first, in the order of their names; the others in the order of their ids. So a
/// static member keeps its place when it starts anew.
fn in_order(members: &Members) -> Vec<(&MemberId, &Subscriber)> {
    let mut ordered: Vec<_> = members.iter().collect();
    ordered.sort_by_key(|(id, member)| (member.instance.is_none(), member.instance.clone(), (*id).clone()));
    ordered
}

/// The partitions of `topic`, in order.
fn partitions_of(topic: &TopicName, count: u32) -> impl Iterator<Item = NamedPartition> {
    let indices = 0..i32::try_from(count).unwrap_or(i32::MAX);
    indices.map(|index| NamedPartition { topic: topic.clone(), index })
}

/// Every partition of the topics that someone subscribes to, in order.
fn all_partitions(members: &Members, topics: &Topics) -> Vec<NamedPartition> {
    let wanted = |topic: &TopicName| members.values().any(|member| member.topics.contains(topic));
    let wanted = topics.iter().filter(|(topic, _)| wanted(topic));
    wanted.flat_map(|(topic, count)| partitions_of(topic, *count)).collect()
}

fn give(assignment: &mut Assignment, to: &MemberId, partition: NamedPartition) {
    assignment.entry(to.clone()).or_default().insert(partition);
}
