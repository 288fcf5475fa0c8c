//! The last offset of each key in the dirty part of a log.
//!
//! Source: Kafka's `Cleaner.buildOffsetMap`, `OffsetMap`. Kafka keeps 16 bytes of a hash of each key; here it is the key.

use crate::values::Offset;
use std::collections::BTreeMap;

/// What a key costs beside its own bytes: the offset, and its place.
const BESIDE_KEY: u64 = 64;

/// The last offset of each key, as far as the dirty part has been read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Latest<K> {
    offsets: BTreeMap<K, Offset>,
    /// The first offset that counts (inclusive).
    from: Offset,
    /// Everything below has been read (exclusive).
    upto: Offset,
    room: u64,
    taken: u64,
}

impl<K: Ord> Latest<K> {
    /// Nothing read yet of what begins at `from` (inclusive), with so many bytes of room.
    #[must_use]
    pub fn new(from: Offset, room: u64) -> Self {
        Self { offsets: BTreeMap::new(), from, upto: from, room, taken: 0 }
    }

    /// `log.clean.room`: when there is no room left, the round ends here. One batch always fits, so that each round
    /// comes further.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.taken >= self.room
    }

    /// Reads the next batch, which ends at `end` (exclusive): the offset of each of its records that has a key, with the
    /// key and the bytes that it takes. For a batch that outdates nothing, none.
    pub fn note(&mut self, end: Offset, records: impl IntoIterator<Item = (Offset, K, usize)>) {
        for (offset, key, size) in records {
            if offset >= self.from && self.offsets.insert(key, offset).is_none() {
                self.taken = self.taken.saturating_add(BESIDE_KEY).saturating_add(size as u64);
            }
        }
        self.upto = self.upto.max(end);
    }

    /// Everything up to `upto` (exclusive) has been read, though no batch ends there.
    pub fn reach(&mut self, upto: Offset) {
        self.upto = self.upto.max(upto);
    }

    /// Everything below has been read (exclusive): the next round goes on here.
    #[must_use]
    pub fn upto(&self) -> Offset {
        self.upto
    }

    /// The last offset of a key, if it was met.
    #[must_use]
    pub fn of(&self, key: &K) -> Option<Offset> {
        self.offsets.get(key).copied()
    }
}
