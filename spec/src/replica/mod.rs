//! One copy of one partition: append, replicate, commit, acknowledge, fail over, truncate.
//!
//! A replica leads or follows as the metadata log says. A leader gives records their offsets, counts how far its
//! followers have come and so which records are committed; a follower copies its leader's log and cuts its own where
//! the two part.
//!
//! Not here: who leads (`controller`), what a broker does besides hosting replicas (`broker`), where records lie (the
//! shell). Source: Kafka's `Partition`, `Replica`, `AbstractFetcherThread`; KIPs 101, 279, 320, 497, 595, 903, 966.

mod follower;
mod high_watermark;
mod isr;
mod leader;
mod message;
mod produce;
mod producers;
mod read_view;
mod recast;
mod symmetry;

pub use follower::Follower;
pub use isr::{Isr, IsrProposal, IsrState, ProposalsOutcome};
pub use leader::{Leader, Peer, Progress};
pub use message::{
    Acks, Assignment, FetchAnswer, FetchRequest, FollowerFetch, Input, Output, Produce, ProduceOutcome, Timer,
};
pub use produce::Waiting;
pub use read_view::{Answer, Ask, ReadRole, ReadView, Reader};

use crate::log::{LogEnds, Recovered};
use crate::machine::{Carrier, Machine};
use crate::marks::{guard, rule};
use crate::producer::Producers;
use crate::refusal::Refusal;
use crate::rules::{KnownEpoch, Rules};
use crate::values::{BrokerId, Brokers, LeaderEpoch, Offset, PartitionEpoch};

/// One copy of one partition, on one broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica<C: Carrier> {
    me: BrokerId,
    log: LogEnds,
    /// The first offset not known to be committed (exclusive).
    high_watermark: Offset,
    /// What the log says of its producers.
    producers: Producers,
    /// `None` until the first assignment is heard.
    leader_epoch: Option<LeaderEpoch>,
    partition_epoch: Option<PartitionEpoch>,
    role: Role<C>,
}

/// What a replica is to its partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role<C: Carrier> {
    /// No assignment has been heard since the start.
    Unassigned,
    /// It leads.
    Leader(Leader<C>),
    /// It follows, or waits for a leader.
    Follower(Follower),
    /// Its disk failed, or its topic was deleted: it answers nothing until the broker starts again.
    Offline(Refusal),
}

impl<C: Carrier> Replica<C> {
    /// A replica that has just been found on, or made on, the disk of broker `me`.
    #[must_use]
    pub fn new(me: BrokerId, recovered: Recovered) -> Self {
        Self {
            me,
            log: recovered.log,
            high_watermark: recovered.high_watermark,
            producers: recovered.producers,
            leader_epoch: None,
            partition_epoch: None,
            role: Role::Unassigned,
        }
    }

    /// The broker that hosts it.
    #[must_use]
    pub fn me(&self) -> BrokerId {
        self.me
    }

    /// The ends of its log.
    #[must_use]
    pub fn log(&self) -> &LogEnds {
        &self.log
    }

    /// The first offset not known to be committed (exclusive).
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// The producers that have written to it.
    #[must_use]
    pub fn producers(&self) -> &Producers {
        &self.producers
    }

    /// The leader epoch that it acts in.
    #[must_use]
    pub fn leader_epoch(&self) -> Option<LeaderEpoch> {
        self.leader_epoch
    }

    /// The partition epoch last heard of.
    #[must_use]
    pub fn partition_epoch(&self) -> Option<PartitionEpoch> {
        self.partition_epoch
    }

    /// Whether it leads, follows or is out of order.
    #[must_use]
    pub fn role(&self) -> &Role<C> {
        &self.role
    }

    /// Its leadership, if it leads.
    #[must_use]
    pub fn leader(&self) -> Option<&Leader<C>> {
        match &self.role {
            Role::Leader(leader) => Some(leader),
            _ => None,
        }
    }

    /// What readers may see of it now.
    #[must_use]
    pub fn read_view(&self) -> ReadView {
        ReadView {
            role: match &self.role {
                Role::Leader(leader) => {
                    ReadRole::Leader { assigned: leader.assigned(), epoch_start: leader.epoch_start }
                }
                Role::Follower(_) | Role::Unassigned => ReadRole::NotLeader,
                Role::Offline(refusal) => ReadRole::Offline(*refusal),
            },
            leader_epoch: self.leader_epoch,
            epochs: self.log.epochs.clone(),
            log_start: self.log.start,
            high_watermark: self.high_watermark,
            log_end: self.log.end,
        }
    }

    /// What of it a reader could tell apart, cheaply.
    fn visible(&self) -> impl PartialEq + use<C> {
        let role = match &self.role {
            Role::Leader(leader) => (0, leader.assigned(), leader.epoch_start),
            Role::Follower(_) | Role::Unassigned => (1, Brokers::default(), Offset(0)),
            Role::Offline(refusal) => (refusal.code(), Brokers::default(), Offset(0)),
        };
        let epochs = (self.log.epochs.entries().len(), self.log.epochs.latest());
        (role, self.leader_epoch, epochs, self.log.start, self.high_watermark, self.log.end)
    }

    /// `replica.epoch.current`: an assignment older than the one in force is ignored. `replica.epoch.known`: one of the
    /// same partition epoch says nothing new, since the answer to the leader's own proposal has come first.
    fn assigned(&mut self, rules: &Rules, assignment: Assignment<C>, out: &mut Vec<Output<C>>) {
        let given = Some(assignment.partition_epoch);
        let older = self.partition_epoch > given || self.leader_epoch > Some(assignment.leader_epoch);
        if guard!("replica.storage.offline/assigned", matches!(self.role, Role::Offline(_)))
            || guard!("replica.epoch.current", older)
        {
            return;
        }
        let known = guard!("replica.epoch.known", self.partition_epoch == given);
        if known && rules.known_epoch == KnownEpoch::Ignored {
            return self.cluster_changed(&assignment.peers, assignment.min_insync_replicas);
        }
        let new_epoch = self.leader_epoch < Some(assignment.leader_epoch);
        self.partition_epoch = Some(assignment.partition_epoch);
        self.leader_epoch = self.leader_epoch.max(Some(assignment.leader_epoch));
        // `replica.lead.epoch`: a log that has seen a later epoch can't be led in this one.
        let seen = self.log.epochs.latest();
        if assignment.leader == Some(self.me) && guard!("replica.lead.epoch", seen <= Some(assignment.leader_epoch)) {
            self.lead(rules, assignment, new_epoch, out);
        } else {
            let leader = assignment.leader.filter(|leader| *leader != self.me);
            self.follow(rules, leader, new_epoch, out);
        }
    }

    /// `replica.storage.offline`: nothing more is appended, answered or acknowledged until the broker starts again,
    /// and a failed flush is never tried twice.
    fn fail(&mut self, refusal: Refusal, out: &mut Vec<Output<C>>) {
        rule!("replica.storage.offline");
        self.refuse_waiting(refusal, out);
        if matches!(self.role, Role::Follower(_)) {
            out.push(Output::CancelFetch);
        }
        self.role = Role::Offline(refusal);
    }
}

impl<C: Carrier> Machine for Replica<C> {
    type Input = Input<C>;
    type Output = Output<C>;

    fn step(&mut self, rules: &Rules, input: Input<C>, out: &mut Vec<Output<C>>) {
        let (before, begun) = (self.visible(), out.len());
        match input {
            Input::Assigned(assignment) => self.assigned(rules, assignment, out),
            Input::ClusterChanged { peers, min_insync_replicas } => self.cluster_changed(&peers, min_insync_replicas),
            Input::Produced(requests) => self.produced(rules, requests, out),
            Input::ProduceTimedOut(ticket) => self.produce_timed_out(ticket, out),
            Input::FollowerFetched(fetch) => self.follower_fetched(rules, fetch, out),
            Input::FetchAnswered { asked, answer } => self.fetch_answered(rules, &asked, answer, out),
            Input::LogEndsAnswered { asked, start, end } => self.log_ends_answered(&asked, start, end, out),
            Input::IsrAnswered { proposal, outcome } => self.isr_answered(rules, &proposal, outcome, out),
            Input::ProducersRead { upto, producers } => self.producers_read(upto, producers),
            Input::ProducersExpired(ids) => ids.into_iter().for_each(|id| self.producers.expire(id)),
            Input::TimerFired(Timer::Lag(follower)) => self.follower_lagged(rules, follower, out),
            Input::TimerFired(Timer::FetchRetry) => self.fetch_retried(out),
            Input::Closing if guard!("replica.storage.offline/closing", matches!(self.role, Role::Offline(_))) => {}
            Input::Closing => out.push(Output::Flush { upto: self.log.end }),
            Input::Failed { unanswered } => {
                let outcome = ProduceOutcome::Unknown(Refusal::StorageError);
                out.extend(unanswered.into_iter().map(|ticket| Output::Reply { ticket, outcome }));
                self.fail(Refusal::StorageError, out);
            }
            Input::Deleted => {
                self.fail(Refusal::UnknownTopicOrPartition, out);
                out.push(Output::DeleteLog);
            }
        }
        if before != self.visible() {
            // `replica.read.own`: whoever is told that records are committed can read them at once.
            let of_this_step = out[begun..].iter().rev();
            let replies = of_this_step.take_while(|output| matches!(output, Output::Reply { .. })).count();
            guard!("replica.read.own", replies > 0);
            out.insert(out.len() - replies, Output::Publish(self.read_view()));
        }
    }
}
