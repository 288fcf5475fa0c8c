//! What a topic's configuration says of its logs.

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
            record_flush_marks: false,
        }
    }
}
