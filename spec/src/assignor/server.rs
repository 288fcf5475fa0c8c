//! The assignors that a coordinator runs (KIP-848).
//!
//! What members own is here their share of the last target assignment, be it that they have it yet or not.
//!
//! Not here: racks. Source: Kafka's `UniformHomogeneousAssignmentBuilder`, `RangeAssignor` of the group coordinator.

use super::sticky::Claims;
use super::{Assignment, Members, Topics, all_partitions, give, range, unequal};
use crate::group::NamedPartition;
use std::collections::BTreeSet;

/// A way to share out partitions, as a coordinator knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerAssignor {
    /// Evenly, and as before as far as that goes.
    Uniform,
    /// Each topic by itself, in ranges.
    Range,
}

impl ServerAssignor {
    /// Every assignor.
    pub const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    /// What groups have whose members name none.
    pub const DEFAULT: Self = Self::Uniform;

    /// The name by which members vote for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignor of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Shares out the partitions of `topics` among `members`.
    #[must_use]
    pub fn assign(self, members: &Members, topics: &Topics) -> Assignment {
        let mut assignment = members.keys().map(|id| (id.clone(), BTreeSet::new())).collect();
        match self {
            Self::Range => range::assign(members, topics, &mut assignment),
            Self::Uniform => uniform(members, topics, &mut assignment),
        }
        assignment
    }
}

fn uniform(members: &Members, topics: &Topics, assignment: &mut Assignment) {
    let partitions = all_partitions(members, topics);
    let mut subscriptions = members.values().map(|member| &member.topics);
    let first = subscriptions.next();
    if subscriptions.all(|topics| Some(topics) == first) {
        return uniform_equal(members, partitions, assignment);
    }
    let there: BTreeSet<_> = partitions.iter().cloned().collect();
    let owned = members.iter().map(|(id, member)| (id.clone(), member.owned.intersection(&there).cloned().collect()));
    let claims = Claims { owned: owned.collect(), disputed: BTreeSet::new() };
    unequal::assign(members, &partitions, &claims, assignment);
}

/// `assignor.uniform`: everyone keeps what it had up to its quota, and the rest goes in order to those who have less.
/// Quotas differ by one at most; a larger one goes to those who had that many, and then to the last members.
fn uniform_equal(members: &Members, partitions: Vec<NamedPartition>, assignment: &mut Assignment) {
    let Some(least) = partitions.len().checked_div(members.len()) else { return };
    let mut one_more = partitions.len() % members.len();
    let had: BTreeSet<_> = members.values().flat_map(|member| &member.owned).collect();
    let mut left: Vec<_> = partitions.iter().filter(|partition| !had.contains(partition)).cloned().collect();
    let there: BTreeSet<_> = partitions.into_iter().collect();
    let mut unfilled = Vec::new();
    for (place, (id, member)) in members.iter().enumerate() {
        let may_have_more = one_more > 0;
        let quota = least + usize::from(may_have_more);
        let mut kept = member.owned.intersection(&there);
        kept.by_ref().take(quota).for_each(|partition| give(assignment, id, partition.clone()));
        left.extend(kept.cloned());
        let has = assignment.get(id).map_or(0, BTreeSet::len);
        // Whoever does not fill the larger quota leaves it to another, while there are enough others.
        let yields = may_have_more && has < quota && members.len() - place > one_more;
        let quota = quota - usize::from(yields);
        if has < quota {
            unfilled.push((id, quota - has));
        }
        one_more -= usize::from(may_have_more && !yields);
    }
    let mut left = left.into_iter();
    for (id, lacks) in unfilled {
        left.by_ref().take(lacks).for_each(|partition| give(assignment, id, partition));
    }
}
