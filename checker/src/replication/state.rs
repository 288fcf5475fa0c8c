//! One state of a replication world.

use crate::shared::Shared;
use highwater_spec::broker::Broker;
use highwater_spec::controller::{Image, IsrChange, Record, ReplicatedController};
use highwater_spec::log::EpochCache;
use highwater_spec::machine::Carrier;
use highwater_spec::replica::{Acks, FetchAnswer, FetchRequest, ProposalsOutcome, ReadView, Replica};
use highwater_spec::sparse;
use highwater_spec::values::{BrokerEpoch, BrokerId, Offset, Ticket, TopicId, TopicPartition};
use highwater_spec::view::{Entry, History};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The one partition.
pub const PARTITION: TopicPartition = TopicPartition { topic: TopicId([1; 16]), index: 0 };

/// What machines hand on in a model: records are numbers, and there is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Model;

impl Carrier for Model {
    type Bytes = u8;
    type Stamp = ();
}

/// The largest cluster that there is room for.
pub const MAX_BROKERS: usize = 4;

/// A whole cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The controller and its log.
    pub controller: Shared<ControllerNode>,
    /// The brokers; the one with id 1 first.
    pub nodes: Vec<Shared<Node>>,
    /// What is on its way between them.
    pub links: Shared<Links>,
    /// What was promised.
    pub history: Shared<History>,
    /// What may still happen.
    pub budget: Budget,
}

/// The controller and the metadata log.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct ControllerNode {
    /// The machine. In this world every record is committed as it is appended.
    pub machine: ReplicatedController,
    /// The offset of the first record kept.
    pub base: Offset,
    /// The records that some broker has not heard yet.
    pub log: Vec<Logged>,
}

/// One record of the metadata log.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Logged {
    /// The record.
    pub record: Record,
    /// Whether the controller's step ended with it: metadata is delivered in whole steps.
    pub ends_step: bool,
    /// The digest of the controller's image after it.
    pub digest: u64,
}

/// A broker: a disk, and a process that may be running.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Node {
    /// What survives the process.
    pub disk: Disk,
    /// What doesn't.
    pub process: Option<Process>,
}

/// What a broker has written.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Disk {
    /// The records, from offset 0.
    pub log: Arc<Vec<Entry>>,
    /// Everything below survives a power loss (exclusive).
    pub flushed: Offset,
    /// The epoch checkpoint.
    pub epochs: EpochCache,
    /// The high watermark checkpoint, written when the process ends.
    pub checkpoint: Offset,
    /// The mark of a clean shutdown.
    pub clean: Option<BrokerEpoch>,
}

/// A running broker.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Process {
    /// The broker.
    pub broker: Broker<Model>,
    /// Its copy.
    pub replica: Replica<Model>,
    /// What readers see of it.
    pub published: Arc<ReadView>,
    /// The lowest cut since then: reads under that view that reach further are broken off.
    pub readable_below: Option<Offset>,
    /// A newer view waits to be published.
    pub unpublished: Option<Arc<ReadView>>,
    /// The digest of its image, which the broker's own hash leaves out.
    pub image: u64,
    /// Whether its image is one that the controller had.
    pub image_is_a_prefix: bool,
}

/// What is on its way.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Links {
    /// Each broker's fetch.
    pub fetches: [Fetch; MAX_BROKERS],
    /// Each broker's proposed ISR.
    pub proposals: [Proposal; MAX_BROKERS],
    /// Fetches whose connection broke.
    pub delayed: Vec<(BrokerId, AskedFetch)>,
}

/// A follower's fetch, with the registration of the process that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskedFetch {
    /// What is asked.
    pub request: FetchRequest,
    /// By whom.
    pub broker_epoch: Option<BrokerEpoch>,
}

/// A connection from a follower to its leader.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub enum Fetch {
    /// Nothing is under way.
    #[default]
    Idle,
    /// On its way to the leader.
    Asked(AskedFetch),
    /// It waits at the leader until there is something to say.
    Parked(AskedFetch),
    /// The answer is on its way back.
    Answered(FetchRequest, FetchAnswer<Model>),
}

/// A connection from a leader to the controller.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub enum Proposal {
    /// Nothing is under way.
    #[default]
    Idle,
    /// On its way to the controller.
    Asked(BrokerEpoch, Vec<IsrChange>),
    /// The answer is on its way back.
    Answered(ProposalsOutcome),
}

/// What may still happen, as in the bounds of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the bound of the same name")]
pub struct Budget {
    pub records: u8,
    pub retries: u8,
    pub kills: u8,
    pub power_losses: u8,
    pub disk_losses: u8,
    pub disk_failures: u8,
    pub fences: u8,
    pub stops: u8,
    pub lags: u8,
    pub elections: u8,
    pub delays: u8,
    pub late_views: u8,
    pub timeouts: u8,
}

impl Hash for Budget {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { records, retries, kills, power_losses, disk_losses, disk_failures, .. } = self;
        (records, kills, power_losses, disk_losses, disk_failures).hash(state);
        let Self { fences, stops, lags, elections, delays, late_views, timeouts, .. } = self;
        (fences, stops, lags, elections, delays, late_views, timeouts).hash(state);
        sparse::hash(retries, state);
    }
}

/// A broker's place in [`State::nodes`].
pub fn index(broker: BrokerId) -> usize {
    usize::try_from(broker.0 - 1).unwrap_or(usize::MAX)
}

/// The broker at a place.
pub fn broker_at(index: usize) -> BrokerId {
    BrokerId(i32::try_from(index).unwrap_or(i32::MAX - 1) + 1)
}

impl State {
    /// One broker.
    pub fn node(&self, broker: BrokerId) -> &Node {
        &self.nodes[index(broker)]
    }

    /// One broker's process.
    pub fn process(&self, broker: BrokerId) -> Option<&Process> {
        self.nodes.get(index(broker))?.process.as_ref()
    }

    /// Every broker.
    pub fn brokers(&self) -> impl Iterator<Item = BrokerId> + use<> {
        (0..self.nodes.len()).map(broker_at)
    }

    /// The metadata as committed.
    pub fn image(&self) -> &Arc<Image> {
        self.controller.machine.committed().image()
    }
}

impl ControllerNode {
    /// The first offset after the log (exclusive).
    pub fn end(&self) -> Offset {
        self.machine.committed_end()
    }

    /// The offsets at which a delivery may end, above `after` (exclusive bounds, both).
    pub fn step_ends(&self, after: Offset) -> impl Iterator<Item = Offset> + '_ {
        let ends = (self.base.0 + 1..).map(Offset).zip(&self.log);
        ends.filter(move |(end, logged)| logged.ends_step && *end > after).map(|(end, _)| end)
    }
}

/// The ticket of whoever produced a record: it tells which record, and what was asked for.
pub fn ticket(value: u8, acks: Acks) -> Ticket {
    Ticket(u32::from(value) * 2 + u32::from(acks != Acks::All))
}

/// The record that a ticket is for.
pub fn value_of(ticket: Ticket) -> u8 {
    u8::try_from(ticket.0 / 2).unwrap_or(u8::MAX)
}

/// Whether its producer asked for acks=all.
pub fn asked_for_all(ticket: Ticket) -> bool {
    ticket.0 & 1 == 0
}
