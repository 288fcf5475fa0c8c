//! How logs are kept: the topic's configuration over the cluster's over the broker's.

use super::cluster::Cluster;
use crate::config::{NodeConfig, parse_ratio};
use crate::records::TimestampType;
use crate::storage::LogConfig;
use highwater_spec::controller::Config;
use highwater_spec::log::clean::CleaningLimits;
use highwater_spec::values::TopicId;

/// Kafka's default of `message.timestamp.after.max.ms`: an hour.
const TIMESTAMP_AFTER_MAX: i64 = 3_600_000;

/// The broker's defaults.
#[derive(Clone, Debug)]
pub struct LogConfigs {
    base: LogConfig,
    max_message_bytes: usize,
}

impl LogConfigs {
    /// What a broker's own configuration says.
    pub fn new(config: &NodeConfig) -> Self {
        let base = LogConfig {
            segment_bytes: config.log_segment_bytes,
            index_interval_bytes: config.log_index_interval_bytes,
            segment_index_bytes: config.log_index_size_max_bytes,
            compact: is_compact(&config.log_cleanup_policy),
            cleaning: CleaningLimits {
                min_dirty_ratio: config.log_cleaner_min_cleanable_ratio,
                min_lag_ms: config.log_cleaner_min_compaction_lag,
                max_lag_ms: config.log_cleaner_max_compaction_lag,
            },
            delete_retention_ms: config.log_cleaner_delete_retention,
            ..LogConfig::default()
        };
        Self { base, max_message_bytes: config.message_max_bytes as usize }
    }

    /// Those of a broker that is told nothing.
    #[cfg(test)]
    pub fn of_a_broker() -> Self {
        let mut settings = crate::config::Settings::default();
        for (name, value) in [("process.roles", "broker"), ("node.id", "1"), ("controller.quorum.voters", "9@c:9093")] {
            settings.add_flag(name, value);
        }
        Self::new(&NodeConfig::read(&settings).expect("a configuration"))
    }

    /// How the logs of a topic are kept.
    pub fn of(&self, topic: Option<&Config>, defaults: &Config) -> LogConfig {
        let text = |name: &str, broker: &str| {
            let of_topic = topic.and_then(|topic| topic.others.get(name));
            of_topic.or_else(|| defaults.others.get(broker)).map(|value| value.trim())
        };
        let set = |name: &str, broker: &str| text(name, broker).and_then(|value| value.parse::<u64>().ok());
        let millis = |name: &str, broker: &str| text(name, broker).and_then(|value| value.parse::<i64>().ok());
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let base = &self.base;
        LogConfig {
            segment_bytes: set("segment.bytes", "log.segment.bytes").map_or(base.segment_bytes, small),
            segment_ms: set("segment.ms", "log.roll.ms").unwrap_or(base.segment_ms),
            index_interval_bytes: set("index.interval.bytes", "log.index.interval.bytes")
                .map_or(base.index_interval_bytes, small),
            segment_index_bytes: set("segment.index.bytes", "log.index.size.max.bytes")
                .map_or(base.segment_index_bytes, small),
            compact: text("cleanup.policy", "log.cleanup.policy").map_or(base.compact, is_compact),
            cleaning: CleaningLimits {
                min_dirty_ratio: text("min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio")
                    .and_then(parse_ratio)
                    .unwrap_or(base.cleaning.min_dirty_ratio),
                min_lag_ms: millis("min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms")
                    .unwrap_or(base.cleaning.min_lag_ms),
                max_lag_ms: millis("max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms")
                    .unwrap_or(base.cleaning.max_lag_ms),
            },
            delete_retention_ms: millis("delete.retention.ms", "log.cleaner.delete.retention.ms")
                .unwrap_or(base.delete_retention_ms),
            ..base.clone()
        }
    }

    /// What a topic takes from its producers.
    pub fn produced_to(&self, cluster: &Cluster, topic: TopicId) -> ProducedTo {
        let set =
            |name: &str| cluster.topic(topic).and_then(|topic| topic.config.others.get(name)).map(|value| value.trim());
        ProducedTo {
            max_message_bytes: set("max.message.bytes")
                .and_then(|value| value.parse().ok())
                .unwrap_or(self.max_message_bytes),
            timestamps: match set("message.timestamp.type") {
                Some("LogAppendTime") => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_after_max: set("message.timestamp.after.max.ms")
                .and_then(|value| value.parse().ok())
                .unwrap_or(TIMESTAMP_AFTER_MAX),
            compacted: self.of(cluster.topic(topic).map(|topic| &topic.config), &cluster.image.defaults).compact,
        }
    }
}

fn is_compact(policies: &str) -> bool {
    policies.split(',').any(|policy| policy.trim() == "compact")
}

/// What a topic takes from its producers.
#[derive(Clone, Copy, Debug)]
pub struct ProducedTo {
    /// `max.message.bytes`: how large one batch may be, in bytes.
    pub max_message_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamps: TimestampType,
    /// `message.timestamp.after.max.ms`: how far ahead of the broker's clock a timestamp may be, in milliseconds.
    pub timestamp_after_max: i64,
    /// Whether the log is compacted, so that every record needs a key.
    pub compacted: bool,
}
