//! Offsets that no one has needed for long, and groups that are left with none.
//!
//! A machine has no clock: now and then it hears which moment is `offsets.retention.minutes` ago. Rules:
//! `group.retention.*`. Source: KIP-186, KIP-211, KIP-496; Kafka's `OffsetMetadataManager.cleanupExpiredOffsets`,
//! `ClassicGroup.offsetExpirationCondition`.

use super::turn::Turn;
use super::{
    ClassicGroup, CommittedOffset, ConsumerGroup, Coordinator, GroupId, Measured, NamedPartition, Role, State,
    TopicName,
};
use crate::machine::Carrier;
use crate::marks::guard;

impl<C: Measured> Coordinator<C> {
    /// `group.retention.offset`: an offset is forgotten when its time has passed and it is still not needed.
    /// `group.retention.group`: a group without members that is left with no offsets is forgotten too.
    /// `group.retention.some`: what the log does not take at once is left for the next time.
    pub(super) fn retention_checked(&self, since: C::Stamp, turn: &mut Turn<'_, C>) {
        if !guard!("group.retention.offset/active", self.role == Role::Active) {
            return;
        }
        let offsets = self.stored.get(turn.group).into_iter().flat_map(|stored| &stored.offsets);
        let (forgotten, kept): (Vec<_>, Vec<_>) = offsets.partition(|(partition, committed)| {
            let unneeded = self.unneeded_since(turn.group, &partition.topic, committed);
            guard!("group.retention.offset", unneeded.is_some_and(|from| from <= since))
        });
        let forget = |(partition, _): (&NamedPartition, _)| turn.offset_record(partition.clone(), None);
        let forgotten: Vec<_> = forgotten.into_iter().map(forget).collect();
        let is_all = guard!("group.retention.some", turn.write_what_fits(forgotten));
        if guard!("group.retention.group/kept", !is_all || !kept.is_empty()) {
            return;
        }
        let so_far = turn.so_far();
        match (self.consumer_group(turn.group), self.classic.get(turn.group)) {
            (Some(group), _) if guard!("group.retention.group/consumer", group.members.is_empty()) => {
                group.forget_all(turn);
            }
            (None, Some(group)) if guard!("group.retention.group", group.state == State::Empty) => group.forget(turn),
            _ => {}
        }
        if guard!("group.retention.some/group", turn.is_too_large()) {
            turn.back_to(so_far);
        }
    }

    /// Since when an offset is not needed; `None` if it is.
    fn unneeded_since(&self, id: &GroupId, topic: &TopicName, committed: &CommittedOffset<C>) -> Option<C::Stamp> {
        match (self.consumer_group(id), self.classic.get(id)) {
            (Some(group), _) => group.unneeded_since(topic, committed),
            (None, group) => group?.unneeded_since(topic, committed),
        }
    }
}

impl ConsumerGroup {
    /// `group.consumer.retention`: in a consumer group the time runs from when an offset was committed, for topics that
    /// no member reads.
    fn unneeded_since<C: Carrier>(&self, topic: &TopicName, committed: &CommittedOffset<C>) -> Option<C::Stamp> {
        guard!("group.consumer.retention", !self.is_subscribed(topic)).then_some(committed.at)
    }
}

impl<C: Carrier> ClassicGroup<C> {
    /// `group.retention.since`: an offset is needed while members read its topic, and in a group of which the
    /// coordinator cannot tell what it reads while there are any. After that the time runs from when the last of them
    /// left; where there are members of others' topics, or never were any, from when it was committed.
    fn unneeded_since(&self, topic: &TopicName, committed: &CommittedOffset<C>) -> Option<C::Stamp> {
        let unneeded = match (&self.protocol_type, self.state) {
            (None, _) => Some(committed.at),
            (Some(_), State::Empty) => Some(self.since.unwrap_or(committed.at)),
            (Some(_), State::Stable) if self.is_consumer() => (!self.is_subscribed(topic)).then_some(committed.at),
            (Some(_), _) => None,
        };
        guard!("group.retention.since", unneeded.is_some());
        unneeded
    }
}
