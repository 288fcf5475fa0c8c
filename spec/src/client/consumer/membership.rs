//! How a consumer becomes a member, stays one, and ceases to be one.

use super::{Consumer, Coordinator, Failure, Joined, Leads, Output, Phase, Timer};
use crate::assignor::{Assignor, Remembered, Topics};
use crate::group::{MemberId, NamedPartition};
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::rules::Rules;
use std::collections::{BTreeMap, BTreeSet};

impl Consumer {
    /// `client.consumer.rejoin`: before it joins a consumer commits what was processed, if it commits by itself and
    /// still may; once, however often it has to ask.
    pub(super) fn join_anew(&mut self, out: &mut Vec<Output>) {
        self.rejoins = false;
        if self.coordinator != Coordinator::Found {
            self.phase = Phase::Waiting;
            return self.find(out);
        }
        let is_due = self.config.auto_commit && self.generation.is_some() && !self.is_prepared;
        if guard!("client.consumer.rejoin", is_due && self.commit(out)) {
            self.phase = Phase::Preparing;
            return;
        }
        self.join(out);
    }

    /// `client.consumer.eager`: a consumer gives up all that it owns before it joins; `client.consumer.cooperative`:
    /// or keeps it, and says so.
    pub(super) fn join(&mut self, out: &mut Vec<Output>) {
        if !guard!("client.consumer.cooperative", self.config.is_cooperative()) {
            rule!("client.consumer.eager");
            self.give_up(out);
        }
        self.is_prepared = !self.owned.is_empty();
        self.phase = Phase::Joining;
        out.push(Output::CancelTimer(Timer::Heartbeat));
        let owned = self.owned.keys().cloned().collect();
        let (member, remembered) = (self.member.clone(), self.remembered.clone());
        out.push(Output::Join { member, owned, generation: self.generation, remembered });
    }

    /// An event asks for another generation: now, or when the application has processed what it has.
    fn wants_to_join(&mut self, out: &mut Vec<Output>) {
        if guard!("client.consumer.rejoin/later", self.is_processing) {
            self.rejoins = true;
        } else {
            self.join_anew(out);
        }
    }

    /// `client.consumer.member-id`: with the id that it was given a consumer asks again at once.
    /// `client.consumer.unknown`: one that the coordinator doesn't know begins anew.
    pub(super) fn join_answered(
        &mut self,
        rules: &Rules,
        member: Option<MemberId>,
        outcome: Result<Joined, Refusal>,
        out: &mut Vec<Output>,
    ) {
        if self.phase != Phase::Joining {
            return;
        }
        match outcome {
            Ok(joined) => self.joined(rules, member, joined, out),
            Err(Refusal::MemberIdRequired) => {
                rule!("client.consumer.member-id");
                self.member = member;
                self.join(out);
            }
            Err(refusal) => self.refused(refusal, out),
        }
    }

    fn joined(&mut self, rules: &Rules, member: Option<MemberId>, joined: Joined, out: &mut Vec<Output>) {
        let Some(id) = member.or(self.member.take()) else {
            rule!("client.consumer.member-id/none");
            return self.fail(Failure::Refused(Refusal::UnknownServerError), out);
        };
        self.generation = Some(joined.generation);
        self.member = Some(id.clone());
        self.phase = Phase::Syncing(joined.assignor);
        self.shared_out = None;
        guard!("client.consumer.lead", joined.leads.is_some());
        let assignments = match &joined.leads {
            Some(leads) => self.share_out(rules, &joined, leads),
            None => BTreeMap::new(),
        };
        out.extend([Timer::Heartbeat, Timer::Poll].map(Output::SetTimer));
        out.push(Output::Sync { member: id, generation: joined.generation, assignments });
    }

    /// `client.consumer.lead`: the leader shares out the partitions of all topics that any member wants to read.
    fn share_out(
        &mut self,
        rules: &Rules,
        joined: &Joined,
        leads: &Leads,
    ) -> BTreeMap<MemberId, BTreeSet<NamedPartition>> {
        self.shared_out = Some(self.topics.clone());
        match guard!("client.consumer.lead/skips", leads.skips) {
            true => BTreeMap::new(),
            false => joined.assignor.assign_by(rules, &leads.members, &self.topics),
        }
    }

    /// `client.consumer.topics`: a leader that sees other partitions than it has shared out has the group join anew.
    pub(super) fn topics_seen(&mut self, topics: Topics, out: &mut Vec<Output>) {
        self.topics = topics;
        let has_changed = self.shared_out.as_ref().is_some_and(|shared_out| *shared_out != self.topics);
        if guard!("client.consumer.topics", self.phase == Phase::Stable && has_changed) {
            self.wants_to_join(out);
        }
    }

    pub(super) fn sync_answered(&mut self, outcome: Result<BTreeSet<NamedPartition>, Refusal>, out: &mut Vec<Output>) {
        let Phase::Syncing(assignor) = self.phase else { return };
        self.is_prepared &= outcome.is_err();
        match outcome {
            Ok(assigned) if self.is_processing => self.phase = Phase::Assigned(assignor, assigned),
            Ok(assigned) => self.take_up(assignor, assigned, out),
            Err(Refusal::RebalanceInProgress) => self.join(out),
            Err(refusal) => self.refused(refusal, out),
        }
    }

    /// `client.consumer.revoke`: what is not its own any more a cooperative consumer gives up, and joins anew, so that
    /// someone else can have it in the next generation.
    pub(super) fn take_up(&mut self, by: Assignor, assigned: BTreeSet<NamedPartition>, out: &mut Vec<Output>) {
        self.phase = Phase::Stable;
        self.remember(by, &assigned);
        let revoked: BTreeSet<_> =
            self.owned.keys().filter(|partition| !assigned.contains(*partition)).cloned().collect();
        let added: BTreeSet<_> = assigned.into_iter().filter(|partition| !self.owned.contains_key(partition)).collect();
        self.owned.retain(|partition, _| !revoked.contains(partition));
        self.owned.extend(added.iter().map(|partition| (partition.clone(), None)));
        let gives_up = guard!("client.consumer.revoke", !revoked.is_empty());
        if gives_up {
            out.push(Output::Revoked(revoked));
        }
        out.push(Output::Assigned(added));
        self.fetch_offsets(out);
        if gives_up || self.rejoins {
            self.join_anew(out);
        }
    }

    /// `client.consumer.remember`: what `sticky` gives a consumer it says when it joins again, even if it is not a member
    /// any more by then: whoever shares out believes the latest.
    fn remember(&mut self, by: Assignor, assigned: &BTreeSet<NamedPartition>) {
        if guard!("client.consumer.remember", by == Assignor::Sticky) {
            self.remembered = Some(Remembered { partitions: assigned.clone(), generation: self.generation });
        }
    }

    /// `client.consumer.heartbeat`: a consumer that has joined tells that it is alive.
    pub(super) fn beat(&mut self, out: &mut Vec<Output>) {
        let (Some(member), Some(generation)) = (self.member.clone(), self.generation) else { return };
        if matches!(self.phase, Phase::Out | Phase::Waiting | Phase::Joining) {
            return;
        }
        out.push(Output::SetTimer(Timer::Heartbeat));
        if guard!("client.consumer.heartbeat", self.coordinator == Coordinator::Found) {
            out.push(Output::Heartbeat { member, generation });
        }
    }

    pub(super) fn heartbeat_answered(&mut self, outcome: Result<(), Refusal>, out: &mut Vec<Output>) {
        match outcome {
            Ok(()) => {}
            Err(_) if matches!(self.phase, Phase::Out | Phase::Waiting | Phase::Joining) => {}
            // Its own sync, or its own share, tells as much.
            Err(Refusal::RebalanceInProgress) if self.phase != Phase::Stable => {}
            Err(Refusal::RebalanceInProgress) => self.wants_to_join(out),
            Err(Refusal::CoordinatorLoadInProgress | Refusal::RequestTimedOut) => {}
            Err(refusal) => self.refused(refusal, out),
        }
    }

    /// What a refusal means, whatever was asked.
    pub(super) fn refused(&mut self, refusal: Refusal, out: &mut Vec<Output>) {
        match refusal {
            Refusal::CoordinatorNotAvailable | Refusal::NotCoordinator => self.coordinator_lost(out),
            Refusal::CoordinatorLoadInProgress | Refusal::RebalanceInProgress | Refusal::RequestTimedOut => {
                if matches!(self.phase, Phase::Joining | Phase::Syncing(_)) {
                    self.phase = Phase::Waiting;
                }
                out.push(Output::SetTimer(Timer::Retry));
            }
            Refusal::UnknownMemberId | Refusal::IllegalGeneration => self.excluded(refusal, out),
            refusal => self.fail(Failure::Refused(refusal), out),
        }
    }

    /// `client.consumer.lost`: who is a member no more has lost what it owned, commits nothing, and joins anew.
    fn excluded(&mut self, refusal: Refusal, out: &mut Vec<Output>) {
        rule!("client.consumer.lost");
        if guard!("client.consumer.unknown", refusal == Refusal::UnknownMemberId) {
            self.member = None;
        }
        self.lose(out);
        if self.phase == Phase::Closing {
            return self.close_now(out);
        }
        self.phase = Phase::Stable;
        self.wants_to_join(out);
    }

    /// It owns nothing any more, and was not asked.
    pub(super) fn lose(&mut self, out: &mut Vec<Output>) {
        self.generation = None;
        self.is_prepared = false;
        self.shared_out = None;
        let lost: BTreeSet<_> = std::mem::take(&mut self.owned).into_keys().collect();
        if !lost.is_empty() {
            out.push(Output::Lost(lost));
        }
    }

    /// It owns nothing any more, and says so.
    fn give_up(&mut self, out: &mut Vec<Output>) {
        let revoked: BTreeSet<_> = std::mem::take(&mut self.owned).into_keys().collect();
        if !revoked.is_empty() {
            out.push(Output::Revoked(revoked));
        }
    }

    /// `client.consumer.poll-interval`: a consumer that is not polled for too long leaves by itself; a static one is
    /// silent from then on, and so keeps its share until its session ends. Who waits for a generation is not late, however
    /// long that takes: its interval begins anew when it has joined.
    pub(super) fn poll_late(&mut self, out: &mut Vec<Output>) {
        let is_late = !matches!(self.phase, Phase::Out | Phase::Joining | Phase::Closing);
        if !guard!("client.consumer.poll-interval", is_late) {
            return;
        }
        self.leave(out);
        self.lose(out);
        self.phase = Phase::Out;
        (self.rejoins, self.commits) = (false, 0);
        out.extend([Timer::Heartbeat, Timer::Commit, Timer::Retry].map(Output::CancelTimer));
    }

    pub(super) fn leave(&mut self, out: &mut Vec<Output>) {
        let member = self.member.take();
        if let (Some(member), None, Coordinator::Found) = (member, &self.config.instance, self.coordinator) {
            out.push(Output::Leave { member });
        }
    }

    /// `client.consumer.close`: a consumer that ends commits what was processed, and leaves; a static one does not leave.
    pub(super) fn close(&mut self, out: &mut Vec<Output>) {
        // Whoever closes has processed what was delivered.
        self.owned.values_mut().flatten().for_each(|position| position.processed = position.next);
        let commits = self.config.auto_commit && self.can_commit() && self.commit(out);
        if guard!("client.consumer.close", commits) {
            self.phase = Phase::Closing;
            return;
        }
        self.close_now(out);
    }

    pub(super) fn close_now(&mut self, out: &mut Vec<Output>) {
        self.give_up(out);
        self.leave(out);
        self.end(out);
        out.push(Output::Exit);
    }

    fn find(&mut self, out: &mut Vec<Output>) {
        if self.coordinator == Coordinator::Unknown {
            self.coordinator = Coordinator::Asked;
            out.push(Output::FindCoordinator);
        }
    }

    pub(super) fn coordinator_found(&mut self, out: &mut Vec<Output>) {
        if self.coordinator != Coordinator::Asked {
            return;
        }
        self.coordinator = Coordinator::Found;
        match self.phase {
            Phase::Waiting => self.join_anew(out),
            _ => self.fetch_offsets(out),
        }
    }

    /// `client.consumer.coordinator`: a consumer whose coordinator is gone looks for it again. It stays a member; only a
    /// join or a sync that was under way begins anew.
    pub(super) fn coordinator_lost(&mut self, out: &mut Vec<Output>) {
        rule!("client.consumer.coordinator");
        self.coordinator = Coordinator::Unknown;
        self.commits = 0;
        match self.phase {
            Phase::Joining | Phase::Syncing(_) | Phase::Preparing => self.phase = Phase::Waiting,
            Phase::Closing => return self.close_now(out),
            _ => {}
        }
        out.push(Output::SetTimer(Timer::Retry));
    }

    pub(super) fn retry(&mut self, out: &mut Vec<Output>) {
        match (self.phase.clone(), self.coordinator) {
            (Phase::Out, _) => {}
            (_, Coordinator::Unknown) => self.find(out),
            (Phase::Waiting, Coordinator::Found) => self.join_anew(out),
            (_, Coordinator::Found) => self.fetch_offsets(out),
            (_, Coordinator::Asked) => {}
        }
    }
}
