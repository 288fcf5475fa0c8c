//! SyncGroup: the leader hands in the assignment of its generation, and every member fetches its own.

use crate::wire::table::message;
use bytes::Bytes;

message! {
    /// Hands in and asks for assignments.
    SyncGroupRequest, versions 0-5, flexible 4+ {
        group_id: String, versions 0+;
        generation_id: i32, versions 0+;
        member_id: String, versions 0+;
        group_instance_id: Option<String>, versions 3+, nullable 3+, default None;
        protocol_type: Option<String>, versions 5+, nullable 5+, default None;
        protocol_name: Option<String>, versions 5+, nullable 5+, default None;
        assignments: Vec<SyncGroupRequestAssignment>, versions 0+;
    }
    /// What the leader assigns to one member.
    SyncGroupRequestAssignment {
        member_id: String, versions 0+;
        assignment: Bytes, versions 0+;
    }
}

message! {
    /// The member's own assignment.
    SyncGroupResponse, versions 0-5, flexible 4+ {
        throttle_time_ms: i32, versions 1+;
        error_code: i16, versions 0+;
        protocol_type: Option<String>, versions 5+, nullable 5+, default None;
        protocol_name: Option<String>, versions 5+, nullable 5+, default None;
        assignment: Bytes, versions 0+;
    }
}
