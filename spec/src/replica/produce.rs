//! Producing: append, and tell the producer at the moment that it asked for.
//!
//! Rules: `replica.produce.*`. Source: Kafka's `Partition.appendRecordsToLeader`, `DelayedProduce`.

use super::{Acks, Output, Produce, ProduceOutcome, Replica, Role, Timer};
use crate::log::Batch;
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::producer::{Verdict, Written};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::sparse;
use crate::values::{Offset, Ticket, Timestamp};
use std::hash::{Hash, Hasher};

/// A producer that waits for its records to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// Who waits.
    pub ticket: Ticket,
    /// The offset of its first record.
    pub base: Offset,
    /// The high watermark that it waits for: the offset after its last record.
    pub required: Offset,
    /// Of a batch that had been written before, the largest timestamp.
    pub duplicate: Option<Timestamp>,
}

impl Hash for Waiting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { ticket, base, required, duplicate } = self;
        (ticket, base, required).hash(state);
        sparse::hash(duplicate, state);
    }
}

impl Waiting {
    fn acked(&self) -> ProduceOutcome {
        match self.duplicate {
            None => ProduceOutcome::Acked { base: self.base },
            Some(timestamp) => ProduceOutcome::Duplicate { base: self.base, timestamp },
        }
    }
}

impl<C: Carrier> Replica<C> {
    /// Appends what may be appended, in one write, and answers the rest.
    pub(super) fn produced(&mut self, rules: &Rules, requests: Vec<Produce<C>>, out: &mut Vec<Output<C>>) {
        let mut batches = Vec::new();
        let mut replies = Vec::new();
        for request in requests {
            match self.judged(rules, &request) {
                Verdict::Refused(refusal) => replies.push((request.ticket, ProduceOutcome::Refused(refusal))),
                Verdict::Duplicate(written) => self.found_written(&request, &written, &mut replies),
                Verdict::Append => batches.push(self.place(request, &mut replies)),
            }
        }
        if !batches.is_empty() {
            self.wake_lagging(out);
            out.push(Output::Append(batches));
        }
        out.extend(replies.into_iter().map(|(ticket, outcome)| Output::Reply { ticket, outcome }));
        self.raise_high_watermark(rules, out);
    }

    /// `replica.produce.sequence`: what any batch is refused for comes first, then what the producer's last ones say.
    fn judged(&self, rules: &Rules, request: &Produce<C>) -> Verdict {
        match (self.refused(request), &request.producer) {
            (Some(refusal), _) => Verdict::Refused(refusal),
            (None, None) => Verdict::Append,
            (None, Some(sequenced)) => self.producers.judge(rules, sequenced, request.count),
        }
    }

    /// `replica.produce.leader`, `replica.produce.min-isr`: refused before anything is appended.
    fn refused(&self, request: &Produce<C>) -> Option<Refusal> {
        guard!("replica.produce.leader", matches!(self.role, Role::Leader(_)));
        match &self.role {
            Role::Leader(leader) => {
                let too_few = leader.isr.committed().len() < leader.min_insync_replicas;
                let refused = guard!("replica.produce.min-isr", request.acks == Acks::All && too_few);
                refused.then_some(Refusal::NotEnoughReplicas)
            }
            Role::Follower(_) | Role::Unassigned => Some(Refusal::NotLeaderOrFollower),
            Role::Offline(refusal) => Some(*refusal),
        }
    }

    /// `replica.produce.offset`: the leader gives the next offset, and stamps its epoch.
    fn place(&mut self, request: Produce<C>, replies: &mut Vec<(Ticket, ProduceOutcome)>) -> Batch<C> {
        rule!("replica.produce.offset");
        let epoch = self.leader_epoch.unwrap_or_default();
        let base = self.log.end;
        self.log.appended(epoch, request.count);
        let waiting = Waiting { ticket: request.ticket, base, required: self.log.end, duplicate: None };
        self.answer_in_time(request.acks, waiting, replies);
        let Produce { count, producer, bytes, .. } = request;
        let batch = Batch { base, count, epoch, producer, bytes };
        self.note_producer(&batch);
        batch
    }

    /// `replica.produce.duplicate`: what is in the log already is not written again, and is answered as it would have
    /// been the first time: with acks=all not before it is committed.
    fn found_written(&mut self, request: &Produce<C>, written: &Written, replies: &mut Vec<(Ticket, ProduceOutcome)>) {
        let duplicate = Some(written.timestamp);
        let waiting = Waiting { ticket: request.ticket, base: written.base, required: written.end, duplicate };
        self.answer_in_time(request.acks, waiting, replies);
    }

    fn answer_in_time(&mut self, acks: Acks, waiting: Waiting, replies: &mut Vec<(Ticket, ProduceOutcome)>) {
        match (acks, &mut self.role) {
            (Acks::All, Role::Leader(leader)) => {
                let place = leader.waiting.partition_point(|other| other.required <= waiting.required);
                leader.waiting.insert(place, waiting);
            }
            _ => replies.push((waiting.ticket, waiting.acked())),
        }
    }

    /// `replica.produce.commit`: the producer hears once its records are below the high watermark, and is warned when
    /// by then fewer replicas hold them than `min.insync.replicas`.
    pub(super) fn answer_committed(&mut self, out: &mut Vec<Output<C>>) {
        let high_watermark = self.high_watermark;
        let Role::Leader(leader) = &mut self.role else { return };
        let enough = leader.isr.maximal().len() >= leader.min_insync_replicas;
        while let Some(waiting) = leader.waiting.front().copied()
            && guard!("replica.produce.commit", waiting.required <= high_watermark)
        {
            leader.waiting.pop_front();
            let outcome = match guard!("replica.produce.commit/enough", enough) {
                true => waiting.acked(),
                false => ProduceOutcome::Undersized { base: waiting.base },
            };
            out.push(Output::Reply { ticket: waiting.ticket, outcome });
        }
    }

    /// `replica.produce.timeout`: the producer stops waiting; its records stay and may yet be committed.
    pub(super) fn produce_timed_out(&mut self, ticket: Ticket, out: &mut Vec<Output<C>>) {
        let Role::Leader(leader) = &mut self.role else { return };
        if let Some(index) = leader.waiting.iter().position(|waiting| waiting.ticket == ticket) {
            rule!("replica.produce.timeout");
            leader.waiting.remove(index);
            out.push(Output::Reply { ticket, outcome: ProduceOutcome::Unknown(Refusal::RequestTimedOut) });
        }
    }

    /// `replica.produce.unknown`: whoever still waits when leadership ends hears that the outcome is unknown.
    pub(super) fn refuse_waiting(&mut self, refusal: Refusal, out: &mut Vec<Output<C>>) {
        let Role::Leader(leader) = &mut self.role else { return };
        guard!("replica.produce.unknown", !leader.waiting.is_empty());
        let waiting = leader.waiting.drain(..);
        out.extend(
            waiting.map(|waiting| Output::Reply { ticket: waiting.ticket, outcome: ProduceOutcome::Unknown(refusal) }),
        );
    }

    /// A member whose time had run out while nothing was written is behind from now on: its timer is due at once.
    fn wake_lagging(&self, out: &mut Vec<Output<C>>) {
        let Role::Leader(leader) = &self.role else { return };
        let isr = leader.isr.committed();
        let late = leader.progress.iter().filter(|progress| progress.lagging && isr.contains(progress.replica));
        out.extend(late.map(|progress| Output::SetTimer {
            timer: Timer::Lag(progress.replica),
            from: progress.previous.map(|(at, _)| at),
        }));
    }
}
