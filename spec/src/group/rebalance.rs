//! Rebalancing: a generation ends, members are awaited, the next one begins.
//!
//! Rules: `group.rebalance.*`. Source: KIP-134; Kafka's `GroupMetadataManager.prepareRebalance`,
//! `completeClassicGroupJoin`.

use super::turn::Turn;
use super::{ClassicGroup, Generation, Initial, MemberId, Millis, Parked, Reply, State, Timer};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;

impl<C: Carrier> ClassicGroup<C> {
    pub(super) fn timer_fired(&mut self, timer: &Timer, turn: &mut Turn<'_, C>) {
        match timer {
            Timer::Session(member) => self.session_expired(member, turn),
            Timer::Join => self.join_timed_out(turn),
            Timer::Sync => self.sync_timed_out(turn),
            Timer::Revocation(_) => {}
        }
    }

    pub(super) fn rebalance_or_complete(&mut self, turn: &mut Turn<'_, C>) {
        match self.state {
            State::PreparingRebalance => self.complete_if_all_joined(turn),
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(turn),
        }
    }

    /// `group.rebalance.prepare`: whoever waits for a share of a generation that ends is told to join anew, and members
    /// have until the longest rebalance timeout among them.
    pub(super) fn prepare_rebalance(&mut self, turn: &mut Turn<'_, C>) {
        rule!("group.rebalance.prepare");
        if guard!("group.rebalance.prepare/completing", self.state == State::CompletingRebalance) {
            self.refuse_syncs(Refusal::RebalanceInProgress, turn);
        }
        self.pending_sync.clear();
        turn.cancel_timer(Timer::Sync);
        let was_empty = self.state == State::Empty;
        self.state = State::PreparingRebalance;
        self.since = Some(turn.at);
        if guard!("group.rebalance.initial", was_empty) {
            self.begin_initial(turn);
        } else if guard!("group.rebalance.prepare/all-joined", self.has_all_joined()) {
            self.complete_join(turn);
        } else {
            turn.set_timer(Timer::Join, self.rebalance_timeout());
        }
    }

    /// `group.rebalance.initial`: a group that was empty waits a little for more members, so that its first generations
    /// are not of one member each.
    fn begin_initial(&mut self, turn: &mut Turn<'_, C>) {
        let delay = turn.config.initial_rebalance_delay;
        let remaining = self.rebalance_timeout().less(delay);
        self.initial = Some(Initial { delay, remaining, member_added: false });
        turn.set_timer(Timer::Join, delay);
    }

    /// `group.rebalance.extend`: it waits on while members keep coming, but no longer than a rebalance may take.
    fn join_timed_out(&mut self, turn: &mut Turn<'_, C>) {
        if guard!("group.rebalance.extend/over", self.state != State::PreparingRebalance) {
            return;
        }
        match &mut self.initial {
            Some(initial)
                if guard!("group.rebalance.extend", initial.member_added && initial.remaining > Millis(0)) =>
            {
                let delay = turn.config.initial_rebalance_delay.min(initial.remaining);
                let remaining = initial.remaining.less(initial.delay);
                *initial = Initial { delay, remaining, member_added: false };
                turn.set_timer(Timer::Join, delay);
            }
            _ => self.complete_join(turn),
        }
    }

    fn complete_if_all_joined(&mut self, turn: &mut Turn<'_, C>) {
        if guard!("group.rebalance.complete/all-joined", self.initial.is_none() && self.has_all_joined()) {
            self.complete_join(turn);
        }
    }

    /// `group.rebalance.complete`: the next generation begins with those who have joined, and with static members, who
    /// may come back before their sessions end.
    pub(super) fn complete_join(&mut self, turn: &mut Turn<'_, C>) {
        turn.cancel_timer(Timer::Join);
        let missing = self.members.iter().filter(|(_, member)| !member.is_joining() && member.instance.is_none());
        let missing: Vec<_> = missing.map(|(id, _)| id.clone()).collect();
        missing.iter().for_each(|id| self.remove(id, turn));
        if !guard!("group.rebalance.leader/any", self.elect_joined_leader()) {
            // Only static members are left and none has come: nothing to begin with.
            self.initial = self.initial.map(|initial| Initial { remaining: Millis(0), ..initial });
            return turn.set_timer(Timer::Join, self.rebalance_timeout());
        }
        rule!("group.rebalance.complete");
        self.initial = None;
        self.generation = self.generation.next();
        self.since = Some(turn.at);
        self.pending_sync.clear();
        self.protocol = self.select_protocol();
        if guard!("group.rebalance.complete/empty", self.members.is_empty()) {
            self.state = State::Empty;
            turn.write_group(Some(self.metadata(|_, _| None)));
        } else {
            self.state = State::CompletingRebalance;
            self.answer_joins(turn);
        }
    }

    /// `group.rebalance.leader`: the leader stays if it has joined; otherwise someone leads who has. False if no one has.
    fn elect_joined_leader(&mut self) -> bool {
        let joined = |id: &MemberId| self.members.get(id).is_some_and(|member| member.is_joining());
        if !guard!("group.rebalance.leader", self.leader.as_ref().is_some_and(joined)) {
            let other = self.members.iter().find(|(_, member)| member.is_joining()).map(|(id, _)| id.clone());
            if other.is_none() {
                return self.members.is_empty();
            }
            self.leader = other;
        }
        true
    }

    fn answer_joins(&mut self, turn: &mut Turn<'_, C>) {
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in ids {
            let joined = self.joined(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            if let Some(Parked::Join { ticket, .. }) =
                member.parked.take_if(|parked| matches!(parked, Parked::Join { .. }))
            {
                turn.reply(ticket, Reply::Join { member: Some(id.clone()), outcome: Ok(joined) });
            }
            member.is_new = false;
            turn.set_timer(Timer::Session(id.clone()), member.session_timeout);
            self.pending_sync.insert(id);
        }
        turn.set_timer(Timer::Sync, self.rebalance_timeout());
    }

    /// `group.rebalance.sync-timeout`: a member that joined a generation and never asked for its share holds up the
    /// others no longer.
    fn sync_timed_out(&mut self, turn: &mut Turn<'_, C>) {
        let awaited = matches!(self.state, State::CompletingRebalance | State::Stable);
        if guard!("group.rebalance.sync-timeout", awaited && !self.pending_sync.is_empty()) {
            let missing: Vec<_> = self.pending_sync.iter().cloned().collect();
            missing.iter().for_each(|id| self.remove(id, turn));
            self.prepare_rebalance(turn);
        }
    }

    pub(super) fn refuse_syncs(&mut self, refusal: Refusal, turn: &mut Turn<'_, C>) {
        for (id, member) in &mut self.members {
            member.assignment = None;
            if let Some(Parked::Sync { ticket }) = member.parked.take_if(|parked| matches!(parked, Parked::Sync { .. }))
            {
                turn.reply(ticket, Reply::Sync(Err(refusal)));
                turn.set_timer(Timer::Session(id.clone()), member.session_timeout);
            }
        }
    }

    pub(super) fn is_current(&self, generation: Option<Generation>) -> bool {
        generation == Some(self.generation)
    }
}
