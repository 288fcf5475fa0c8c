//! FindCoordinator: which broker coordinates a group or a transactional id; several at once since KIP-699.

use crate::wire::table::message;

message! {
    /// Asks who coordinates.
    FindCoordinatorRequest, versions 0-6, flexible 3+ {
        key: String, versions 0-3;
        /// 0: a group. 1: a transactional id. 2: a share group's partition.
        key_type: i8, versions 1+;
        coordinator_keys: Vec<String>, versions 4+;
    }
}

message! {
    /// Who does.
    FindCoordinatorResponse, versions 0-6, flexible 3+ {
        throttle_time_ms: i32, versions 1+;
        error_code: i16, versions 0-3;
        error_message: Option<String>, versions 1-3, nullable 1-3;
        node_id: i32, versions 0-3;
        host: String, versions 0-3;
        port: i32, versions 0-3;
        coordinators: Vec<Coordinator>, versions 4+;
    }
    /// One key.
    Coordinator {
        key: String, versions 4+;
        node_id: i32, versions 4+;
        host: String, versions 4+;
        port: i32, versions 4+;
        error_code: i16, versions 4+;
        error_message: Option<String>, versions 4+, nullable 4+;
    }
}
