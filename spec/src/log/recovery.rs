//! What a replica believes of its log when it starts again.
//!
//! Rules: `log.recovery.*`. Source: Kafka's `LogLoader`, `UnifiedLog`.

use super::{EpochCache, LogEnds};
use crate::marks::guard;
use crate::producer::Producers;
use crate::values::Offset;

/// What lies on the disk at a start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// The first offset that can be read (inclusive).
    pub start: Offset,
    /// The offset after the last valid record (exclusive), found by scanning past the recovery point.
    pub end: Offset,
    /// The epoch checkpoint. It is written before records are, so it may run ahead of them.
    pub epochs: EpochCache,
    /// The high-watermark checkpoint, written now and then, so that it may lag or name what a power loss took.
    pub high_watermark: Offset,
    /// What the batches say of their producers: the fold of the log.
    pub producers: Producers,
}

/// A log that may be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recovered {
    /// Its ends and epochs.
    pub log: LogEnds,
    /// The first offset not known to be committed (exclusive).
    pub high_watermark: Offset,
    /// The producers that have written to it.
    pub producers: Producers,
}

/// `log.recovery.epochs`, `log.recovery.hw`: the records decide; epochs that ran ahead of them go, and the high
/// watermark lies within them.
#[must_use]
pub fn recover(found: Found) -> Recovered {
    let end = found.end.max(found.start);
    guard!("log.recovery.hw", found.high_watermark > end);
    let mut epochs = found.epochs;
    guard!("log.recovery.epochs", epochs.entries().last().is_some_and(|last| last.start >= end));
    epochs.truncate_from_end(end);
    epochs.truncate_from_start(found.start);
    Recovered {
        high_watermark: found.high_watermark.clamp(found.start, end),
        log: LogEnds { start: found.start, end, epochs },
        producers: found.producers,
    }
}
