//! What machines know of a log: its ends and its epochs. The records themselves lie in the shell.
//!
//! Of the segments that a log is kept in, this decides when a new one begins ([`must_roll`]) and what of them stays
//! after a crash ([`LastRun`]), over summaries of them, and what cleaning leaves of a compacted log ([`clean`]). Not here:
//! retention.

pub mod clean;
mod epoch_cache;
mod recovery;
mod roll;
mod segment_recovery;

pub use epoch_cache::{EpochCache, EpochEnd, EpochEntry};
pub use recovery::{Found, Recovered, recover};
pub use roll::{ActiveSegment, Incoming, RollLimits, must_roll};
pub use segment_recovery::LastRun;

use crate::machine::{Carrier, Recast};
use crate::producer::Sequenced;
use crate::sparse;
use crate::values::{LeaderEpoch, Offset};
use std::hash::{Hash, Hasher};

/// The ends of one replica's log, and where each leader epoch in it began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogEnds {
    /// The first offset that can be read (inclusive).
    pub start: Offset,
    /// The offset that the next record will get (exclusive; Kafka's log end offset).
    pub end: Offset,
    /// Where each leader epoch began.
    pub epochs: EpochCache,
}

impl LogEnds {
    /// Notes that `count` records of `epoch` were appended at the end. The epoch must be noted before the records
    /// are, which is why the caller writes the epochs out first.
    pub fn appended(&mut self, epoch: LeaderEpoch, count: u32) {
        self.copied(self.end, epoch, count);
    }

    /// Notes that a batch of `epoch` was copied that takes `count` offsets from `base` on, which is not below the end.
    pub fn copied(&mut self, base: Offset, epoch: LeaderEpoch, count: u32) {
        self.epochs.assign(epoch, base);
        self.end = base.plus(count);
    }

    /// Cuts everything at and above `to`, which is not below the start, and what the epochs say of it.
    pub fn truncated(&mut self, to: Offset) {
        self.end = self.end.min(to);
        self.epochs.truncate_from_end(to);
    }
}

/// A batch at its place in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<C: Carrier> {
    /// The offset of its first record.
    pub base: Offset,
    /// How many offsets it takes.
    pub count: u32,
    /// The epoch of the leader that appended it.
    pub epoch: LeaderEpoch,
    /// Whose it is, if a producer with an id wrote it.
    pub producer: Option<Sequenced>,
    /// Its bytes.
    pub bytes: C::Bytes,
}

impl<C: Carrier> Hash for Batch<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { base, count, epoch, producer, bytes } = self;
        (base, count, epoch).hash(state);
        sparse::hash(producer, state);
        bytes.hash(state);
    }
}

impl<C: Carrier> Batch<C> {
    /// The offset after its last record (exclusive).
    #[must_use]
    pub fn end(&self) -> Offset {
        self.base.plus(self.count)
    }

    /// The same batch, handed on by another carrier.
    #[must_use]
    pub fn recast<D: Recast<C>>(&self) -> Batch<D> {
        let Self { base, count, epoch, producer, ref bytes } = *self;
        Batch { base, count, epoch, producer, bytes: D::bytes(bytes) }
    }
}
