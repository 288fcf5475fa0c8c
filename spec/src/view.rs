//! A cluster as properties see it: one partition, every copy of it, what the controller says, and what was promised.
//!
//! A model fills it in from its state, a conformance run from what it observed.

use crate::controller::Image;
use crate::log::EpochCache;
use crate::producer::{Producers, Sequenced};
use crate::sparse;
use crate::values::{BrokerEpoch, BrokerId, Brokers, LeaderEpoch, Offset, PartitionEpoch, TopicPartition};
use std::hash::{Hash, Hasher};

/// One moment of a cluster.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The partition that is looked at.
    pub partition: TopicPartition,
    /// The metadata as committed.
    pub metadata: &'a Image,
    /// The first metadata offset that is not committed (exclusive).
    pub metadata_end: Offset,
    /// Every broker's copy, running or not.
    pub replicas: &'a [ReplicaView<'a>],
    /// The values that producers with ids have sent or will, each with its number, in the order in which one producer
    /// numbers them.
    pub sequenced: &'a [(u64, Sequenced)],
    /// What happened before.
    pub history: &'a History,
}

/// One broker and its copy.
#[derive(Clone, Debug)]
pub struct ReplicaView<'a> {
    /// Which.
    pub broker: BrokerId,
    /// The records on its disk, from `log_start` on, one entry an offset.
    pub log: &'a [Entry],
    /// The first offset that can be read (inclusive).
    pub log_start: Offset,
    /// What its process believes; `None` when it does not run.
    pub running: Option<Running<'a>>,
}

/// What a running broker believes.
#[derive(Clone, Debug)]
pub struct Running<'a> {
    /// Its present registration.
    pub broker_epoch: Option<BrokerEpoch>,
    /// The metadata as far as it has heard.
    pub image: &'a Image,
    /// The first metadata offset that it has not heard (exclusive).
    pub metadata_end: Offset,
    /// Whether the image it holds is the one that the controller had at that offset.
    pub image_is_a_prefix: bool,
    /// Its copy of the partition, if it has opened it.
    pub replica: Option<Belief<'a>>,
}

/// What a replica believes.
#[derive(Clone, Debug)]
pub struct Belief<'a> {
    /// The first offset that can be read (inclusive).
    pub log_start: Offset,
    /// The log end offset (exclusive).
    pub log_end: Offset,
    /// The high watermark (exclusive).
    pub high_watermark: Offset,
    /// Where each epoch began.
    pub epochs: &'a EpochCache,
    /// What it knows of producers with ids.
    pub producers: &'a Producers,
    /// The leader epoch in force.
    pub leader_epoch: Option<LeaderEpoch>,
    /// The partition epoch in force.
    pub partition_epoch: Option<PartitionEpoch>,
    /// The ISR as last confirmed and at its largest, if it leads.
    pub leads: Option<(Brokers, Brokers)>,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The epoch of the leader that appended it.
    pub epoch: LeaderEpoch,
    /// What it says: a value that no other record has.
    pub value: u64,
}

/// What was promised, and what went wrong on the way. Whoever watches the cluster keeps it; it is part of no machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct History {
    /// The values acknowledged with acks=all, sorted.
    pub acknowledged: Vec<u64>,
    /// The values acknowledged with acks=1, sorted.
    pub acknowledged_by_leader: Vec<u64>,
    /// Every record that was ever below the high watermark of a replica that led, from offset 0 on: whatever a
    /// consumer may have read.
    pub committed: Vec<Entry>,
    /// A leader exposed another record than the one that was already committed at its offset.
    pub rewritten: Option<Offset>,
    /// A replica that might have been elected cut a committed record.
    pub cut: Option<Offset>,
    /// A leader's high watermark went back while its leadership lasted.
    pub went_back: bool,
    /// A partition's or a broker's epoch went back, or stood still though its state changed.
    pub epoch_reused: bool,
    /// Someone was told what was not committed, and might never have been.
    pub unfounded_answer: bool,
    /// A leader was elected that was not active, or neither in sync nor eligible, by an election that was clean.
    pub bad_election: Option<BrokerId>,
    /// How many brokers have lost records that they had written: power losses that took some, and lost disks.
    pub lossy_crashes: u8,
    /// How many leaders were elected uncleanly, last known leaders included.
    pub unclean_elections: u8,
    /// A value that a leader had, or that came next, and of which it told the producer that it does not follow on the one
    /// before.
    pub denied: Option<u64>,
}

impl Hash for History {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { acknowledged, acknowledged_by_leader, committed, rewritten, cut, went_back, .. } = self;
        (acknowledged, acknowledged_by_leader, committed, rewritten, cut, went_back).hash(state);
        let Self { epoch_reused, unfounded_answer, bad_election, lossy_crashes, unclean_elections, denied, .. } = self;
        (epoch_reused, unfounded_answer, bad_election, lossy_crashes, unclean_elections).hash(state);
        sparse::hash(denied, state);
    }
}

impl View<'_> {
    /// `min.insync.replicas` of the partition's topic.
    #[must_use]
    pub fn min_insync_replicas(&self) -> usize {
        self.metadata.min_insync_replicas(self.partition.topic)
    }

    /// The replica that leads by the committed metadata and knows it, if there is one.
    #[must_use]
    pub fn true_leader(&self) -> Option<(&ReplicaView<'_>, &Belief<'_>)> {
        let partition = self.metadata.partition(self.partition)?;
        let leader = self.replicas.iter().find(|replica| Some(replica.broker) == partition.leader)?;
        let belief = leader.running.as_ref()?.replica.as_ref()?;
        (belief.leads.is_some() && belief.leader_epoch == Some(partition.leader_epoch)).then_some((leader, belief))
    }

    /// Every replica that runs and has opened its log.
    pub fn beliefs(&self) -> impl Iterator<Item = (&ReplicaView<'_>, &Belief<'_>)> {
        self.replicas.iter().filter_map(|replica| Some((replica, replica.running.as_ref()?.replica.as_ref()?)))
    }
}

impl ReplicaView<'_> {
    /// The record at `offset`.
    #[must_use]
    pub fn at(&self, offset: Offset) -> Option<&Entry> {
        usize::try_from(offset.0.checked_sub(self.log_start.0)?).ok().and_then(|index| self.log.get(index))
    }

    /// Whether the log holds every record of `records`, which begin at offset 0, at its place. What lies before the
    /// log's start has been deleted on purpose.
    #[must_use]
    pub fn holds(&self, records: &[Entry]) -> bool {
        let deleted = usize::try_from(self.log_start.0).unwrap_or(0).min(records.len());
        records[deleted..].iter().enumerate().all(|(index, entry)| self.log.get(index) == Some(entry))
    }
}
