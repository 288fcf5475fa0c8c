//! BrokerHeartbeat: a broker stays registered, and asks to be fenced, unfenced or let go (KIP-631).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Says that the broker lives, and what it wants.
    BrokerHeartbeatRequest, versions 0-1, flexible 0+ {
        broker_id: i32, versions 0+;
        broker_epoch: i64, versions 0+, default -1;
        /// The last offset of the metadata log that the broker has applied (inclusive).
        current_metadata_offset: i64, versions 0+;
        want_fence: bool, versions 0+;
        want_shut_down: bool, versions 0+;
        offline_log_dirs: Vec<Uuid>, versions 1+, tag 0;
    }
}

message! {
    /// What the controller makes of the broker.
    BrokerHeartbeatResponse, versions 0-1, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        is_caught_up: bool, versions 0+;
        is_fenced: bool, versions 0+, default true;
        should_shut_down: bool, versions 0+;
    }
}
