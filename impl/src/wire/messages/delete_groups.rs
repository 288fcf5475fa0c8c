//! DeleteGroups: groups go, with their offsets (KIP-229).

use crate::wire::table::message;

message! {
    /// Deletes groups.
    DeleteGroupsRequest, versions 0-2, flexible 2+ {
        groups_names: Vec<String>, versions 0+;
    }
}

message! {
    /// Which were deleted.
    DeleteGroupsResponse, versions 0-2, flexible 2+ {
        throttle_time_ms: i32, versions 0+;
        results: Vec<DeletableGroupResult>, versions 0+;
    }
    /// One group.
    DeletableGroupResult {
        group_id: String, versions 0+;
        error_code: i16, versions 0+;
    }
}
