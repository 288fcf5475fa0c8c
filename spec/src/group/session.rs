//! Members that are alive, fall silent, or leave.
//!
//! Rules: `group.session.*`, `group.heartbeat`, `group.leave.*`. Source: KIP-62, KIP-345; Kafka's
//! `GroupMetadataManager.classicGroupHeartbeat`, `classicGroupLeave`, `expireClassicGroupMemberHeartbeat`.

use super::turn::Turn;
use super::{
    ClassicGroup, Coordinator, Generation, Measured, MemberId, MemberIdentity, MemberResults, Millis, State, Timer,
};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;

impl<C: Measured> Coordinator<C> {
    pub(super) fn heartbeat(
        &mut self,
        member: &MemberIdentity,
        generation: Option<Generation>,
        turn: &mut Turn<'_, C>,
    ) -> Result<(), Refusal> {
        if guard!("group.heartbeat/group", turn.group.0.is_empty()) {
            return Err(Refusal::InvalidGroupId);
        }
        let found = self.classic.get_mut(turn.group);
        guard!("group.heartbeat/known", found.is_some());
        let group = found.ok_or(Refusal::UnknownMemberId)?;
        group.heartbeat(member, generation, turn)
    }

    /// `group.leave.each`: each member leaves, or not, by itself.
    pub(super) fn leave(&mut self, members: Vec<MemberIdentity>, turn: &mut Turn<'_, C>) -> MemberResults {
        if guard!("group.leave.each/group", turn.group.0.is_empty()) {
            return Err(Refusal::InvalidGroupId);
        }
        if let Some(group) = self.consumer_group(turn.group) {
            return self.consumers_leave(group, members, turn);
        }
        let Some(group) = self.classic.get_mut(turn.group) else {
            rule!("group.leave.each/unknown");
            return Ok(members.into_iter().map(|member| (member, Err(Refusal::UnknownMemberId))).collect());
        };
        let leave = |member| {
            let outcome = group.leave(&member, turn);
            (member, outcome)
        };
        let outcomes: Vec<_> = members.into_iter().map(leave).collect();
        let has_left = outcomes.iter().any(|(_, outcome)| outcome.is_ok());
        if guard!("group.leave.each", has_left && group.state != State::Empty) {
            group.rebalance_or_complete(turn);
        }
        Ok(outcomes)
    }
}

impl<C: Carrier> ClassicGroup<C> {
    /// `group.heartbeat`: a member of this generation is alive, and hears if it is to join anew.
    fn heartbeat(
        &mut self,
        member: &MemberIdentity,
        generation: Option<Generation>,
        turn: &mut Turn<'_, C>,
    ) -> Result<(), Refusal> {
        let id = self.validate(member)?.clone();
        if !guard!("group.heartbeat/generation", self.is_current(generation)) {
            return Err(Refusal::IllegalGeneration);
        }
        self.extend_session(&id, turn);
        match self.state {
            State::Empty => Err(Refusal::UnknownMemberId),
            State::PreparingRebalance => {
                guard!("group.heartbeat", false);
                Err(Refusal::RebalanceInProgress)
            }
            State::CompletingRebalance | State::Stable => {
                guard!("group.heartbeat", true);
                Ok(())
            }
        }
    }

    /// `group.leave.static`: an operator may remove a static member by its instance id alone. `group.leave.pending`: an id
    /// that was handed out can be given back.
    fn leave(&mut self, member: &MemberIdentity, turn: &mut Turn<'_, C>) -> Result<(), Refusal> {
        let id = match &member.id {
            None => {
                let living = member.instance.as_ref().and_then(|instance| self.static_member(instance));
                guard!("group.leave.static", living.is_some());
                living.ok_or(Refusal::UnknownMemberId)?.clone()
            }
            Some(id) if guard!("group.leave.pending", self.pending.contains(id)) => id.clone(),
            Some(_) => self.validate(member)?.clone(),
        };
        self.remove(&id, turn);
        Ok(())
    }

    /// `group.session.expire`: a member that was silent for its session timeout is removed, and the others rebalance. An
    /// id that was handed out and did not come back is forgotten.
    pub(super) fn session_expired(&mut self, id: &MemberId, turn: &mut Turn<'_, C>) {
        let is_member = match self.members.get(id) {
            Some(member) if guard!("group.session.parked", member.is_excused()) => return,
            Some(_) => true,
            None if guard!("group.session.expire/pending", self.pending.contains(id)) => false,
            None => return,
        };
        rule!("group.session.expire");
        self.remove(id, turn);
        match self.state {
            State::CompletingRebalance | State::Stable if is_member => self.prepare_rebalance(turn),
            State::PreparingRebalance if self.has_all_joined() => self.complete_join(turn),
            _ => {}
        }
    }

    pub(super) fn session_timeout(&self, id: &MemberId) -> Millis {
        self.members.get(id).map_or(Millis(0), |member| member.session_timeout)
    }

    /// `group.session.extend`: whatever shows that a member is alive begins its session anew.
    pub(super) fn extend_session(&self, id: &MemberId, turn: &mut Turn<'_, C>) {
        rule!("group.session.extend");
        turn.set_timer(Timer::Session(id.clone()), self.session_timeout(id));
    }

    pub(super) fn restart_sessions(&self, turn: &mut Turn<'_, C>) {
        self.members.keys().for_each(|id| self.extend_session(id, turn));
    }
}
