//! The state of a world with a group of the consumer protocol.

use super::Bounds;
use crate::group::Model;
use crate::shared::Shared;
use highwater_spec::group::{ConsumerHeartbeat, GroupEpoch, MemberId, Reconciled, ReplicatedCoordinator, Share, Timer};
use highwater_spec::property::consumer_group::ConsumerHistory;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{Offset, Ticket, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) coordinator: Shared<ReplicatedCoordinator<Model>>,
    /// The timers that the coordinator has set.
    pub(super) timers: BTreeSet<Timer>,
    /// What waits at the coordinator.
    pub(super) waiting: BTreeMap<Ticket, Waiting>,
    pub(super) nodes: Vec<Shared<Node>>,
    /// How many ids were given, where they are given by arrival.
    pub(super) arrived: u8,
    /// The partitions of the topic.
    pub(super) partitions: u8,
    pub(super) history: Shared<ConsumerHistory>,
    pub(super) budget: Bounds,
}

#[cfg(test)]
impl State {
    /// The same with its processes called by other numbers.
    pub(in crate::group) fn renumbered(&self, order: &[usize]) -> Self {
        let mut renamed = self.clone();
        let mentioned = renamed.waiting.values_mut().map(|waiting| &mut waiting.node);
        crate::group::arrival::renumber(&mut renamed.nodes, mentioned, order);
        renamed
    }
}

/// What the coordinator has answered.
pub type Answer = Result<Option<Reconciled>, Refusal>;

/// A request that the coordinator has not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// Whose; none if its connection has broken.
    pub node: Option<usize>,
    /// What it commits; none if it is a heartbeat.
    pub commit: Option<Commit>,
}

/// A commit on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// Who commits.
    pub member: MemberId,
    /// At which epoch.
    pub epoch: GroupEpoch,
    /// Of each partition the first offset that was not processed.
    pub offsets: BTreeMap<TopicPartition, Offset>,
}

/// One consumer and its connection to the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// The process, if it runs.
    pub life: Option<Life>,
    /// How many lives it has had, where ids are not given by arrival.
    pub ids: u8,
    /// What it has said, and the coordinator not heard yet.
    pub said: Option<ConsumerHeartbeat>,
    /// What it was answered, and has not heard yet.
    pub answer: Option<Answer>,
    /// What it has committed, and the coordinator not heard yet.
    pub commit: Option<Commit>,
    /// What it had said when its connection went, and may be heard yet.
    pub late_beat: Option<ConsumerHeartbeat>,
    /// What it had committed when its connection went, and may be heard yet.
    pub late_commit: Option<Commit>,
}

/// A consumer that runs, and does what the protocol asks of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Life {
    /// Its id; no one's, where ids are given by arrival, until it was heard of.
    pub id: MemberId,
    /// Its epoch, once it has joined.
    pub epoch: Option<GroupEpoch>,
    /// What it reads.
    pub owned: Share,
    /// What it is to read once it has given up the rest.
    pub awaits: Option<Share>,
    /// Whether it does not know what was heard of it, and says everything.
    pub unsure: bool,
    /// How many answers it has missed since it last heard one: none, one, or more.
    pub missed: u8,
    /// Its epoch before, if it has heard of a lower one.
    pub fallen: Option<GroupEpoch>,
    /// How far it is in what it reads, where it knows where to begin.
    pub positions: BTreeMap<TopicPartition, Position>,
}

/// How far a consumer is in a partition. Each is the first offset of which something is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Its application has not taken this one.
    pub taken: Offset,
    /// Its application has not processed this one.
    pub processed: Offset,
    /// It has not heard of a commit below which this one lies, be it kept or refused for good.
    pub settled: Offset,
}

impl Position {
    pub(super) fn at(offset: Offset) -> Self {
        Self { taken: offset, processed: offset, settled: offset }
    }
}

impl Life {
    pub(super) fn new(id: MemberId) -> Self {
        Self {
            id,
            epoch: None,
            owned: Share::new(),
            awaits: None,
            unsure: false,
            missed: 0,
            fallen: None,
            positions: BTreeMap::new(),
        }
    }

    /// It has been put out: it forgets everything but its id.
    pub(super) fn starts_over(&mut self) {
        *self = Self { fallen: self.fallen, ..Self::new(self.id.clone()) };
    }

    /// Whether it goes on reading a partition.
    pub(super) fn keeps(&self, partition: &TopicPartition) -> bool {
        self.owned.contains(partition) && self.awaits.as_ref().is_none_or(|awaits| awaits.contains(partition))
    }
}
