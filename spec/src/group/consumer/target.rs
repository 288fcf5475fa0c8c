//! The target assignment: who is to read what.
//!
//! Not here: how partitions are shared out (`assignor::server`). Rules: `group.consumer.target`,
//! `group.consumer.preferred`. Source: Kafka's `TargetAssignmentBuilder`, `ConsumerGroup.computePreferredServerAssignor`.

use super::subscribe::Subscribing;
use super::{ConsumerRecord, GroupEpoch, KnownTopics, MemberDetails, Share};
use crate::assignor::{Members, ServerAssignor, Subscriber, Topics};
use crate::group::turn::Turn;
use crate::group::{MemberId, NamedPartition, TopicName};
use crate::machine::Carrier;
use crate::marks::guard;
use crate::values::{TopicId, TopicPartition};
use std::collections::BTreeMap;

impl Subscribing<'_> {
    /// `group.consumer.target`: when the group has another epoch its target assignment is computed anew, from who the
    /// members are, what they want, and the last target. Only what is another than before is written.
    pub(super) fn assign<C: Carrier>(&self, epoch: GroupEpoch, known: &KnownTopics, turn: &mut Turn<'_, C>) -> Share {
        let names: BTreeMap<TopicId, &TopicName> = known.iter().map(|(name, topic)| (topic.id, name)).collect();
        let members: Members =
            self.members().map(|(id, member)| (id.clone(), self.subscriber(id, member, &names))).collect();
        let wanted = |name: &TopicName| members.values().any(|member| member.topics.contains(name));
        let topics: Topics = known
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, topic)| (name.clone(), topic.partitions))
            .collect();
        let assignor = preferred(self.members().map(|(_, member)| member));
        let mut own = Share::new();
        for (id, share) in assignor.assign(&members, &topics) {
            let by_id = |partition: NamedPartition| {
                known.get(&partition.topic).map(|topic| TopicPartition { topic: topic.id, index: partition.index })
            };
            let share: Share = share.into_iter().filter_map(by_id).collect();
            if self.group.targets.get(&id) != Some(&share) {
                turn.write_consumer(ConsumerRecord::Target(id.clone(), Some(share.clone())));
            }
            if id == *self.id {
                own = share;
            }
        }
        turn.write_consumer(ConsumerRecord::TargetEpoch(Some(epoch)));
        own
    }

    fn subscriber(&self, id: &MemberId, member: &MemberDetails, names: &BTreeMap<TopicId, &TopicName>) -> Subscriber {
        let last = if id == self.id { self.target() } else { self.group.targets.get(id) };
        let named = |partition: &TopicPartition| {
            names.get(&partition.topic).map(|topic| NamedPartition { topic: (*topic).clone(), index: partition.index })
        };
        Subscriber {
            instance: member.instance.clone(),
            topics: member.topics.clone(),
            owned: last.into_iter().flatten().filter_map(named).collect(),
            ..Subscriber::default()
        }
    }
}

/// `group.consumer.preferred`: the assignor that most members vote for; of as many, the first by name (Kafka takes
/// any), and if no one votes, the first that there is.
pub(super) fn preferred<'a>(members: impl Iterator<Item = &'a MemberDetails>) -> ServerAssignor {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    members.filter_map(|member| member.assignor.as_ref()).for_each(|name| *votes.entry(&name.0).or_default() += 1);
    let most = votes.values().copied().max();
    let chosen = votes.into_iter().find(|(_, count)| Some(*count) == most);
    guard!("group.consumer.preferred", chosen.is_some());
    chosen.and_then(|(name, _)| ServerAssignor::named(name)).unwrap_or(ServerAssignor::DEFAULT)
}
