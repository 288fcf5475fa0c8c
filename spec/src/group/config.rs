//! The broker's settings that a coordinator decides by.

use super::Millis;

/// Settings, with Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// "group.min.session.timeout.ms".
    pub min_session_timeout: Millis,
    /// "group.max.session.timeout.ms".
    pub max_session_timeout: Millis,
    /// "group.initial.rebalance.delay.ms".
    pub initial_rebalance_delay: Millis,
    /// How long a member may wait for its first JoinGroup to be answered: five minutes, and not a setting.
    pub new_member_join_timeout: Millis,
    /// "group.max.size": members of one group.
    pub max_size: u32,
    /// "group.consumer.session.timeout.ms".
    pub consumer_session_timeout: Millis,
    /// "group.consumer.heartbeat.interval.ms".
    pub consumer_heartbeat_interval: Millis,
    /// "group.consumer.max.size": members of one consumer group.
    pub consumer_max_size: u32,
    /// `offset.metadata.max.bytes`.
    pub max_offset_metadata: u32,
    /// "max.message.bytes" of `__consumer_offsets`: how large what is written at once may be, as
    /// [`Measured`](super::Measured) has it, in bytes.
    pub max_batch: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min_session_timeout: Millis(6_000),
            max_session_timeout: Millis(1_800_000),
            initial_rebalance_delay: Millis(3_000),
            new_member_join_timeout: Millis(300_000),
            max_size: u32::MAX,
            consumer_session_timeout: Millis(45_000),
            consumer_heartbeat_interval: Millis(5_000),
            consumer_max_size: u32::MAX,
            max_offset_metadata: 4_096,
            max_batch: 1_048_588,
        }
    }
}
