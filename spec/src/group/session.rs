//! Members that are alive, fall silent, or leave.
//!
//! Rules: `group.session.*`, `group.heartbeat`, `group.leave.*`. Source: KIP-62, KIP-345; Kafka's
//! `GroupMetadataManager.classicGroupHeartbeat`, `classicGroupLeave`, `expireClassicGroupMemberHeartbeat`.

use super::turn::Turn;
use super::{ClassicGroup, Coordinator, Generation, MemberId, MemberIdentity, MemberResults, Millis, State, Timer};
use crate::machine::Carrier;
use crate::refusal::Refusal;

impl<C: Carrier> Coordinator<C> {
    pub(super) fn heartbeat(
        &mut self,
        member: &MemberIdentity,
        generation: Option<Generation>,
        turn: &mut Turn<'_, C>,
    ) -> Result<(), Refusal> {
        if turn.group.0.is_empty() {
            return Err(Refusal::InvalidGroupId);
        }
        let group = self.classic.get_mut(turn.group).ok_or(Refusal::UnknownMemberId)?;
        group.heartbeat(member, generation, turn)
    }

    /// `group.leave.each`: each member leaves, or not, by itself.
    pub(super) fn leave(&mut self, members: Vec<MemberIdentity>, turn: &mut Turn<'_, C>) -> MemberResults {
        if turn.group.0.is_empty() {
            return Err(Refusal::InvalidGroupId);
        }
        if let Some(group) = self.consumer_group(turn.group) {
            return self.consumers_leave(group, members, turn);
        }
        let Some(group) = self.classic.get_mut(turn.group) else {
            return Ok(members.into_iter().map(|member| (member, Err(Refusal::UnknownMemberId))).collect());
        };
        let leave = |member| {
            let outcome = group.leave(&member, turn);
            (member, outcome)
        };
        let outcomes: Vec<_> = members.into_iter().map(leave).collect();
        if outcomes.iter().any(|(_, outcome)| outcome.is_ok()) && group.state != State::Empty {
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
        self.is_current(generation)?;
        self.extend_session(&id, turn);
        match self.state {
            State::Empty => Err(Refusal::UnknownMemberId),
            State::PreparingRebalance => Err(Refusal::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// `group.leave.static`: an operator may remove a static member by its instance id alone. `group.leave.pending`: an id
    /// that was handed out can be given back.
    fn leave(&mut self, member: &MemberIdentity, turn: &mut Turn<'_, C>) -> Result<(), Refusal> {
        let id = match &member.id {
            None => {
                let living = member.instance.as_ref().and_then(|instance| self.static_member(instance));
                living.ok_or(Refusal::UnknownMemberId)?.clone()
            }
            Some(id) if self.pending.contains(id) => id.clone(),
            Some(_) => self.validate(member)?.clone(),
        };
        self.remove(&id, turn);
        Ok(())
    }

    /// `group.session.expire`: a member that was silent for its session timeout is removed, and the others rebalance. An
    /// id that was handed out and did not come back is forgotten.
    pub(super) fn session_expired(&mut self, id: &MemberId, turn: &mut Turn<'_, C>) {
        let is_member = match self.members.get(id) {
            Some(member) if member.is_excused() => return,
            Some(_) => true,
            None if self.pending.contains(id) => false,
            None => return,
        };
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
        turn.set_timer(Timer::Session(id.clone()), self.session_timeout(id));
    }

    pub(super) fn restart_sessions(&self, turn: &mut Turn<'_, C>) {
        self.members.keys().for_each(|id| self.extend_session(id, turn));
    }
}
