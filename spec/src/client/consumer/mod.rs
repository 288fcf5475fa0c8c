//! A consumer of a group: when it joins, what it owns, from where it reads, and what it commits.
//!
//! This is the classic protocol, eager and cooperative. What is delivered counts as processed once the application asks
//! for more, and only that is committed: a record may be processed twice, and none is passed over. As in Kafka's
//! consumer, nothing is taken from an application while it processes: a rebalance waits for its next poll.
//!
//! Not here: which broker leads a partition, fetching, what a record looks like. The program around it fetches whatever
//! [`Consumer::positions`] says, and tells what came.
//!
//! Rules: `client.consumer.*`. Source: Kafka's `AbstractCoordinator` and `ConsumerCoordinator`, KIP-62, KIP-320,
//! KIP-345, KIP-394, KIP-429.

mod membership;
mod message;
mod offsets;
mod truncation;

pub use message::{End, Failure, Input, Joined, Leader, Leads, Output, Place, Timer};

use crate::assignor::{Assignor, Remembered, Topics};
use crate::group::{Generation, InstanceId, MemberId, NamedPartition, TopicName};
use crate::machine::Machine;
use crate::marks::{guard, rule};
use crate::rules::Rules;
use crate::values::{LeaderEpoch, Offset};
use std::collections::{BTreeMap, BTreeSet};

/// What a consumer is told when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Its name across its lives, if it is static (`group.instance.id`).
    pub instance: Option<InstanceId>,
    /// What it wants to read.
    pub topics: BTreeSet<TopicName>,
    /// How the group may share out the partitions, the way that it likes best first
    /// (`partition.assignment.strategy`).
    pub assignors: Vec<Assignor>,
    /// Where to begin if nothing was committed (`auto.offset.reset`); `None` is an error.
    pub reset: Option<End>,
    /// Whether it commits by itself (`enable.auto.commit`).
    pub auto_commit: bool,
}

impl Config {
    /// `client.consumer.cooperative`: a consumer keeps what it owns through a rebalance if every assignor that it offers
    /// gives nothing away before it is given up.
    #[must_use]
    pub fn is_cooperative(&self) -> bool {
        !self.assignors.is_empty() && self.assignors.iter().all(|assignor| *assignor == Assignor::CooperativeSticky)
    }
}

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Consumer {
    config: Config,
    phase: Phase,
    coordinator: Coordinator,
    /// The id that the coordinator gave it.
    member: Option<MemberId>,
    /// The generation that it joined last; `None` once it is a member no more.
    generation: Option<Generation>,
    /// What it reads; `None` while it doesn't know from where.
    owned: BTreeMap<NamedPartition, Option<Position>>,
    /// Who leads what, as far as it has heard.
    leaders: BTreeMap<NamedPartition, Leader>,
    /// Whether it waits to hear who leads.
    asks_leaders: bool,
    /// The partitions that there are.
    topics: Topics,
    /// What there was when it shared out, as the leader.
    shared_out: Option<Topics>,
    /// What [`Assignor::Sticky`] has given it last, whether or not it still owns it.
    remembered: Option<Remembered>,
    /// Whether the application processes what was delivered.
    is_processing: bool,
    /// Whether it is to join anew at the next poll.
    rejoins: bool,
    /// Whether what it keeps was committed for the join that is under way.
    is_prepared: bool,
    /// Whether `auto.commit.interval.ms` has passed.
    commit_due: bool,
    /// Commits that are not answered yet.
    commits: u32,
}

/// How far a consumer is in the group's protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// It has not been polled, or not for too long: it is no member.
    Out,
    /// It waits for the coordinator, or for a time to try again.
    Waiting,
    /// It commits what was processed, and joins then.
    Preparing,
    /// It has sent JoinGroup.
    Joining,
    /// It has sent SyncGroup, in a generation that shares out by this assignor.
    Syncing(Assignor),
    /// It has its share, by this assignor, and waits for the next poll to take it up.
    Assigned(Assignor, BTreeSet<NamedPartition>),
    /// It has taken up its share.
    Stable,
    /// It commits what was processed, and ends then.
    Closing,
    /// It has ended.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Coordinator {
    Unknown,
    Asked,
    Found,
}

/// How far a consumer is in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Position {
    /// What to deliver next.
    next: Place,
    /// What was not processed.
    processed: Place,
    /// Whether the leader has what was read, as far as it can be told.
    is_checked: bool,
}

impl Consumer {
    /// A consumer that has not been polled yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            phase: Phase::Out,
            coordinator: Coordinator::Unknown,
            member: None,
            generation: None,
            owned: BTreeMap::new(),
            leaders: BTreeMap::new(),
            asks_leaders: false,
            topics: Topics::new(),
            shared_out: None,
            remembered: None,
            is_processing: false,
            rejoins: false,
            is_prepared: false,
            commit_due: false,
            commits: 0,
        }
    }

    /// What to fetch, and from where (inclusive).
    pub fn positions(&self) -> impl Iterator<Item = (&NamedPartition, Offset)> {
        let known = self.owned.iter().filter_map(|(partition, position)| Some((partition, (*position)?)));
        known.filter(|(_, position)| position.is_checked).map(|(partition, position)| (partition, position.next.offset))
    }

    /// The leader epoch that a fetch of a partition names, if any is known.
    #[must_use]
    pub fn leader_epoch(&self, partition: &NamedPartition) -> Option<LeaderEpoch> {
        self.leaders.get(partition)?.epoch
    }

    /// What it owns, whether or not it knows from where to read it.
    pub fn owned(&self) -> impl Iterator<Item = &NamedPartition> {
        self.owned.keys()
    }

    /// The id that the coordinator gave it, if any.
    #[must_use]
    pub fn member(&self) -> Option<&MemberId> {
        self.member.as_ref()
    }

    /// The generation that it lives in, as long as it believes to be a member.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// `client.consumer.poll`: all that was delivered before is processed, and what waited for it goes on.
    fn polled(&mut self, out: &mut Vec<Output>) {
        rule!("client.consumer.poll");
        self.is_processing = false;
        self.owned.values_mut().flatten().for_each(|position| position.processed = position.next);
        out.push(Output::SetTimer(Timer::Poll));
        if guard!("client.consumer.poll/out", self.phase == Phase::Out) {
            if self.config.auto_commit {
                out.push(Output::SetTimer(Timer::Commit));
            }
            return self.join_anew(out);
        }
        if let Phase::Assigned(assignor, assigned) = &self.phase {
            let (assignor, assigned) = (*assignor, assigned.clone());
            self.take_up(assignor, assigned, out);
        }
        if guard!("client.consumer.poll/rejoins", self.rejoins && self.phase == Phase::Stable) {
            return self.join_anew(out);
        }
        if guard!("client.consumer.poll/commits", self.commit_due && self.can_commit()) {
            self.commit_due = false;
            self.commit(out);
            out.push(Output::SetTimer(Timer::Commit));
        }
    }

    fn timer_fired(&mut self, timer: Timer, out: &mut Vec<Output>) {
        match timer {
            Timer::Heartbeat => self.beat(out),
            Timer::Poll => self.poll_late(out),
            Timer::Commit => self.commit_due = true,
            Timer::Retry => self.retry(out),
        }
    }

    /// Whom the coordinator refuses for good it does not want to hear of again; anyone else leaves.
    fn fail(&mut self, failure: Failure, out: &mut Vec<Output>) {
        if !matches!(failure, Failure::Refused(_)) {
            self.leave(out);
        }
        self.lose(out);
        self.end(out);
        out.push(Output::Fail(failure));
    }

    fn end(&mut self, out: &mut Vec<Output>) {
        self.phase = Phase::Ended;
        self.generation = None;
        out.extend([Timer::Heartbeat, Timer::Poll, Timer::Commit, Timer::Retry].map(Output::CancelTimer));
    }
}

impl Machine for Consumer {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, rules: &Rules, input: Input, out: &mut Vec<Output>) {
        if self.has_ended() {
            return;
        }
        match input {
            Input::Polled if self.phase != Phase::Closing => self.polled(out),
            Input::Polled => {}
            Input::CommitAsked => self.commit_asked(out),
            Input::Closed => self.close(out),
            Input::TopicsSeen(topics) => self.topics_seen(topics, out),
            Input::LeadersSeen(leaders) => self.leaders_seen(leaders, out),
            Input::CoordinatorFound => self.coordinator_found(out),
            Input::CoordinatorLost => self.coordinator_lost(out),
            Input::JoinAnswered { member, outcome } => self.join_answered(rules, member, outcome, out),
            Input::SyncAnswered(outcome) => self.sync_answered(outcome, out),
            Input::HeartbeatAnswered(outcome) => self.heartbeat_answered(outcome, out),
            Input::OffsetsAnswered(outcome) => self.offsets_answered(outcome, out),
            Input::OffsetFound { partition, offset } => self.offset_found(&partition, offset, out),
            Input::CommitAnswered { generation, outcome } => self.commit_answered(generation, outcome, out),
            Input::Fetched { partition, from, under, upto, epoch } => {
                self.fetched(partition, from, under, Place { offset: upto, epoch }, out);
            }
            Input::FetchRefused { partition, from, under, refusal } => {
                self.fetch_refused(partition, from, under, refusal, out);
            }
            Input::EpochEndAnswered { partition, at, leader, outcome } => {
                self.epoch_end_answered(partition, at, leader, outcome, out);
            }
            Input::TimerFired(timer) => self.timer_fired(timer, out),
        }
    }
}
