//! SyncGroup: the leader hands in the assignment of a generation, and every member gets its share.
//!
//! Rules: `group.sync.*`. Source: Kafka's `GroupMetadataManager.classicGroupSync`.

use super::turn::Turn;
use super::{
    ClassicGroup, Coordinator, GroupId, GroupMetadata, Measured, MemberId, Output, Parked, Reply, State, SyncGroup,
    Timer,
};
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::values::Ticket;
use std::collections::BTreeMap;

impl<C: Measured> Coordinator<C> {
    /// `group.sync.known`: there must be a group, and someone in it.
    pub(super) fn sync(&mut self, ticket: Ticket, sync: SyncGroup<C>, turn: &mut Turn<'_, C>) {
        let found = self.classic.get_mut(turn.group).filter(|group| group.state != State::Empty);
        guard!("group.sync.known", found.is_some());
        let refusal = match found {
            Some(group) => return group.sync(ticket, sync, turn),
            None if guard!("group.sync.known/group", turn.group.0.is_empty()) => Refusal::InvalidGroupId,
            None => Refusal::UnknownMemberId,
        };
        turn.reply(ticket, Reply::Sync(Err(refusal)));
    }
}

impl<C: Measured> ClassicGroup<C> {
    /// `group.sync.answer`: in a stable group the share is there; while a generation begins the member waits for it; when
    /// it has ended there is none.
    fn sync(&mut self, ticket: Ticket, sync: SyncGroup<C>, turn: &mut Turn<'_, C>) {
        let id = match self.validate_sync(&sync) {
            Ok(id) => id,
            Err(refusal) => return turn.reply(ticket, Reply::Sync(Err(refusal))),
        };
        self.pending_sync.remove(&id);
        if self.pending_sync.is_empty() {
            turn.cancel_timer(Timer::Sync);
        }
        if guard!("group.sync.answer", self.state == State::Stable) {
            return turn.reply(ticket, Reply::Sync(Ok(self.synced(&id))));
        }
        self.park(&id, Parked::Sync { ticket }, turn);
        if self.is_leader(&id) {
            self.store_assignment(sync.assignments, turn);
        }
    }

    /// `group.sync.validate`: a member of this generation, that believes in what the group has agreed on.
    fn validate_sync(&self, sync: &SyncGroup<C>) -> Result<MemberId, Refusal> {
        let id = self.validate(&sync.member)?;
        if !guard!("group.sync.validate", self.is_current(sync.generation)) {
            return Err(Refusal::IllegalGeneration);
        }
        let type_differs = sync.protocol_type.is_some() && sync.protocol_type != self.protocol_type;
        let protocol_differs = sync.protocol.is_some() && sync.protocol != self.protocol;
        let differs = type_differs && self.protocol_type.is_some() || protocol_differs && self.protocol.is_some();
        if guard!("group.sync.validate/protocol", differs) {
            return Err(Refusal::InconsistentGroupProtocol);
        }
        let has_begun = matches!(self.state, State::CompletingRebalance | State::Stable);
        match guard!("group.sync.validate/begun", has_begun) {
            true => Ok(id.clone()),
            false => Err(Refusal::RebalanceInProgress),
        }
    }

    /// `group.sync.store`: the leader's assignment is written before anyone hears of it. A member that it leaves out gets
    /// an empty share. `group.sync.store/too-large`: if the log does not take it, everyone who waits is refused, and the
    /// group rebalances: the next leader may share out less.
    fn store_assignment(&mut self, assignments: Vec<(MemberId, Option<C::Bytes>)>, turn: &mut Turn<'_, C>) {
        rule!("group.sync.store");
        let assignments: BTreeMap<_, _> = assignments.into_iter().collect();
        let record = turn.group_record(Some(self.metadata(|id, _| assignments.get(id).cloned().flatten())));
        if guard!("group.sync.store/too-large", !turn.has_room_for(&record)) {
            self.refuse_syncs(Refusal::UnknownServerError, turn);
            return self.prepare_rebalance(turn);
        }
        turn.write(record);
    }

    /// `group.sync.stable`: once the assignment of the generation that has begun is written, everyone who waits for it
    /// gets it, and its session begins anew. `group.join.skip-assignment`: a static member that came back to a stable
    /// group is told that nothing has changed; if it leads, not to share out the work again.
    pub(super) fn written(&mut self, group: &GroupId, written: &GroupMetadata<C>, out: &mut Vec<Output<C>>) {
        let stored: BTreeMap<_, _> =
            written.members.iter().map(|member| (&member.member, &member.assignment)).collect();
        let is_awaited = self.state == State::CompletingRebalance && self.generation == written.generation;
        if guard!("group.sync.stable", is_awaited) {
            self.state = State::Stable;
            for (id, member) in &mut self.members {
                member.assignment = stored.get(id).and_then(|share| (*share).clone());
            }
            self.answer_syncs(group, out);
        }
        let back: Vec<_> = self.members.keys().filter(|id| stored.contains_key(id)).cloned().collect();
        back.iter().for_each(|id| self.answer_reentry(group, id, out));
    }

    fn answer_syncs(&mut self, group: &GroupId, out: &mut Vec<Output<C>>) {
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in ids {
            let synced = self.synced(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            if let Some(Parked::Sync { ticket }) = member.parked.take_if(|parked| matches!(parked, Parked::Sync { .. }))
            {
                let (timer, after) = (Timer::Session(id), member.session_timeout);
                out.push(Output::Reply { ticket, reply: Reply::Sync(Ok(synced)) });
                out.push(Output::SetTimer { group: group.clone(), timer, after });
            }
        }
    }

    fn answer_reentry(&mut self, group: &GroupId, id: &MemberId, out: &mut Vec<Output<C>>) {
        let mut joined = self.joined(id);
        let leads = self.is_leader(id);
        let Some(member) = self.members.get_mut(id) else { return };
        let is_reentry = |parked: &mut Parked| matches!(parked, Parked::Join { reentry: Some(_), .. });
        let Some(Parked::Join { ticket, reentry: Some(reentry) }) = member.parked.take_if(is_reentry) else { return };
        if guard!("group.join.skip-assignment", reentry.knows_skip_assignment) {
            joined.skip_assignment = leads;
        } else {
            // An older client that is told that it leads would share out the work, and hand it in to a stable group.
            joined.leader = reentry.leader;
            joined.members.clear();
        }
        let (timer, after) = (Timer::Session(id.clone()), member.session_timeout);
        out.push(Output::Reply { ticket, reply: Reply::Join { member: Some(id.clone()), outcome: Ok(joined) } });
        // Its session may have ended, and been excused, while this was written. Kafka's writes give up before that.
        out.push(Output::SetTimer { group: group.clone(), timer, after });
    }
}
