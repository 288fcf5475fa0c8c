//! JoinGroup: to become a member, to come back, and to take part in the next generation.
//!
//! Rules: `group.join.*`. Source: KIP-345, KIP-394, KIP-814; Kafka's `GroupMetadataManager.classicGroupJoin`.

use super::turn::Turn;
use super::{
    ClassicGroup, ClassicMember, Coordinator, GroupMetadata, JoinGroup, Measured, MemberId, Parked, Reentry, Reply,
    State, Timer,
};
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::rules::{Rules, StaticRejoin};
use crate::values::Ticket;

impl<C: Measured> Coordinator<C> {
    /// `group.join.validate`: nothing happens to a group by a request that is wrong in itself. `group.join.create`: who
    /// comes without an id makes the group if there is none, and the log knows of it before anyone is in it.
    pub(super) fn join(&mut self, rules: &Rules, ticket: Ticket, join: JoinGroup<C>, turn: &mut Turn<'_, C>) {
        let allowed = self.config.min_session_timeout..=self.config.max_session_timeout;
        let is_new = !self.classic.contains_key(turn.group);
        let refusal = if guard!("group.join.validate/group", turn.group.0.is_empty()) {
            Some(Refusal::InvalidGroupId)
        } else if guard!("group.join.validate/session", !allowed.contains(&join.session_timeout)) {
            Some(Refusal::InvalidSessionTimeout)
        } else {
            let is_gone = self.consumer_group(turn.group).is_none_or(|group| group.members.is_empty());
            let knows_too_much = is_new && is_gone && join.member.id.is_some();
            guard!("group.join.validate/member", knows_too_much).then_some(Refusal::UnknownMemberId)
        };
        if let Some(refusal) = refusal {
            return turn.reply(ticket, Reply::Join { member: join.member.id, outcome: Err(refusal) });
        }
        if let Some(consumer) = self.consumer_group(turn.group) {
            // `group.consumer.kind`
            if guard!("group.consumer.kind", !consumer.members.is_empty()) {
                let outcome = Err(Refusal::InconsistentGroupProtocol);
                return turn.reply(ticket, Reply::Join { member: None, outcome });
            }
            consumer.forget_all(turn);
        }
        let group = self.classic.entry(turn.group.clone()).or_insert_with(|| ClassicGroup::empty(Some(turn.at)));
        group.join(rules, ticket, join, turn);
        if guard!("group.join.create", is_new && !turn.has_written_group()) {
            turn.write_group(Some(GroupMetadata {
                since: Some(turn.at),
                ..ClassicGroup::empty(None).metadata(|_, _| None)
            }));
        }
    }
}

impl<C: Measured> ClassicGroup<C> {
    fn join(&mut self, rules: &Rules, ticket: Ticket, join: JoinGroup<C>, turn: &mut Turn<'_, C>) {
        if !guard!("group.join.max-size", self.accepts(&join, turn.config.max_size as usize)) {
            if let Some(id) = &join.member.id {
                self.remove(id, turn);
            }
            return turn.reply(ticket, Reply::Join { member: None, outcome: Err(Refusal::GroupMaxSizeReached) });
        }
        if !guard!("group.protocol.common", self.supports(&join.protocol_type, &join.protocols)) {
            let outcome = Err(Refusal::InconsistentGroupProtocol);
            return turn.reply(ticket, Reply::Join { member: join.member.id, outcome });
        }
        match join.member.id.clone() {
            None => self.join_anew(rules, ticket, join, turn),
            Some(id) => self.join_again(ticket, id, join, turn),
        }
    }

    /// `group.join.max-size`: while a rebalance is prepared the first to come stay; otherwise members do.
    fn accepts(&self, join: &JoinGroup<C>, max_size: usize) -> bool {
        let known = join.member.id.as_ref().and_then(|id| self.members.get(id));
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                let joining = self.members.values().filter(|member| member.is_joining()).count();
                known.is_some_and(ClassicMember::is_joining) || joining < max_size
            }
            State::CompletingRebalance | State::Stable => known.is_some() || self.members.len() < max_size,
        }
    }

    /// `group.join.member-id-required`: a dynamic member comes back with the id that it is given, so that a client that
    /// gave up leaves no member behind. Its id is kept for a session.
    fn join_anew(&mut self, rules: &Rules, ticket: Ticket, join: JoinGroup<C>, turn: &mut Turn<'_, C>) {
        let fresh = join.fresh.clone();
        let is_taken = self.members.contains_key(&fresh) || self.pending.contains(&fresh);
        if guard!("group.join.new/id-taken", is_taken) {
            return turn.reply(ticket, Reply::Join { member: None, outcome: Err(Refusal::UnknownServerError) });
        }
        let living = join.member.instance.as_ref().and_then(|instance| self.static_member(instance).cloned());
        match (&join.member.instance, living) {
            (Some(_), Some(living)) if self.renews(rules) => self.replace(ticket, &living, fresh, join, turn),
            (Some(_), Some(living)) => {
                self.update(&living, join);
                self.park(&living, Parked::Join { ticket, reentry: None }, turn);
                self.rebalance_or_complete(turn);
            }
            (None, _) if guard!("group.join.member-id-required", join.knows_member_id_required) => {
                turn.set_timer(Timer::Session(fresh.clone()), join.session_timeout);
                self.pending.insert(fresh.clone());
                turn.reply(ticket, Reply::Join { member: Some(fresh), outcome: Err(Refusal::MemberIdRequired) });
            }
            _ => self.add(ticket, fresh, join, turn),
        }
    }

    fn renews(&self, rules: &Rules) -> bool {
        self.state == State::Stable || rules.static_rejoin == StaticRejoin::Renewed
    }

    /// `group.join.pending`: an id that was handed out becomes a member.
    fn join_again(&mut self, ticket: Ticket, id: MemberId, join: JoinGroup<C>, turn: &mut Turn<'_, C>) {
        if guard!("group.join.pending", self.pending.contains(&id)) {
            if guard!("group.join.pending/dynamic", join.member.instance.is_none()) {
                return self.add(ticket, id, join, turn);
            }
            let outcome = Err(Refusal::UnknownServerError);
            return turn.reply(ticket, Reply::Join { member: Some(id), outcome });
        }
        let outcome = match self.validate(&join.member) {
            Err(refusal) => Err(refusal),
            Ok(_) if guard!("group.join.again", self.begins_rebalance(&id, &join)) => {
                self.update(&id, join);
                self.park(&id, Parked::Join { ticket, reentry: None }, turn);
                return self.rebalance_or_complete(turn);
            }
            Ok(_) if self.state == State::Empty => Err(Refusal::UnknownMemberId),
            Ok(_) => Ok(self.joined(&id)),
        };
        turn.reply(ticket, Reply::Join { member: Some(id), outcome });
    }

    /// `group.join.again`: a member that says something new begins a rebalance, and so does the leader of a stable group,
    /// since it may know of something that the assignment depends on. Anyone else may have missed an answer, and gets it
    /// once more.
    fn begins_rebalance(&self, id: &MemberId, join: &JoinGroup<C>) -> bool {
        let changed = self.members.get(id).is_none_or(|known| known.protocols != join.protocols);
        match self.state {
            State::Empty => false,
            State::PreparingRebalance => true,
            State::CompletingRebalance => changed,
            State::Stable => changed || self.is_leader(id),
        }
    }

    fn update(&mut self, id: &MemberId, join: JoinGroup<C>) {
        let Some(member) = self.members.get_mut(id) else { return };
        member.protocols = join.protocols;
        member.rebalance_timeout = join.rebalance_timeout;
        member.session_timeout = join.session_timeout;
    }

    /// `group.join.new`: a new member begins a rebalance, or takes part in the one that is prepared. Whether its client
    /// is still there no one can tell, so it waits for a while and not for ever.
    fn add(&mut self, ticket: Ticket, id: MemberId, join: JoinGroup<C>, turn: &mut Turn<'_, C>) {
        rule!("group.join.new");
        if let Some(initial) = &mut self.initial {
            initial.member_added = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type);
        }
        let member = ClassicMember {
            instance: join.member.instance,
            client: join.client,
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols,
            assignment: None,
            is_new: true,
            parked: Some(Parked::Join { ticket, reentry: None }),
        };
        turn.set_timer(Timer::Session(id.clone()), turn.config.new_member_join_timeout);
        self.pending.remove(&id);
        self.leader.get_or_insert_with(|| id.clone());
        self.members.insert(id, member);
        self.rebalance_or_complete(turn);
    }

    /// `group.join.static`: a static member that starts anew takes the place of its last life, which is fenced. A stable
    /// group goes on as it was, unless the choice of the protocol would be another. `group.join.static/too-large`: if
    /// the log does not take the group with its new id, its last life goes on.
    fn replace(&mut self, ticket: Ticket, old: &MemberId, new: MemberId, join: JoinGroup<C>, turn: &mut Turn<'_, C>) {
        rule!("group.join.static");
        let (before, leader) = (self.clone(), self.leader.clone());
        self.rename(old, &new, turn);
        turn.set_timer(Timer::Session(new.clone()), self.session_timeout(&new));
        let reentry = Reentry { knows_skip_assignment: join.knows_skip_assignment, leader };
        self.update(&new, join);
        let is_same = self.state == State::Stable && self.select_protocol() == self.protocol;
        let goes_on = guard!("group.join.static/goes-on", is_same);
        self.park(&new, Parked::Join { ticket, reentry: goes_on.then_some(reentry) }, turn);
        if !goes_on {
            return self.rebalance_or_complete(turn);
        }
        let record = turn.group_record(Some(self.metadata(|_, member| member.assignment.clone())));
        if guard!("group.join.static/too-large", !turn.has_room_for(&record)) {
            *self = before;
            return self.go_on_as(old, &new, ticket, turn);
        }
        turn.write(record);
    }

    /// The last life of a static member goes on; what of it waited has been answered.
    fn go_on_as(&mut self, old: &MemberId, new: &MemberId, ticket: Ticket, turn: &mut Turn<'_, C>) {
        if let Some(member) = self.members.get_mut(old) {
            member.parked = None;
        }
        turn.cancel_timer(Timer::Session(new.clone()));
        self.extend_session(old, turn);
        turn.reply(ticket, Reply::Join { member: None, outcome: Err(Refusal::UnknownServerError) });
    }

    fn rename(&mut self, old: &MemberId, new: &MemberId, turn: &mut Turn<'_, C>) {
        let Some(mut member) = self.members.remove(old) else { return };
        turn.cancel_timer(Timer::Session(old.clone()));
        if let Some(parked) = member.parked.take() {
            rule!("group.join.static/fenced");
            turn.reply(parked.ticket(), parked.refused(Some(old.clone()), Refusal::FencedInstanceId));
        }
        member.is_new = false;
        self.members.insert(new.clone(), member);
        if self.is_leader(old) {
            self.leader = Some(new.clone());
        }
    }
}
