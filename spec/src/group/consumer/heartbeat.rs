//! ConsumerGroupHeartbeat: to join, to stay, to move towards the target assignment.
//!
//! Rules: `group.consumer.*`. Source: KIP-848; Kafka's `GroupCoordinatorService.consumerGroupHeartbeat`,
//! `GroupMetadataManager.consumerGroupHeartbeat`.

use super::reconcile::reconciled;
use super::subscribe::Subscribing;
use super::{ConsumerGroup, ConsumerHeartbeat, ConsumerRecord, Current, MemberDetails, Progress, Purpose, Reconciled};
use crate::assignor::ServerAssignor;
use crate::group::turn::Turn;
use crate::group::{Coordinator, GroupId, Measured, MemberId, State, Timer};
use crate::machine::Carrier;
use crate::marks::guard;
use crate::refusal::Refusal;
use crate::rules::Rules;
use std::sync::Arc;

impl<C: Measured> Coordinator<C> {
    /// `None` for a member that has left.
    pub(in crate::group) fn consumer_heartbeat(
        &mut self,
        rules: &Rules,
        beat: &ConsumerHeartbeat,
        turn: &mut Turn<'_, C>,
    ) -> Result<Option<Reconciled>, Refusal> {
        beat.validate(turn.group)?;
        match beat.purpose {
            Purpose::Join | Purpose::Stay(_) => self.consumer_stays(rules, beat, turn).map(Some),
            Purpose::Leave | Purpose::Pause => self.consumer_leaves(beat, turn).map(|()| None),
        }
    }

    /// `group.consumer.create`: who joins makes the group if there is none, or a classic one that is empty. Any other
    /// group is not found. A classic group with members stays one: that its members change over one by one is not here.
    fn consumer_group_for(&self, id: &GroupId, joins: bool) -> Result<Option<&ConsumerGroup>, Refusal> {
        match (self.consumer_group(id), self.classic.get(id)) {
            (Some(group), _) => Ok(Some(group)),
            (None, None) if guard!("group.consumer.create", joins) => Ok(None),
            (None, Some(classic))
                if guard!("group.consumer.create/classic", joins && classic.state == State::Empty) =>
            {
                Ok(None)
            }
            (None, _) => Err(Refusal::GroupIdNotFound),
        }
    }

    fn consumer_stays(
        &mut self,
        rules: &Rules,
        beat: &ConsumerHeartbeat,
        turn: &mut Turn<'_, C>,
    ) -> Result<Reconciled, Refusal> {
        let none = ConsumerGroup::default();
        let joins = beat.purpose == Purpose::Join;
        let group = self.consumer_group_for(turn.group, joins)?.unwrap_or(&none);
        let id = beat.member.id.as_ref().or(beat.fresh.as_ref()).ok_or(Refusal::InvalidRequest)?;
        // `group.consumer.max-size`
        let is_full = group.members.len() >= (turn.config.consumer_max_size as usize);
        if guard!("group.consumer.max-size", is_full && !group.members.contains_key(id)) {
            return Err(Refusal::GroupMaxSizeReached);
        }
        let asks = group.who_asks(id, beat)?;
        // `group.consumer.regex`
        if guard!("group.consumer.regex", beat.regex.as_ref().is_some_and(|regex| !regex.is_empty())) {
            return Err(Refusal::InvalidRegularExpression);
        }
        if let Some(classic) = self.classic.get(turn.group) {
            classic.forget(turn);
        }
        let metadata = beat.over(&asks.member.metadata);
        let known = !self.unseen.contains(turn.group);
        let subscribing = Subscribing { group, id, replaces: asks.replaces, before: &asks.member, metadata: &metadata };
        subscribing.write_member(turn);
        let epoch = subscribing.group_epoch(known, &self.topics, turn);
        let (target_epoch, target) = match guard!("group.consumer.target", epoch > group.target_epoch) {
            true => (epoch, subscribing.assign(epoch, &self.topics, turn)),
            false => (group.target_epoch, subscribing.target().cloned().unwrap_or_default()),
        };
        let before = &asks.member.current;
        let current = reconciled(rules, group, before, target_epoch, &target, beat.owned.as_ref());
        if current != **before {
            write_progress(id, &current, &metadata, turn);
        }
        turn.set_timer(Timer::Session(id.clone()), turn.config.consumer_session_timeout);
        // `group.consumer.answer`
        let is_news = joins || beat.is_full() || current.assigned != before.assigned;
        let tells = guard!("group.consumer.answer", is_news);
        let reply = Reconciled {
            member: id.clone(),
            epoch: current.epoch.unwrap_or_default(),
            interval: turn.config.consumer_heartbeat_interval,
            assigned: tells.then_some(current.assigned),
        };
        self.unseen.remove(turn.group);
        Ok(reply)
    }
}

/// `group.consumer.rebalance-timeout`: whoever is to give up partitions has its rebalance timeout for it.
fn write_progress<C: Carrier>(id: &MemberId, current: &Current, metadata: &MemberDetails, turn: &mut Turn<'_, C>) {
    turn.write_consumer(ConsumerRecord::Current(id.clone(), Some(Arc::new(current.clone()))));
    guard!("group.consumer.rebalance-timeout", current.progress == Progress::UnrevokedPartitions);
    match current.progress {
        Progress::UnrevokedPartitions => turn.set_timer(Timer::Revocation(id.clone()), metadata.rebalance_timeout),
        _ => turn.cancel_timer(Timer::Revocation(id.clone())),
    }
}

/// Whether a name is none: as Java trims, a blank is whatever comes before the first character that is seen.
fn is_blank(name: &str) -> bool {
    name.chars().all(|letter| letter <= ' ')
}

impl ConsumerHeartbeat {
    /// `group.consumer.validate`: nothing happens to a group by a heartbeat that is wrong in itself.
    /// `group.consumer.assignor`: an assignor that no one knows can't be voted for.
    fn validate(&self, group: &GroupId) -> Result<(), Refusal> {
        let anonymous = self.member.id.as_ref().is_none_or(|id| is_blank(&id.0));
        let nameless = match self.purpose {
            Purpose::Join => self.fresh.is_none() && anonymous,
            Purpose::Stay(_) | Purpose::Leave => anonymous,
            Purpose::Pause => self.member.instance.is_none() || self.fresh.is_none() && anonymous,
        };
        let instance = self.member.instance.as_ref().map(|instance| &instance.0);
        let has_blanks =
            [Some(&group.0), instance, self.rack.as_ref()].into_iter().flatten().any(|name| is_blank(name));
        let owns_something = self.owned.as_ref().is_none_or(|owned| !owned.is_empty());
        let says_nothing = self.rebalance_timeout.is_none() || self.topics.is_none() && self.regex.is_none();
        let joins_wrongly = self.purpose == Purpose::Join && (owns_something || says_nothing);
        if guard!("group.consumer.validate", has_blanks || nameless || joins_wrongly) {
            return Err(Refusal::InvalidRequest);
        }
        match &self.assignor {
            Some(name) if guard!("group.consumer.assignor", ServerAssignor::named(&name.0).is_none()) => {
                Err(Refusal::UnsupportedAssignor)
            }
            _ => Ok(()),
        }
    }

    /// What the member says of itself from now on.
    fn over(&self, before: &MemberDetails) -> MemberDetails {
        MemberDetails {
            instance: self.member.instance.clone().or_else(|| before.instance.clone()),
            rack: self.rack.clone().or_else(|| before.rack.clone()),
            client: self.client.clone(),
            topics: self.topics.clone().unwrap_or_else(|| before.topics.clone()),
            rebalance_timeout: self.rebalance_timeout.unwrap_or(before.rebalance_timeout),
            assignor: self.assignor.clone().or_else(|| before.assignor.clone()),
        }
    }
}
