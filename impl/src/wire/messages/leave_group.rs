//! LeaveGroup: members go; several at once since KIP-345.

use crate::wire::table::message;

message! {
    /// Members that go.
    LeaveGroupRequest, versions 0-5, flexible 4+ {
        group_id: String, versions 0+;
        member_id: String, versions 0-2;
        members: Vec<MemberIdentity>, versions 3+;
    }
    /// One member.
    MemberIdentity {
        member_id: String, versions 3+;
        group_instance_id: Option<String>, versions 3+, nullable 3+, default None;
        reason: Option<String>, versions 5+, nullable 5+, default None;
    }
}

message! {
    /// Which of them have gone.
    LeaveGroupResponse, versions 0-5, flexible 4+ {
        throttle_time_ms: i32, versions 1+;
        error_code: i16, versions 0+;
        members: Vec<MemberResponse>, versions 3+;
    }
    /// One member.
    MemberResponse {
        member_id: String, versions 3+;
        group_instance_id: Option<String>, versions 3+, nullable 3+;
        error_code: i16, versions 3+;
    }
}
