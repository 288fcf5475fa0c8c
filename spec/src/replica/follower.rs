//! Following: copy the leader's log, and cut one's own where the two part.
//!
//! Rules: `replica.follow.*`, `replica.truncate.*`. Source: KIP-101, 279, 595; Kafka's `AbstractFetcherThread`.

use super::{FetchAnswer, FetchRequest, Output, Replica, Role, Timer};
use crate::log::{Batch, EpochEnd, LogEnds};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::rules::{Rules, Truncation};
use crate::values::{BrokerId, Offset};

/// A follower's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Follower {
    /// Whom it follows; `None` while the partition has no leader.
    pub leader: Option<BrokerId>,
    /// Whether its next fetch asks where the logs part.
    pub looks_for_divergence: bool,
    /// Whether a fetch is under way. Not so while it backs off, or waits for newer metadata.
    pub fetching: bool,
}

impl<C: Carrier> Replica<C> {
    /// `replica.follow.begin`: producers hear that leadership moved; a new epoch starts the fetch again. What to cut is
    /// for the leader to say, by its first answer.
    pub(super) fn follow(
        &mut self,
        rules: &Rules,
        leader: Option<BrokerId>,
        new_epoch: bool,
        out: &mut Vec<Output<C>>,
    ) {
        self.refuse_waiting(Refusal::NotLeaderOrFollower, out);
        // `log.recovery.epochs`: what recovery dropped must not come back at the next start.
        if matches!(self.role, Role::Unassigned) {
            rule!("log.recovery.epochs/stored");
            out.push(Output::StoreEpochs(self.log.epochs.clone()));
        }
        let before = match self.role {
            Role::Follower(follower) => Some(follower),
            _ => None,
        };
        let same = before.is_some_and(|follower| follower.leader == leader) && !new_epoch;
        if guard!("replica.follow.begin", same) {
            return;
        }
        if rules.truncation == Truncation::HighWatermark && leader.is_some() {
            self.cut(self.high_watermark, out);
        }
        let looks_for_divergence = rules.truncation != Truncation::HighWatermark;
        self.role = Role::Follower(Follower { leader, looks_for_divergence, fetching: false });
        match leader {
            Some(_) => self.ask_again(out),
            None if before.is_some_and(|follower| follower.fetching) => out.push(Output::CancelFetch),
            None => {}
        }
    }

    /// `replica.follow.retry`: asks again unless a fetch is under way.
    pub(super) fn fetch_retried(&mut self, out: &mut Vec<Output<C>>) {
        let idle = matches!(self.role, Role::Follower(follower) if !follower.fetching);
        if guard!("replica.follow.retry", idle) {
            self.ask_again(out);
        }
    }

    /// Fetches from the end of the log.
    fn ask_again(&mut self, out: &mut Vec<Output<C>>) {
        if let Some(request) = self.next_fetch()
            && let Role::Follower(follower) = &mut self.role
        {
            follower.fetching = true;
            out.push(Output::Fetch(request));
        }
    }

    fn next_fetch(&self) -> Option<FetchRequest> {
        let Role::Follower(follower) = self.role else { return None };
        Some(FetchRequest {
            leader: follower.leader?,
            leader_epoch: self.leader_epoch?,
            offset: self.log.end,
            last_fetched_epoch: self.log.epochs.latest().filter(|_| follower.looks_for_divergence),
        })
    }

    /// `replica.follow.current`: an answer counts if it answers the fetch that would be sent now.
    fn is_current(&self, asked: &FetchRequest) -> bool {
        guard!("replica.follow.current", self.next_fetch().is_some_and(|now| now == *asked))
    }

    /// One answer from the leader.
    pub(super) fn fetch_answered(
        &mut self,
        rules: &Rules,
        asked: &FetchRequest,
        answer: FetchAnswer<C>,
        out: &mut Vec<Output<C>>,
    ) {
        if !self.is_current(asked) {
            return;
        }
        match answer {
            FetchAnswer::Records { batches, high_watermark, log_start } => {
                self.append_copies(batches, out);
                self.learn_high_watermark(high_watermark, log_start);
                self.found_agreement(rules);
                self.ask_again(out);
            }
            FetchAnswer::Diverging(end) => {
                rule!("replica.truncate.only");
                self.cut_where_logs_part(rules, end, out);
                self.ask_again(out);
            }
            FetchAnswer::Refused(refusal) => self.fetch_refused(rules, refusal, asked, out),
        }
    }

    /// `replica.follow.copy`: the leader's batches go in as they are, with its offsets and epochs. Where its log was
    /// cleaned there are gaps between them.
    fn append_copies(&mut self, batches: Vec<Batch<C>>, out: &mut Vec<Output<C>>) {
        let mut copied = Vec::with_capacity(batches.len());
        let mut new_epochs = false;
        for batch in batches {
            let fits = batch.base >= self.log.end && self.log.epochs.latest() <= Some(batch.epoch);
            if !guard!("replica.follow.copy", fits) {
                break;
            }
            new_epochs |= self.log.epochs.latest() != Some(batch.epoch);
            self.log.copied(batch.base, batch.epoch, batch.count);
            self.note_producer(&batch);
            copied.push(batch);
        }
        if guard!("replica.follow.copy/new-epoch", new_epochs) {
            out.push(Output::StoreEpochs(self.log.epochs.clone()));
        }
        if !copied.is_empty() {
            out.push(Output::Append(copied));
        }
    }

    /// `replica.follow.hw`: the leader's high watermark, as far as this log reaches. It may go back.
    fn learn_high_watermark(&mut self, high_watermark: Offset, log_start: Offset) {
        guard!("replica.follow.hw", high_watermark < self.high_watermark);
        self.high_watermark = high_watermark.clamp(self.log.start, self.log.end);
        let start = log_start.min(self.high_watermark);
        if start > self.log.start {
            self.log.start = start;
            self.log.epochs.truncate_from_start(start);
        }
    }

    /// Until 2.7 a follower looked for divergence only when it began to follow.
    fn found_agreement(&mut self, rules: &Rules) {
        if let Role::Follower(follower) = &mut self.role
            && rules.truncation != Truncation::OnFetch
        {
            follower.looks_for_divergence = false;
        }
    }

    /// `replica.truncate.diverging`: cut to where the leader's epoch ends, or to where this log's largest epoch below
    /// it ends and ask again. `replica.truncate.only`: nothing else of such an answer counts.
    fn cut_where_logs_part(&mut self, rules: &Rules, leader: EpochEnd, out: &mut Vec<Output<C>>) {
        if rules.truncation == Truncation::EpochOnce {
            self.cut(leader.end, out);
            return self.found_agreement(rules);
        }
        match self.log.epochs.end_of(leader.epoch, self.log.end) {
            Some(own) if guard!("replica.truncate.diverging", own.epoch == leader.epoch) => {
                self.cut(own.end.min(leader.end), out);
                self.found_agreement(rules);
            }
            Some(own) => self.cut(own.end, out),
            None => self.cut(leader.end, out),
        }
    }

    /// Cuts the log; below its start nothing of it is left, and it begins anew there.
    fn cut(&mut self, to: Offset, out: &mut Vec<Output<C>>) {
        let to = to.max(Offset(0));
        if to < self.log.start {
            return self.begin_anew(to, out);
        }
        let epochs = self.log.epochs.entries().len();
        let shorter = to < self.log.end;
        self.log.truncated(to);
        self.high_watermark = self.high_watermark.min(self.log.end);
        // The records first: epochs that run ahead of them are cut at the next start, missing ones would not be found.
        if guard!("replica.truncate.diverging/shorter", shorter) {
            out.push(Output::Truncate { to });
        }
        if epochs != self.log.epochs.entries().len() {
            out.push(Output::StoreEpochs(self.log.epochs.clone()));
        }
        self.forget_cut_batches(out);
    }

    fn begin_anew(&mut self, at: Offset, out: &mut Vec<Output<C>>) {
        self.log = LogEnds { start: at, end: at, epochs: Default::default() };
        self.high_watermark = at;
        self.producers = Default::default();
        out.push(Output::TruncateFully { at });
        out.push(Output::StoreEpochs(self.log.epochs.clone()));
    }

    /// `replica.follow.refused`: fenced means that newer metadata is on its way; anything else is tried again.
    fn fetch_refused(&mut self, rules: &Rules, refusal: Refusal, asked: &FetchRequest, out: &mut Vec<Output<C>>) {
        if let Role::Follower(follower) = &mut self.role {
            follower.fetching = false;
        }
        match refusal {
            Refusal::FencedLeaderEpoch => {
                rule!("replica.follow.refused/fenced");
                out.push(Output::CancelFetch);
            }
            Refusal::OffsetOutOfRange
                if rules.truncation == Truncation::EpochOnce && asked.last_fetched_epoch.is_some() =>
            {
                self.cut(self.high_watermark, out);
                self.found_agreement(rules);
                self.ask_again(out);
            }
            Refusal::OffsetOutOfRange => out.push(Output::AskLogEnds(*asked)),
            _ => {
                rule!("replica.follow.refused");
                out.push(Output::SetTimer { timer: Timer::FetchRetry, from: None });
            }
        }
    }

    /// `replica.truncate.range`: past the leader's end, cut to it; before its start, begin again there.
    pub(super) fn log_ends_answered(
        &mut self,
        asked: &FetchRequest,
        start: Offset,
        end: Offset,
        out: &mut Vec<Output<C>>,
    ) {
        if !self.is_current(asked) {
            return;
        }
        if guard!("replica.truncate.range", end < self.log.end) {
            self.cut(end, out);
        } else if guard!("replica.truncate.range/anew", start > self.log.end) {
            self.begin_anew(start, out);
        }
        out.push(Output::SetTimer { timer: Timer::FetchRetry, from: None });
    }
}
