//! What a node is told at start, under Kafka's names, with Kafka's types and defaults.
//!
//! A setting comes from a properties file, the environment or a flag; a later one of these wins ([`Settings`]). Where a
//! default or a meaning is not Kafka's, its description says so. Not here: settings of single topics, and those that
//! can be changed while a broker runs. Source: Kafka's `AbstractKafkaConfig`, `KafkaConfig`, `LogConfig` (4.1).

mod error;
mod network;
mod properties;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use error::ConfigError;
pub use network::{BrokerListener, Endpoint, Listener, Network, Quorum};
pub use settings::{Settings, Source, UnknownSetting};
pub(crate) use value::parse_ratio;

use highwater_spec::log::clean::Ratio;
use highwater_spec::values::BrokerId;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use value::{boolean, bytes, cleanup_policy, directory, millis, node_id, optional_text, process_roles, ratio, whole};

/// The name of a setting, and what a user is told about it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Kafka's name.
    pub name: &'static str,
    /// What holds if nobody sets it; `None`: it must be set.
    pub default: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
}

impl Key {
    /// The environment variable that sets it: `HIGHWATER_NODE_ID` for `node.id`.
    #[must_use]
    pub fn variable(&self) -> String {
        settings::variable(self.name)
    }
}

/// What a process of the cluster does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// It keeps partitions and serves clients.
    pub broker: bool,
    /// It keeps the cluster's metadata.
    pub controller: bool,
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.broker, self.controller) {
            (true, true) => "broker,controller",
            (_, true) => "controller",
            _ => "broker",
        })
    }
}

/// One row per setting that stands for itself: field, type, name, default, what is allowed.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $name:literal $(or $default:literal)?, $parse:expr;)+) => {
        /// Everything that a node is told at start. Made by [`NodeConfig::read`].
        #[derive(Clone, Debug, PartialEq)]
        pub struct NodeConfig {
            /// Where this node listens and where it finds the controller.
            pub network: Network,
            given: BTreeMap<String, String>,
            $($(#[doc = $doc])+ #[doc = ""] #[doc = concat!("`", $name, "`")] pub $field: $type,)+
        }

        const SINGLE: &[Key] = &[$(Key {
            name: $name,
            default: settings!(@default $($default)?),
            meaning: concat!($($doc),+),
        }),+];

        impl NodeConfig {
            /// Reads and checks the settings.
            ///
            /// # Errors
            ///
            /// If a required setting is missing, a value is malformed, settings contradict each other, or a flag names
            /// a setting that doesn't exist.
            pub fn read(settings: &Settings) -> Result<Self, ConfigError> {
                settings.refuse_unknown_flags()?;
                Ok(Self {
                    $($field: settings.read($name, settings!(@default $($default)?), $parse)?,)+
                    network: Network::read(settings)?,
                    given: settings.values(),
                })
            }

            /// What the user set `name` to, as text.
            #[must_use]
            pub fn given(&self, name: &str) -> Option<&str> {
                self.given.get(name).map(String::as_str)
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

settings! {
    /// This node's number, which no other node of the cluster has.
    node_id: BrokerId = "node.id", node_id;
    /// What this node does: `broker`, `controller` or both, with a comma between.
    process_roles: Roles = "process.roles", process_roles;
    /// The rack that this broker stands in; empty: none.
    broker_rack: Option<String> = "broker.rack" or "", optional_text;
    /// The directory for this node's files. One only; `log.dir` is its other name. The default is not Kafka's.
    log_dirs: PathBuf = "log.dirs" or "/tmp/highwater-logs", directory;
    /// How many threads (shards) serve the partitions of this broker.
    num_io_threads: usize = "num.io.threads" or "8", whole(1..=1024);

    /// Partitions of a topic whose creator names no number.
    num_partitions: i32 = "num.partitions" or "1", whole(1..=i32::MAX.into());
    /// Replicas of a partition whose creator names no number.
    default_replication_factor: i16 = "default.replication.factor" or "1", whole(1..=i16::MAX.into());
    /// How many replicas must be in sync for a record with acks=all to be accepted.
    min_insync_replicas: i32 = "min.insync.replicas" or "1", whole(1..=i32::MAX.into());
    /// Whether asking for a topic that doesn't exist may create it.
    auto_create_topics_enable: bool = "auto.create.topics.enable" or "true", boolean;
    /// Whether a replica that may lack acknowledged records may lead when no other can.
    unclean_leader_election_enable: bool = "unclean.leader.election.enable" or "false", boolean;

    /// Bytes after which a log begins a new segment.
    log_segment_bytes: u32 = "log.segment.bytes" or "1073741824", bytes(1 << 20);
    /// Bytes of a segment between two entries of its index.
    log_index_interval_bytes: u32 = "log.index.interval.bytes" or "4096", bytes(0);
    /// The most bytes of a segment's index.
    log_index_size_max_bytes: u32 = "log.index.size.max.bytes" or "10485760", bytes(4);
    /// The most bytes of one record batch, its header included.
    message_max_bytes: u32 = "message.max.bytes" or "1048588", bytes(0);
    /// How logs are kept whose topic doesn't say: `delete`, `compact` or both, with a comma between.
    log_cleanup_policy: String = "log.cleanup.policy" or "delete", cleanup_policy;
    /// Whether compacted logs are cleaned.
    log_cleaner_enable: bool = "log.cleaner.enable" or "true", boolean;
    /// Milliseconds between two looks for logs to clean.
    log_cleaner_backoff: Duration = "log.cleaner.backoff.ms" or "15000", millis(0);
    /// The most bytes that the keys of one round of cleaning may take.
    log_cleaner_dedupe_buffer_size: u64 = "log.cleaner.dedupe.buffer.size" or "134217728", whole(1..=i64::MAX);
    /// The part of a compacted log that must be dirty before it is cleaned, from 0 to 1.
    log_cleaner_min_cleanable_ratio: Ratio = "log.cleaner.min.cleanable.ratio" or "0.5", ratio;
    /// Milliseconds that a tombstone stays after the first round of cleaning that leaves it.
    log_cleaner_delete_retention: i64 = "log.cleaner.delete.retention.ms" or "86400000", whole(0..=i64::MAX);
    /// Milliseconds for which a record is not cleaned away.
    log_cleaner_min_compaction_lag: i64 = "log.cleaner.min.compaction.lag.ms" or "0", whole(0..=i64::MAX);
    /// Milliseconds after which a compacted log is cleaned however little of it is dirty.
    log_cleaner_max_compaction_lag: i64 =
        "log.cleaner.max.compaction.lag.ms" or "9223372036854775807", whole(1..=i64::MAX);
    /// Milliseconds after which a producer that has written nothing to a partition is forgotten there.
    producer_id_expiration: Duration = "producer.id.expiration.ms" or "86400000", millis(1);
    /// Milliseconds between two looks for such producers.
    producer_id_expiration_check_interval: Duration =
        "producer.id.expiration.check.interval.ms" or "600000", millis(1);
    /// Milliseconds between two notes of how far each log is known to be on disk.
    log_flush_offset_checkpoint_interval: Duration = "log.flush.offset.checkpoint.interval.ms" or "60000", millis(0);
    /// Milliseconds between two notes of the high watermarks.
    replica_high_watermark_checkpoint_interval: Duration =
        "replica.high.watermark.checkpoint.interval.ms" or "5000", millis(1);

    /// Partitions of `__consumer_offsets`, where groups are kept.
    offsets_topic_num_partitions: i32 = "offsets.topic.num.partitions" or "50", whole(1..=i32::MAX.into());
    /// Replicas of each of its partitions. -1, which is not Kafka's default: 3, or as many as there are brokers.
    offsets_topic_replication_factor: i16 = "offsets.topic.replication.factor" or "-1", whole(-1..=i16::MAX.into());
    /// Bytes after which its logs begin a new segment.
    offsets_topic_segment_bytes: u32 = "offsets.topic.segment.bytes" or "104857600", bytes(1 << 20);
    /// Minutes that an offset is kept after its group has lost its last member.
    offsets_retention_minutes: i64 = "offsets.retention.minutes" or "10080", whole(1..=i32::MAX.into());
    /// Milliseconds between two looks for offsets that are not kept any longer.
    offsets_retention_check_interval: Duration = "offsets.retention.check.interval.ms" or "600000", millis(1);
    /// Milliseconds that a write to it may take before the client hears that it is not known to have succeeded.
    offsets_commit_timeout: Duration = "offsets.commit.timeout.ms" or "5000", millis(1);
    /// The most characters that a client may keep beside an offset.
    offset_metadata_max_bytes: u32 = "offset.metadata.max.bytes" or "4096", bytes(0);
    /// The least milliseconds that a member of a group may ask to be silent for.
    group_min_session_timeout: i32 = "group.min.session.timeout.ms" or "6000", whole(0..=i32::MAX.into());
    /// The most milliseconds that a member of a group may ask to be silent for.
    group_max_session_timeout: i32 = "group.max.session.timeout.ms" or "1800000", whole(0..=i32::MAX.into());
    /// Milliseconds that an empty group waits for more members after the first.
    group_initial_rebalance_delay: i32 = "group.initial.rebalance.delay.ms" or "3000", whole(0..=i32::MAX.into());
    /// The most members of a group.
    group_max_size: u32 = "group.max.size" or "2147483647", whole(1..=i32::MAX.into());
    /// Milliseconds that a member of a group of the consumer protocol may be silent for.
    group_consumer_session_timeout: i32 = "group.consumer.session.timeout.ms" or "45000", whole(1..=i32::MAX.into());
    /// Milliseconds after which such a member is to be heard of again.
    group_consumer_heartbeat_interval: i32 =
        "group.consumer.heartbeat.interval.ms" or "5000", whole(1..=i32::MAX.into());
    /// The most members of such a group.
    group_consumer_max_size: u32 = "group.consumer.max.size" or "2147483647", whole(1..=i32::MAX.into());

    /// The most bytes of records in the answer to one fetch. A larger batch still comes, alone.
    fetch_max_bytes: u32 = "fetch.max.bytes" or "57671680", bytes(1024);
    /// The most bytes of one request.
    socket_request_max_bytes: u32 = "socket.request.max.bytes" or "104857600", bytes(1);
    /// Milliseconds that a connection may say nothing before it is closed.
    connections_max_idle: Duration = "connections.max.idle.ms" or "600000", millis(1);
    /// How many requests of one connection may be under way; further ones stay in the socket. Not Kafka's.
    queued_max_requests_per_connection: usize = "queued.max.requests.per.connection" or "64", whole(1..=65_536);
    /// How many bytes of requests of one connection may be under way. One is always taken. Not Kafka's.
    queued_max_bytes_per_connection: u32 = "queued.max.bytes.per.connection" or "16777216", bytes(1);

    /// Milliseconds that a follower may lag before it leaves the ISR.
    replica_lag_time_max: Duration = "replica.lag.time.max.ms" or "30000", millis(1);
    /// Milliseconds that a follower's fetch may wait for records.
    replica_fetch_wait_max: Duration = "replica.fetch.wait.max.ms" or "500", millis(0);
    /// Bytes that a follower asks for from each partition. A larger batch still comes, alone.
    replica_fetch_max_bytes: u32 = "replica.fetch.max.bytes" or "1048576", bytes(0);
    /// Bytes that a follower asks for in one fetch. A larger batch still comes, alone.
    replica_fetch_response_max_bytes: u32 = "replica.fetch.response.max.bytes" or "10485760", bytes(0);
    /// Milliseconds that a follower waits after a fetch that failed.
    replica_fetch_backoff: Duration = "replica.fetch.backoff.ms" or "1000", millis(0);
    /// Milliseconds between two heartbeats of a broker.
    broker_heartbeat_interval: Duration = "broker.heartbeat.interval.ms" or "2000", millis(1);
    /// Milliseconds without a heartbeat after which the controller fences a broker.
    broker_session_timeout: Duration = "broker.session.timeout.ms" or "9000", millis(1);
}

/// All settings, in the order in which to explain them.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SINGLE.iter().chain(network::KEYS)
}
