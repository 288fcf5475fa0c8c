//! What one round of cleaning leaves of each batch.
//!
//! Source: Kafka's `Cleaner.cleanInto`, `Cleaner.shouldRetainRecord`, `MemoryRecords.filterTo`; KIP-534 for horizons,
//! KAFKA-17076 for the last batch.

use super::Latest;
use crate::producer::Producers;
use crate::rules::{CleanedEnd, Rules};
use crate::values::{Offset, ProducerId};
use std::collections::BTreeSet;

/// A batch that a cleaner comes across.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// The offset after its last one (exclusive).
    pub end: Offset,
    /// What is in it.
    pub kind: Kind,
    /// Whose it is, if a producer with an id wrote it.
    pub producer: Option<ProducerId>,
    /// From when on its tombstones may go, in milliseconds since 1970, if an earlier round has said so.
    pub delete_horizon: Option<i64>,
    /// Whether it is the last one of the segment that is being written.
    pub is_last: bool,
}

/// What is in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Records of which the last of each key counts.
    Data,
    /// Markers, or records of a transaction.
    Untouched,
}

/// What becomes of a batch. Whatever stays of it has the offsets that it had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It stays as it is.
    Stays,
    /// It is written anew.
    Rewritten {
        /// Of its records, in their order, whether each stays.
        stays: Vec<bool>,
        /// From when on its tombstones may go, in milliseconds since 1970.
        delete_horizon: Option<i64>,
    },
    /// Its header stays, without records.
    Emptied,
    /// Nothing of it stays.
    Goes,
}

/// One round.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a, K> {
    /// How decisions are taken.
    pub rules: &'a Rules,
    /// The last offset of each key.
    pub latest: &'a Latest<K>,
    /// The batches that say what is known of producers, [`kept_of_producers`].
    pub kept: &'a BTreeSet<(ProducerId, Offset)>,
    /// When it began, in milliseconds since 1970.
    pub now: i64,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
}

impl<K: Ord> Round<'_, K> {
    /// What becomes of a batch with these records: of each its offset, its key, and whether it is a tombstone.
    ///
    /// `log.clean.place`: whatever stays has its offset, and its batch the offsets that it took. `log.clean.untouched`:
    /// markers and records of transactions stay as they are.
    pub fn fate<'k>(&self, batch: &Found, records: impl IntoIterator<Item = (Offset, Option<&'k K>, bool)>) -> Fate
    where
        K: 'k,
    {
        if batch.kind == Kind::Untouched {
            return Fate::Stays;
        }
        let mut stays = Vec::new();
        let mut tombstones = false;
        for (offset, key, is_tombstone) in records {
            let kept =
                self.is_beyond(offset) || (self.is_latest(offset, key) && !(is_tombstone && self.has_passed(batch)));
            tombstones |= kept && is_tombstone;
            stays.push(kept);
        }
        if !stays.contains(&true) {
            return self.fate_of_empty(batch, stays.is_empty());
        }
        // `log.clean.horizon`: the first round that leaves a tombstone says when it may go.
        let begins = tombstones && batch.delete_horizon.is_none();
        if !begins && !stays.contains(&false) {
            return Fate::Stays;
        }
        let delete_horizon = match begins {
            true => Some(self.now.saturating_add(self.delete_retention_ms)),
            false => batch.delete_horizon,
        };
        Fate::Rewritten { stays, delete_horizon }
    }

    /// `log.clean.beyond`: further on than keys were looked for everything stays, tombstones too: what they delete may
    /// still be there.
    fn is_beyond(&self, offset: Offset) -> bool {
        offset >= self.latest.upto()
    }

    /// `log.clean.latest`: a record stays unless a later one has its key. `log.clean.keyless`: one without a key is
    /// outdated by nothing, and nothing can ask for it.
    fn is_latest(&self, offset: Offset, key: Option<&K>) -> bool {
        key.is_some_and(|key| self.latest.of(key).is_none_or(|latest| offset >= latest))
    }

    /// `log.clean.tombstone`: a tombstone stays until its batch's horizon.
    fn has_passed(&self, batch: &Found) -> bool {
        batch.delete_horizon.is_some_and(|horizon| self.now >= horizon)
    }

    /// `log.clean.producer`: what is known of a producer stays known. `log.clean.end`: how far the log goes stays known.
    fn fate_of_empty(&self, batch: &Found, was_empty: bool) -> Fate {
        let of_producer = batch.producer.is_some_and(|producer| self.kept.contains(&(producer, batch.end)));
        let ends_log = batch.is_last && self.rules.cleaned_end == CleanedEnd::Kept;
        match (of_producer || ends_log, was_empty) {
            (true, true) => Fate::Stays,
            (true, false) => Fate::Emptied,
            (false, _) => Fate::Goes,
        }
    }
}

/// The batches, by their producers and ends (exclusive), from which the next start learns what these producers wrote
/// last: the last one of each, and the last one that ends at or below `stable`, since what lies above may be cut.
#[must_use]
pub fn kept_of_producers(producers: &Producers, stable: Offset) -> BTreeSet<(ProducerId, Offset)> {
    let of_each = producers.iter().flat_map(|(id, producer)| {
        let stable = producer.batches().rev().find(|batch| batch.end <= stable);
        producer.last().into_iter().chain(stable).map(move |batch| (id, batch.end))
    });
    of_each.collect()
}
