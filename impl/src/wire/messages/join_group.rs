//! JoinGroup: a member asks for its place in the next generation of a classic group.

use crate::wire::table::message;
use bytes::Bytes;

message! {
    /// Asks to be a member.
    JoinGroupRequest, versions 0-9, flexible 6+ {
        group_id: String, versions 0+;
        /// How long the coordinator waits for a sign of life.
        session_timeout_ms: i32, versions 0+;
        /// How long it waits for the member to join again.
        rebalance_timeout_ms: i32, versions 1+, default -1;
        member_id: String, versions 0+;
        group_instance_id: Option<String>, versions 5+, nullable 5+, default None;
        protocol_type: String, versions 0+;
        protocols: Vec<JoinGroupRequestProtocol>, versions 0+;
        reason: Option<String>, versions 8+, nullable 8+, default None;
    }
    /// A way of assigning partitions that the member knows, best first.
    JoinGroupRequestProtocol {
        name: String, versions 0+;
        metadata: Bytes, versions 0+;
    }
}

message! {
    /// The generation, and for its leader all members.
    JoinGroupResponse, versions 0-9, flexible 6+ {
        throttle_time_ms: i32, versions 2+;
        error_code: i16, versions 0+;
        generation_id: i32, versions 0+, default -1;
        protocol_type: Option<String>, versions 7+, nullable 7+, default None;
        protocol_name: Option<String>, versions 0+, nullable 7+;
        leader: String, versions 0+;
        /// The leader need not assign anything: what there is stays (KIP-814).
        skip_assignment: bool, versions 9+;
        member_id: String, versions 0+;
        members: Vec<JoinGroupResponseMember>, versions 0+;
    }
    /// One member.
    JoinGroupResponseMember {
        member_id: String, versions 0+;
        group_instance_id: Option<String>, versions 5+, nullable 5+, default None;
        metadata: Bytes, versions 0+;
    }
}
