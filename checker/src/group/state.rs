//! The state of a group's world.

use super::Bounds;
use crate::shared::Shared;
use highwater_spec::client::consumer::{self, Consumer, Timer};
use highwater_spec::group::{self, Generation, MemberId, NamedPartition, ReplicatedCoordinator, Tenure, TopicName};
use highwater_spec::machine::Carrier;
use highwater_spec::property::group::GroupHistory;
use highwater_spec::values::{LeaderEpoch, Offset, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the coordinator hands on, in the model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model;

impl Carrier for Model {
    type Bytes = Blob;
    type Stamp = ();
}

impl group::Measured for Model {
    fn batch_size(records: &[group::Record<Self>]) -> u64 {
        records.len() as u64
    }
}

/// What members tell each other through the coordinator, which does not look into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Blob {
    /// What a member says when it joins.
    Subscription {
        /// What it wants to read.
        topics: BTreeSet<TopicName>,
        /// What it owns.
        owned: BTreeSet<NamedPartition>,
        /// Since when.
        generation: Option<Generation>,
    },
    /// A member's share.
    Share(BTreeSet<NamedPartition>),
}

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub(super) coordinator: Shared<ReplicatedCoordinator<Model>>,
    pub(super) tenure: Tenure,
    /// The changes of leadership that the coordinator's broker has heard of and has yet to act on.
    pub(super) heard: BTreeSet<Leadership>,
    /// The timers that the coordinator has set.
    pub(super) timers: BTreeSet<group::Timer>,
    /// Whose request waits at the coordinator.
    pub(super) waiting: BTreeMap<Ticket, Waiting>,
    pub(super) nodes: Vec<Shared<Node>>,
    /// How many ids were given, where they are given by arrival.
    pub(super) arrived: u8,
    pub(super) history: Shared<GroupHistory>,
    pub(super) budget: Bounds,
}

impl State {
    /// Whether another broker leads the log, or did until just now, for all that the coordinator has done about it.
    pub(super) fn is_deposed(&self) -> bool {
        self.heard.iter().any(|heard| matches!(heard, Leadership::Won(_)))
    }
}

/// Leadership of the log that the coordinator keeps its state in, won or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leadership {
    /// It was lost: another broker leads in this epoch.
    Lost(LeaderEpoch),
    /// It was won, and this broker leads in this epoch.
    Won(LeaderEpoch),
}

/// A request that the coordinator has not answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// Whose; none if its connection has broken.
    pub node: Option<usize>,
    /// Who committed, if it is a commit.
    pub commits: Option<Commit>,
}

/// A commit on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// Who commits.
    pub member: Option<MemberId>,
    /// In which generation.
    pub generation: Option<Generation>,
    /// Of each partition the first offset that was not processed.
    pub offsets: BTreeMap<NamedPartition, Offset>,
}

/// One consumer, its application and its connection to the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    /// The process, if it runs.
    pub consumer: Option<Consumer>,
    /// Whether it has failed for good, so that no one starts it again.
    pub failed: bool,
    /// How many ids it was offered; or how many anyone was, its last one included, where they are given by arrival.
    pub ids: u8,
    /// What it has asked, in order; the coordinator of a connection takes one at a time.
    pub requests: VecDeque<consumer::Output>,
    /// What was the next to arrive when its connection went, and may arrive yet.
    pub late: Option<consumer::Output>,
    /// What it was answered, in order.
    pub answers: VecDeque<consumer::Input>,
    /// The timers that it has set.
    pub timers: BTreeSet<Timer>,
    /// What was delivered since the last poll.
    pub delivered: Vec<(NamedPartition, Offset)>,
    /// What a hasty application has taken and not processed.
    pub taken: Vec<(NamedPartition, Offset)>,
}
