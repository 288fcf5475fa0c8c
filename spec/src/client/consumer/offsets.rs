//! From where a consumer reads, and what it commits.

use super::{Consumer, Coordinator, End, Failure, Output, Phase, Place, Position, Timer};
use crate::group::{Generation, NamedPartition};
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::values::{LeaderEpoch, Offset};
use std::collections::BTreeMap;

impl Consumer {
    /// `client.consumer.begin`: a partition is read from the committed offset on.
    pub(super) fn fetch_offsets(&mut self, out: &mut Vec<Output>) {
        let unknown = self.owned.iter().filter(|(_, position)| position.is_none());
        let unknown: std::collections::BTreeSet<_> = unknown.map(|(partition, _)| partition.clone()).collect();
        if !unknown.is_empty() && self.coordinator == Coordinator::Found {
            out.push(Output::FetchOffsets(unknown));
        }
    }

    pub(super) fn offsets_answered(
        &mut self,
        outcome: Result<BTreeMap<NamedPartition, Option<Place>>, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let offsets = match outcome {
            Ok(offsets) => offsets,
            Err(Refusal::UnstableOffsetCommit) => return out.push(Output::SetTimer(Timer::Retry)),
            Err(refusal) => return self.refused(refusal, out),
        };
        for (partition, committed) in offsets {
            match (self.owned.get(&partition), committed) {
                (Some(None), Some(at)) => self.begin(&partition, at, out),
                (Some(None), None) => {
                    if !self.reset(partition, out) {
                        return;
                    }
                }
                (Some(Some(_)) | None, _) => {}
            }
        }
    }

    /// `client.consumer.reset`: where nothing tells from where to read, `auto.offset.reset` does.
    pub(super) fn reset(&mut self, partition: NamedPartition, out: &mut Vec<Output>) -> bool {
        guard!("client.consumer.reset", self.config.reset.is_some());
        match self.config.reset {
            Some(at @ (End::Earliest | End::Latest)) => {
                out.push(Output::FindOffset { partition, at });
                true
            }
            None => {
                self.fail(Failure::NoOffset(partition), out);
                false
            }
        }
    }

    pub(super) fn offset_found(&mut self, partition: &NamedPartition, offset: Offset, out: &mut Vec<Output>) {
        if let Some(None) = self.owned.get(partition) {
            self.begin(partition, offset.into(), out);
        }
    }

    fn begin(&mut self, partition: &NamedPartition, at: Place, out: &mut Vec<Output>) {
        rule!("client.consumer.begin");
        self.owned.insert(partition.clone(), Some(Position { next: at, processed: at, is_checked: true }));
        self.check(partition, out);
    }

    /// `client.consumer.deliver`: records count only if they begin where the consumer is, of what it owns; and none while
    /// it commits before it gives up all of that, or ends. `client.consumer.truncation.stale`: nor do those that were
    /// asked for under another leader epoch than the one that it knows, or that come while it asks the leader.
    pub(super) fn fetched(
        &mut self,
        partition: NamedPartition,
        from: Offset,
        under: Option<LeaderEpoch>,
        upto: Place,
        out: &mut Vec<Output>,
    ) {
        let is_current = self.leader_epoch(&partition) == under;
        let gives_up = match self.phase {
            Phase::Preparing => !self.config.is_cooperative(),
            _ => self.phase == Phase::Closing,
        };
        let Some(Some(position)) = self.owned.get_mut(&partition) else { return };
        let is_next = position.next.offset == from && from < upto.offset && !gives_up;
        if !guard!("client.consumer.deliver", is_next) {
            return;
        }
        if guard!("client.consumer.truncation.stale", !position.is_checked || !is_current) {
            return;
        }
        position.next = upto;
        self.is_processing = true;
        out.push(Output::Deliver { partition: partition.clone(), from, upto: upto.offset });
        if under.is_none() {
            self.check(&partition, out);
        }
    }

    /// A consumer can commit as long as it believes to be a member, and to know whom to tell.
    pub(super) fn can_commit(&self) -> bool {
        self.coordinator == Coordinator::Found && self.generation.is_some()
    }

    /// `client.consumer.commit`: what was processed, with the epoch that it ends in, and nothing beyond. Whether there was
    /// anything.
    pub(super) fn commit(&mut self, out: &mut Vec<Output>) -> bool {
        let processed = |position: &Option<Position>| position.map(|position| position.processed);
        let offsets: BTreeMap<_, _> = self
            .owned
            .iter()
            .filter_map(|(partition, position)| Some((partition.clone(), processed(position)?)))
            .collect();
        if !guard!("client.consumer.commit", !offsets.is_empty()) {
            return false;
        }
        self.commits = self.commits.saturating_add(1);
        out.push(Output::Commit { member: self.member.clone(), generation: self.generation, offsets });
        true
    }

    pub(super) fn commit_asked(&mut self, out: &mut Vec<Output>) {
        match (self.can_commit(), &self.phase) {
            (true, Phase::Stable | Phase::Assigned(..)) => drop(self.commit(out)),
            (false, Phase::Stable) if self.generation.is_some() => {
                out.push(Output::CommitFailed(Refusal::CoordinatorNotAvailable));
            }
            _ => out.push(Output::CommitFailed(Refusal::RebalanceInProgress)),
        }
    }

    /// `client.consumer.commit.refused`: who may not commit says so, and finds out whether it is still a member; a
    /// refusal that speaks of an earlier generation is no news.
    pub(super) fn commit_answered(
        &mut self,
        generation: Option<Generation>,
        outcome: Result<(), Refusal>,
        out: &mut Vec<Output>,
    ) {
        self.commits = self.commits.saturating_sub(1);
        guard!("client.consumer.commit.refused", outcome.is_err());
        if let Err(refusal) = outcome {
            out.push(Output::CommitFailed(refusal));
            let is_news = guard!("client.consumer.commit.refused/news", generation == self.generation);
            match refusal {
                Refusal::UnknownMemberId | Refusal::IllegalGeneration if !is_news => {}
                Refusal::CoordinatorNotAvailable
                | Refusal::NotCoordinator
                | Refusal::UnknownMemberId
                | Refusal::IllegalGeneration
                | Refusal::FencedInstanceId => return self.refused(refusal, out),
                Refusal::RebalanceInProgress if self.phase == Phase::Stable => {
                    return self.heartbeat_answered(Err(refusal), out);
                }
                _ => {}
            }
        }
        match self.phase {
            Phase::Preparing if self.commits == 0 => self.join(out),
            Phase::Closing if self.commits == 0 => self.close_now(out),
            _ => {}
        }
    }
}
