//! DescribeGroups: classic groups and their members.

use crate::wire::table::message;
use bytes::Bytes;

message! {
    /// Asks about groups.
    DescribeGroupsRequest, versions 0-6, flexible 5+ {
        groups: Vec<String>, versions 0+;
        include_authorized_operations: bool, versions 3+;
    }
}

message! {
    /// The groups.
    DescribeGroupsResponse, versions 0-6, flexible 5+ {
        throttle_time_ms: i32, versions 1+;
        groups: Vec<DescribedGroup>, versions 0+;
    }
    /// One group.
    DescribedGroup {
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 6+, nullable 6+, default None;
        group_id: String, versions 0+;
        group_state: String, versions 0+;
        protocol_type: String, versions 0+;
        protocol_data: String, versions 0+;
        members: Vec<DescribedGroupMember>, versions 0+;
        authorized_operations: i32, versions 3+, default i32::MIN;
    }
    /// One member.
    DescribedGroupMember {
        member_id: String, versions 0+;
        group_instance_id: Option<String>, versions 4+, nullable 4+, default None;
        client_id: String, versions 0+;
        client_host: String, versions 0+;
        member_metadata: Bytes, versions 0+;
        member_assignment: Bytes, versions 0+;
    }
}
