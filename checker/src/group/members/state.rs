//! The state of a world with a group of the consumer protocol.

use super::Bounds;
use crate::group::Model;
use crate::shared::Shared;
use highwater_spec::group::{ConsumerHeartbeat, GroupEpoch, MemberId, Reconciled, ReplicatedCoordinator, Share, Timer};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::Ticket;
use std::collections::{BTreeMap, BTreeSet};

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) coordinator: Shared<ReplicatedCoordinator<Model>>,
    /// The timers that the coordinator has set.
    pub(super) timers: BTreeSet<Timer>,
    /// Whose heartbeat waits at the coordinator; none if its connection has broken.
    pub(super) waiting: BTreeMap<Ticket, Option<usize>>,
    pub(super) nodes: Vec<Shared<Node>>,
    /// The partitions of the topic.
    pub(super) partitions: u8,
    pub(super) budget: Bounds,
}

/// What the coordinator has answered.
pub type Answer = Result<Option<Reconciled>, Refusal>;

/// One consumer and its connection to the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// The process, if it runs.
    pub life: Option<Life>,
    /// How many lives it has had.
    pub ids: u8,
    /// What it has said, and the coordinator not heard yet.
    pub said: Option<ConsumerHeartbeat>,
    /// What it was answered, and has not heard yet.
    pub answer: Option<Answer>,
}

/// A consumer that runs, and does what the protocol asks of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Life {
    /// Its id.
    pub id: MemberId,
    /// Its epoch, once it has joined.
    pub epoch: Option<GroupEpoch>,
    /// What it reads.
    pub owned: Share,
    /// What it is to read once it has given up the rest.
    pub awaits: Option<Share>,
    /// Whether it does not know what was heard of it, and says everything.
    pub unsure: bool,
    /// Its epoch before, if it has heard of a lower one.
    pub fallen: Option<GroupEpoch>,
}
