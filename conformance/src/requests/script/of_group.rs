//! Requests about one group go to whoever coordinates it.

use super::{Session, SessionError};
use highwater::wire::RequestMessage;
use highwater::wire::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, DeleteGroupsRequest, DescribeGroupsRequest,
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest, SyncGroupRequest,
};

/// A request about one group.
pub trait OfGroup: RequestMessage {
    /// Which.
    fn group(&self) -> &str;
}

macro_rules! of_group {
    ($($request:ident: $group:expr;)*) => {
        $(impl OfGroup for $request {
            fn group(&self) -> &str {
                let group: fn(&Self) -> &str = $group;
                group(self)
            }
        })*
    };
}

of_group! {
    JoinGroupRequest: |request| &request.group_id;
    SyncGroupRequest: |request| &request.group_id;
    HeartbeatRequest: |request| &request.group_id;
    LeaveGroupRequest: |request| &request.group_id;
    OffsetCommitRequest: |request| &request.group_id;
    OffsetFetchRequest: |request| &request.group_id;
    OffsetDeleteRequest: |request| &request.group_id;
    DescribeGroupsRequest: |request| request.groups.first().map_or("", String::as_str);
    ConsumerGroupHeartbeatRequest: |request| &request.group_id;
    ConsumerGroupDescribeRequest: |request| request.group_ids.first().map_or("", String::as_str);
    DeleteGroupsRequest: |request| request.groups_names.first().map_or("", String::as_str);
}

/// Asks the group's coordinator, and keeps what comes of it.
pub fn ask<R: OfGroup>(session: &mut Session, case: &str, version: i16, request: &R) -> Option<R::Response> {
    let coordinator = known(session, request.group());
    session.ask_broker(coordinator, case, version, request)
}

/// Asks a broker that does not coordinate the group.
pub fn ask_other<R: OfGroup>(session: &mut Session, case: &str, version: i16, request: &R) -> Option<R::Response> {
    let coordinator = known(session, request.group());
    session.ask_broker(session.other_broker(coordinator), case, version, request)
}

/// No broker has the number that stands for none: the case then tells that nobody could be asked.
fn known(session: &mut Session, group: &str) -> i32 {
    let found: Result<i32, SessionError> = session.coordinator(group);
    found.unwrap_or(-1)
}
