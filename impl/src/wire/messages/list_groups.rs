//! ListGroups: the groups that a broker coordinates.

use crate::wire::table::message;

message! {
    /// Asks for the groups.
    ListGroupsRequest, versions 0-5, flexible 3+ {
        /// Empty: any.
        states_filter: Vec<String>, versions 4+;
        /// Empty: any.
        types_filter: Vec<String>, versions 5+;
    }
}

message! {
    /// The groups.
    ListGroupsResponse, versions 0-5, flexible 3+ {
        throttle_time_ms: i32, versions 1+;
        error_code: i16, versions 0+;
        groups: Vec<ListedGroup>, versions 0+;
    }
    /// One group.
    ListedGroup {
        group_id: String, versions 0+;
        protocol_type: String, versions 0+;
        group_state: String, versions 4+;
        group_type: String, versions 5+;
    }
}
