//! Members that leave, go for a while, or are put out.
//!
//! Rules: `group.consumer.*`. Source: KIP-848; Kafka's `GroupMetadataManager.consumerGroupLeave`,
//! `consumerGroupFenceMembers`, `scheduleConsumerGroupRebalanceTimeout`, `onLoaded`.

use super::{
    ConsumerGroup, ConsumerHeartbeat, ConsumerRecord, Current, GroupEpochs, MetadataHash, Progress, Purpose, Share,
};
use crate::group::turn::Turn;
use crate::group::{Coordinator, Measured, MemberId, MemberIdentity, MemberResults, Timer, TopicName};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use std::collections::BTreeSet;
use std::sync::Arc;

impl<C: Measured> Coordinator<C> {
    /// `group.consumer.leave`: what a member had is free at once. `group.consumer.pause`: what a static member had that
    /// will be back is not, but its session goes on.
    pub(super) fn consumer_leaves(&self, beat: &ConsumerHeartbeat, turn: &mut Turn<'_, C>) -> Result<(), Refusal> {
        let found = self.consumer_group(turn.group);
        guard!("group.consumer.leave/group", found.is_some());
        let group = found.ok_or(Refusal::GroupIdNotFound)?;
        let id = beat.member.id.as_ref().or(beat.fresh.as_ref()).ok_or(Refusal::UnknownMemberId)?;
        let member = match &beat.member.instance {
            Some(instance) => group.validate_static(instance, id)?,
            None => {
                let known = group.members.get(id);
                guard!("group.consumer.leave/known", known.is_some());
                known.ok_or(Refusal::UnknownMemberId)?
            }
        };
        if guard!("group.consumer.pause", beat.purpose == Purpose::Pause) {
            let away = Current { epoch: None, revoked: Share::new(), ..(*member.current).clone() };
            turn.write_consumer(ConsumerRecord::Current(id.clone(), Some(Arc::new(away))));
        } else {
            rule!("group.consumer.leave");
            self.put_out(group, &[id.clone()].into(), turn);
        }
        Ok(())
    }

    /// LeaveGroup, by which an operator removes members of a group of either kind.
    pub(in crate::group) fn consumers_leave(
        &self,
        group: &ConsumerGroup,
        members: Vec<MemberIdentity>,
        turn: &mut Turn<'_, C>,
    ) -> MemberResults {
        let mut gone = BTreeSet::new();
        let find = |member: &MemberIdentity| match (&member.instance, &member.id) {
            (None, Some(id)) => Ok(group.members.get_key_value(id).ok_or(Refusal::UnknownMemberId)?.0.clone()),
            (None, None) => Err(Refusal::UnknownMemberId),
            (Some(instance), None) => Ok(group.static_member(instance).ok_or(Refusal::UnknownMemberId)?.0.clone()),
            (Some(instance), Some(id)) => group.validate_static(instance, id).map(|_| id.clone()),
        };
        let outcomes = members.into_iter().map(|member| {
            let found = find(&member);
            guard!("group.consumer.leave/each", found.is_ok());
            let outcome = found.map(|id| {
                gone.insert(id);
            });
            (member, outcome)
        });
        let outcomes = outcomes.collect();
        if !gone.is_empty() {
            self.put_out(group, &gone, turn);
        }
        Ok(outcomes)
    }

    /// `group.consumer.session`: a member that was silent for its session is put out.
    /// `group.consumer.rebalance-timeout`: and one that has not given up in time what it was told to.
    pub(in crate::group) fn consumer_timer_fired(&self, timer: &Timer, turn: &mut Turn<'_, C>) {
        let Some(group) = self.consumer_group(turn.group) else { return };
        let due = match timer {
            Timer::Session(id) => guard!("group.consumer.session", group.members.contains_key(id)).then_some(id),
            Timer::Revocation(id) => {
                let revokes =
                    |current: &Current| current.progress == Progress::UnrevokedPartitions && current.epoch.is_some();
                let is_late = group.members.get(id).is_some_and(|member| revokes(&member.current));
                guard!("group.consumer.rebalance-timeout/late", is_late).then_some(id)
            }
            Timer::Join | Timer::Sync => None,
        };
        if let Some(id) = due {
            self.put_out(group, &[id.clone()].into(), turn);
        }
    }

    /// The others get what the members had when they next ask: the group has another epoch.
    fn put_out(&self, group: &ConsumerGroup, gone: &BTreeSet<MemberId>, turn: &mut Turn<'_, C>) {
        for id in gone {
            turn.write_consumer_gone(id);
            turn.cancel_timer(Timer::Session(id.clone()));
            turn.cancel_timer(Timer::Revocation(id.clone()));
        }
        let left = group.members.iter().filter(|(id, _)| !gone.contains(*id));
        let wanted: BTreeSet<&TopicName> = left.flat_map(|(_, member)| &member.metadata.topics).collect();
        let topics = MetadataHash::of(&wanted, &self.topics);
        turn.write_consumer(ConsumerRecord::Group(Some(GroupEpochs { epoch: group.epoch.next(), topics })));
    }
}

impl ConsumerGroup {
    /// `group.consumer.load`: under a new coordinator every member has a whole session before it, and one that is to
    /// give up partitions its whole rebalance timeout.
    pub(in crate::group) fn restart_timers<C: Carrier>(&self, turn: &mut Turn<'_, C>) {
        rule!("group.consumer.load");
        for (id, member) in &self.members {
            turn.set_timer(Timer::Session(id.clone()), turn.config.consumer_session_timeout);
            if guard!("group.consumer.load/revokes", member.current.progress == Progress::UnrevokedPartitions) {
                turn.set_timer(Timer::Revocation(id.clone()), member.metadata.rebalance_timeout);
            }
        }
    }

    /// Writes that there is no such group any more. It has no members.
    pub(in crate::group) fn forget_all<C: Carrier>(&self, turn: &mut Turn<'_, C>) {
        turn.write_consumer(ConsumerRecord::TargetEpoch(None));
        turn.write_consumer(ConsumerRecord::Group(None));
    }
}
