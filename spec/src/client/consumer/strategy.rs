//! The ways to share out partitions that a consumer offers.

use super::Subscriber;
use crate::group::{MemberId, NamedPartition, TopicName};
use std::collections::{BTreeMap, BTreeSet};

/// A way to share out partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// Each topic by itself, in stretches.
    Range,
    /// A stub.
    CooperativeSticky,
}

impl Strategy {
    /// Kafka's name for it, on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// The strategy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Range, Self::CooperativeSticky].into_iter().find(|strategy| strategy.name() == name)
    }

    /// Whether members may keep what they own while the group rebalances.
    #[must_use]
    pub fn is_cooperative(self) -> bool {
        self == Self::CooperativeSticky
    }

    /// Who is to read what.
    #[must_use]
    pub fn assign(
        self,
        members: &[Subscriber],
        topics: &BTreeMap<TopicName, i32>,
    ) -> BTreeMap<MemberId, BTreeSet<NamedPartition>> {
        let mut shares: BTreeMap<_, BTreeSet<_>> =
            members.iter().map(|m| (m.member.clone(), BTreeSet::new())).collect();
        for (topic, count) in topics {
            let readers: BTreeSet<_> = members.iter().filter(|m| m.topics.contains(topic)).map(|m| &m.member).collect();
            let readers: Vec<_> = readers.into_iter().collect();
            for index in 0..*count {
                let Some(each) = (*count as usize).checked_div(readers.len()) else { continue };
                let more = *count as usize % readers.len();
                let index_ = index as usize;
                let at = if index_ < more * (each + 1) {
                    index_ / (each + 1)
                } else {
                    more + (index_ - more * (each + 1)) / each
                };
                shares.get_mut(readers[at]).map(|s| s.insert(NamedPartition { topic: topic.clone(), index }));
            }
        }
        shares
    }
}
