//! Heartbeat: a member of a classic group is alive, and asks whether its generation still is.

use crate::wire::table::message;

message! {
    /// A sign of life.
    HeartbeatRequest, versions 0-4, flexible 4+ {
        group_id: String, versions 0+;
        generation_id: i32, versions 0+;
        member_id: String, versions 0+;
        group_instance_id: Option<String>, versions 3+, nullable 3+, default None;
    }
}

message! {
    /// Whether the generation stands.
    HeartbeatResponse, versions 0-4, flexible 4+ {
        throttle_time_ms: i32, versions 1+;
        error_code: i16, versions 0+;
    }
}
