//! Offsets that no one has needed for long, and groups that are left with none.
//!
//! A machine has no clock: it says since when an offset is not needed, and hears for which of them
//! `offsets.retention.minutes` have passed since. Rules: `group.retention.*`. Source: KIP-186, KIP-211, KIP-496; Kafka's
//! `OffsetMetadataManager.cleanupExpiredOffsets`, `ClassicGroup.offsetExpirationCondition`.

use super::turn::Turn;
use super::{ClassicGroup, CommittedOffset, ConsumerGroup, Coordinator, GroupId, NamedPartition, State, TopicName};
use crate::machine::Carrier;

impl<C: Carrier> Coordinator<C> {
    /// Every group, each with those of its offsets that are not needed and since when. The shell looks now and then,
    /// and hands back for each group those for which the time has passed ([`super::Input::RetentionChecked`]), be they
    /// none.
    pub fn unneeded(&self) -> impl Iterator<Item = (&GroupId, Vec<(NamedPartition, C::Stamp)>)> {
        let classic = self.classic.iter().map(|(id, group)| {
            let offsets = self.stored.get(id).into_iter().flat_map(|stored| &stored.offsets);
            let unneeded = offsets.filter_map(|(partition, committed)| {
                Some((partition.clone(), group.unneeded_since(&partition.topic, committed)?))
            });
            (id, unneeded.collect())
        });
        let consumer = self.stored.iter().filter_map(|(id, stored)| {
            let group = stored.consumer.as_ref()?;
            let unneeded = stored.offsets.iter().filter(|(partition, _)| !group.is_subscribed(&partition.topic));
            Some((id, unneeded.map(|(partition, committed)| (partition.clone(), committed.at)).collect()))
        });
        classic.chain(consumer)
    }

    /// `group.retention.offset`: an offset is forgotten when its time has passed and it is still not needed.
    /// `group.retention.group`: a group without members that is left with no offsets is forgotten too.
    pub(super) fn retention_checked(&self, passed: &[NamedPartition], turn: &mut Turn<'_, C>) {
        if let Some(group) = self.consumer_group(turn.group) {
            return self.consumer_retention_checked(group, passed, turn);
        }
        let Some(group) = self.classic.get(turn.group) else { return };
        let offsets = self.stored.get(turn.group).into_iter().flat_map(|stored| &stored.offsets);
        let (forgotten, kept): (Vec<_>, Vec<_>) = offsets.partition(|(partition, committed)| {
            passed.contains(partition) && group.unneeded_since(&partition.topic, committed).is_some()
        });
        forgotten.into_iter().for_each(|(partition, _)| turn.write_offset(partition.clone(), None));
        if kept.is_empty() && group.state == State::Empty {
            group.forget(turn);
        }
    }

    /// `group.consumer.retention`: in a consumer group the time runs from when an offset was committed, for topics that
    /// no member reads.
    fn consumer_retention_checked(&self, group: &ConsumerGroup, passed: &[NamedPartition], turn: &mut Turn<'_, C>) {
        let offsets = self.stored.get(turn.group).into_iter().flat_map(|stored| stored.offsets.keys());
        let (forgotten, kept): (Vec<_>, Vec<_>) =
            offsets.partition(|partition| passed.contains(partition) && !group.is_subscribed(&partition.topic));
        forgotten.into_iter().for_each(|partition| turn.write_offset(partition.clone(), None));
        if kept.is_empty() && group.members.is_empty() {
            group.forget_all(turn);
        }
    }
}

impl<C: Carrier> ClassicGroup<C> {
    /// `group.retention.since`: an offset is needed while members read its topic, and in a group of which the
    /// coordinator cannot tell what it reads while there are any. After that the time runs from when the last of them
    /// left; where there are members of others' topics, or never were any, from when it was committed.
    fn unneeded_since(&self, topic: &TopicName, committed: &CommittedOffset<C>) -> Option<C::Stamp> {
        match (&self.protocol_type, self.state) {
            (None, _) => Some(committed.at),
            (Some(_), State::Empty) => Some(self.since.unwrap_or(committed.at)),
            (Some(_), State::Stable) if self.is_consumer() => (!self.is_subscribed(topic)).then_some(committed.at),
            (Some(_), _) => None,
        }
    }
}
