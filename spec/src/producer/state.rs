//! What a partition remembers of its producers.
//!
//! Rules: `producer.state.*`. Source: Kafka's `ProducerStateEntry`, `ProducerStateManager`.

use super::{Sequence, Sequenced};
use crate::sparse;
use crate::values::{Offset, ProducerEpoch, ProducerId, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

/// A batch that is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Written {
    /// The number of its first record.
    pub first: Sequence,
    /// The number after its last record's (exclusive).
    pub next: Sequence,
    /// The offset of its first record.
    pub base: Offset,
    /// The offset after its last record (exclusive).
    pub end: Offset,
    /// The largest timestamp of its records.
    pub timestamp: Timestamp,
}

/// One producer, as one partition knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Producer {
    epoch: ProducerEpoch,
    /// Oldest first, at least one.
    batches: VecDeque<Written>,
}

/// The producers that a partition knows, by id.
///
/// `producer.state.fold`: what it knows is the fold of its log by [`Producers::appended`], so that whoever has the same
/// log knows the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producers(BTreeMap<ProducerId, Producer>);

impl Hash for Producers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        sparse::hash(&self.0, state);
    }
}

impl Written {
    /// The batch `sequenced` of `count` offsets at `base`.
    #[must_use]
    pub fn new(sequenced: &Sequenced, base: Offset, count: u32) -> Self {
        let Sequenced { first, timestamp, .. } = *sequenced;
        Self { first, next: first.plus(count), base, end: base.plus(count), timestamp }
    }

    /// The number of its last record (inclusive).
    #[must_use]
    pub fn last(&self) -> Sequence {
        self.next.plus(i32::MAX.unsigned_abs())
    }
}

impl Producer {
    /// `producer.state.window`: so many batches of a producer are known, which is as many as a client may have under
    /// way at once.
    pub const WINDOW: usize = 5;

    /// Its latest epoch.
    #[must_use]
    pub fn epoch(&self) -> ProducerEpoch {
        self.epoch
    }

    /// Its last batches, all of that epoch, oldest first.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &Written> + ExactSizeIterator {
        self.batches.iter()
    }

    /// Its last batch.
    #[must_use]
    pub fn last(&self) -> Option<&Written> {
        self.batches.back()
    }
}

impl Producers {
    /// What is known of one of them.
    #[must_use]
    pub fn get(&self, id: ProducerId) -> Option<&Producer> {
        self.0.get(&id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ProducerId, &Producer)> {
        self.0.iter().map(|(id, producer)| (*id, producer))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a batch that was appended, or is found in the log: in the order of the log, each once. The log is right, so
    /// that nothing is refused. `producer.state.epoch`: of an epoch that is over, no batch is known.
    pub fn appended(&mut self, sequenced: &Sequenced, base: Offset, count: u32) {
        let fresh = || Producer { epoch: sequenced.epoch, batches: VecDeque::new() };
        let producer = self.0.entry(sequenced.producer).or_insert_with(fresh);
        if producer.epoch != sequenced.epoch {
            *producer = fresh();
        }
        if producer.batches.len() == Producer::WINDOW {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Written::new(sequenced, base, count));
    }

    /// Whether it remembers a batch that reaches past `end` (exclusive): then it is not the fold of a log that ends
    /// there.
    #[must_use]
    pub fn reach_past(&self, end: Offset) -> bool {
        self.0.values().any(|producer| producer.last().is_some_and(|last| last.end > end))
    }

    /// `producer.state.expire`: forgets a producer that has written nothing for a long time
    /// (`producer.id.expiration.ms`).
    pub fn expire(&mut self, id: ProducerId) {
        self.0.remove(&id);
    }
}
