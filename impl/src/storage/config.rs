//! What a topic's configuration says of its logs.

use highwater_spec::log::clean::{CleaningLimits, Ratio};

/// How a log is kept. Each field is the topic property of its name; the defaults are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: no segment grows past it, except one of a single batch that is larger.
    pub segment_bytes: u32,
    /// `segment.ms`: how much time a segment spans at most.
    pub segment_ms: u64,
    /// `index.interval.bytes`: how many bytes of batches lie between two entries of an index, at least.
    pub index_interval_bytes: u32,
    /// `segment.index.bytes`: how large an index may grow.
    pub segment_index_bytes: u32,
    /// `cleanup.policy` has `compact` in it: of each key the last record stays.
    pub compact: bool,
    /// `min.cleanable.dirty.ratio`, `min.compaction.lag.ms`, `max.compaction.lag.ms`: when a compacted log is cleaned.
    pub cleaning: CleaningLimits,
    /// `delete.retention.ms`: how long a tombstone stays after the first round of cleaning that leaves it.
    pub delete_retention_ms: i64,
    /// Not Kafka's: writes beside each log how far it was flushed, for [`super::power_cut()`] to know.
    pub record_flush_marks: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            index_interval_bytes: 4096,
            segment_index_bytes: 10 << 20,
            compact: false,
            cleaning: CleaningLimits { min_dirty_ratio: Ratio(500_000), min_lag_ms: 0, max_lag_ms: i64::MAX },
            delete_retention_ms: 24 * 60 * 60 * 1000,
            record_flush_marks: false,
        }
    }
}
