//! Groups: the life of a member in every version, and what is refused to whom.
//!
//! Not here: several members at once. What each of them hears depends on the others: see the clients.

use super::{Session, SessionError, ends, of_group};
use bytes::Bytes;
use highwater::wire::messages::join_group::{JoinGroupRequestProtocol, JoinGroupResponse};
use highwater::wire::messages::leave_group::MemberIdentity;
use highwater::wire::messages::sync_group::SyncGroupRequestAssignment;
use highwater::wire::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest,
    LeaveGroupRequest, ListGroupsRequest, SyncGroupRequest,
};
use highwater::wire::{Message, RequestMessage};

const MEMBER_ID_REQUIRED: i16 = 79;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    // From here on, whoever looks for a coordinator finds one.
    session.coordinator("")?;
    find_coordinator(session);
    for version in JoinGroupRequest::VERSIONS.iter() {
        life(session, version);
    }
    for version in ends(JoinGroupRequest::VERSIONS).into_iter().chain([4, 5]) {
        no_member(session, version);
    }
    refused(session);
    static_member(session);
    too_much(session);
    unknown_groups(session);
    Ok(())
}

fn find_coordinator(session: &mut Session) {
    let of = |key: &str, key_type| FindCoordinatorRequest {
        key: key.to_owned(),
        key_type,
        coordinator_keys: vec![key.to_owned()],
    };
    for version in FindCoordinatorRequest::VERSIONS.iter() {
        session.ask("coordinator of a group", version, &of(&session.name("group"), 0));
        session.ask("coordinator of a group without a name", version, &of("", 0));
        if version > 0 {
            for kind in [3, -1, i8::MAX] {
                session.ask(&format!("coordinator of kind {kind}"), version, &of("x", kind));
            }
        }
    }
    let keys = |keys: &[&str]| FindCoordinatorRequest {
        coordinator_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        ..Default::default()
    };
    session.ask("coordinators of nobody", 4, &keys(&[]));
    session.ask("coordinators of two groups", 6, &keys(&["a", "b"]));
    session.ask("coordinators of one group twice", 6, &keys(&["a", "a"]));
}

/// What a consumer of no topic wants, in version 0. (Kafka looks into it, and what can't be read it never answers.)
const WISHES: &[u8] = &[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];

pub(super) fn join(group: &str, member: &str) -> JoinGroupRequest {
    let range = JoinGroupRequestProtocol { name: "range".to_owned(), metadata: Bytes::from_static(WISHES) };
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![range],
        ..Default::default()
    }
}

pub(super) fn sync(group: &str, member: &str, generation: i32) -> SyncGroupRequest {
    let share =
        SyncGroupRequestAssignment { member_id: member.to_owned(), assignment: Bytes::from_static(b"everything") };
    SyncGroupRequest {
        group_id: group.to_owned(),
        generation_id: generation,
        member_id: member.to_owned(),
        protocol_type: Some("consumer".to_owned()),
        protocol_name: Some("range".to_owned()),
        assignments: vec![share],
        ..Default::default()
    }
}

pub(super) fn heartbeat(group: &str, member: &str, generation: i32) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: group.to_owned(),
        generation_id: generation,
        member_id: member.to_owned(),
        ..Default::default()
    }
}

/// In both ways; each version writes one.
pub(super) fn leave(group: &str, member: &str) -> LeaveGroupRequest {
    LeaveGroupRequest {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        members: vec![MemberIdentity { member_id: member.to_owned(), ..Default::default() }],
    }
}

fn describe(group: &str, operations: bool) -> DescribeGroupsRequest {
    DescribeGroupsRequest { groups: vec![group.to_owned()], include_authorized_operations: operations }
}

fn delete(group: &str) -> DeleteGroupsRequest {
    DeleteGroupsRequest { groups_names: vec![group.to_owned()] }
}

/// This version, or the last that there is of a request with fewer.
fn as_far_as<R: RequestMessage>(version: i16) -> i16 {
    version.min(R::VERSIONS.max)
}

/// Joins, with the id that is handed out where one is wanted.
fn joined(session: &mut Session, version: i16, group: &str) -> Option<JoinGroupResponse> {
    let first = of_group::ask(session, "joins without an id", version, &join(group, ""))?;
    match first.error_code {
        MEMBER_ID_REQUIRED => of_group::ask(session, "joins with its id", version, &join(group, &first.member_id)),
        _ => Some(first),
    }
}

fn life(session: &mut Session, version: i16) {
    let group = session.name(&format!("life-{version}"));
    let Some(member) = joined(session, version, &group) else { return };
    let (id, generation) = (member.member_id.as_str(), member.generation_id);
    let beating = as_far_as::<HeartbeatRequest>(version);
    of_group::ask(session, "beats before it has synced", beating, &heartbeat(&group, id, generation));
    let syncing = as_far_as::<SyncGroupRequest>(version);
    of_group::ask(session, "syncs", syncing, &sync(&group, id, generation));
    of_group::ask(session, "syncs again", syncing, &sync(&group, id, generation));
    of_group::ask(session, "beats", beating, &heartbeat(&group, id, generation));
    let describing = as_far_as::<DescribeGroupsRequest>(version);
    of_group::ask(session, "described with a member", describing, &describe(&group, describing >= 3));
    let deleting = as_far_as::<DeleteGroupsRequest>(version);
    of_group::ask(session, "deleted with a member", deleting, &delete(&group));
    let leaving = as_far_as::<LeaveGroupRequest>(version);
    of_group::ask(session, "leaves", leaving, &leave(&group, id));
    of_group::ask(session, "leaves again", leaving, &leave(&group, id));
    of_group::ask(session, "described without a member", describing, &describe(&group, false));
    of_group::ask(session, "beats when it has left", beating, &heartbeat(&group, id, generation));
    of_group::ask(session, "deleted", deleting, &delete(&group));
    of_group::ask(session, "deleted again", deleting, &delete(&group));
}

fn no_member(session: &mut Session, version: i16) {
    let group = session.name(&format!("nobody-{version}"));
    let changed = |change: &dyn Fn(&mut JoinGroupRequest)| {
        let mut request = join(&group, "");
        change(&mut request);
        request
    };
    for timeout in [5_999, 1_800_001, 0, -1, i32::MIN] {
        let request = changed(&|request| request.session_timeout_ms = timeout);
        of_group::ask(session, &format!("joins with session timeout {timeout}"), version, &request);
    }
    let mut ask = |case: &str, request: JoinGroupRequest| {
        of_group::ask(session, case, version, &request);
    };
    ask("joins a group without a name", join("", ""));
    ask("joins with an id that nobody gave it", join(&group, "somebody"));
    ask("joins without a protocol", changed(&|request| request.protocols.clear()));
    ask("joins without a protocol type", changed(&|request| request.protocol_type.clear()));
    ask(
        "joins a group without a name, in no time",
        changed(&|request| {
            request.group_id.clear();
            request.session_timeout_ms = 0;
        }),
    );
}

/// What a member of another generation, another protocol or another group hears.
fn refused(session: &mut Session) {
    let group = session.name("refused");
    let Some(member) = joined(session, 9, &group) else { return };
    let (id, generation) = (member.member_id.as_str(), member.generation_id);
    for other in [generation - 1, generation + 1, -1] {
        of_group::ask(session, &format!("syncs generation {other}"), 5, &sync(&group, id, other));
        of_group::ask(session, &format!("beats generation {other}"), 4, &heartbeat(&group, id, other));
    }
    of_group::ask(session, "syncs as nobody", 5, &sync(&group, "nobody", generation));
    of_group::ask(session, "syncs without an id", 5, &sync(&group, "", generation));
    of_group::ask(session, "beats as nobody", 4, &heartbeat(&group, "nobody", generation));
    of_group::ask(session, "beats without an id", 4, &heartbeat(&group, "", generation));
    for version in [0, 4, 5] {
        let of = |kind: Option<&str>, name: Option<&str>| SyncGroupRequest {
            protocol_type: kind.map(str::to_owned),
            protocol_name: name.map(str::to_owned),
            ..sync(&group, id, generation)
        };
        of_group::ask(session, "syncs another type", version, &of(Some("connect"), Some("range")));
        of_group::ask(session, "syncs another protocol", version, &of(Some("consumer"), Some("sticky")));
        of_group::ask(session, "syncs no type", version, &of(None, Some("range")));
        of_group::ask(session, "syncs no protocol", version, &of(Some("consumer"), None));
    }
    let mut other_type = join(&group, "");
    other_type.protocol_type = "connect".to_owned();
    of_group::ask(session, "joins a group of another type", 9, &other_type);
    let mut other_protocol = join(&group, "");
    other_protocol.protocols[0].name = "sticky".to_owned();
    of_group::ask(session, "joins a group of another protocol", 9, &other_protocol);
    of_group::ask(session, "joins again as the leader", 9, &join(&group, id));
    let mut nobody = leave(&group, "nobody");
    nobody.members.push(MemberIdentity { member_id: id.to_owned(), ..Default::default() });
    of_group::ask(session, "nobody leaves, and the member", 5, &nobody);
    of_group::ask(session, "nobody at all leaves", 5, &LeaveGroupRequest { members: vec![], ..nobody });
}

fn static_member(session: &mut Session) {
    let group = session.name("static");
    let of = |member: &str| JoinGroupRequest { group_instance_id: Some("one".to_owned()), ..join(&group, member) };
    let Some(first) = of_group::ask(session, "a static member joins", 9, &of("")) else { return };
    let (id, generation) = (first.member_id.as_str(), first.generation_id);
    let synced = SyncGroupRequest { group_instance_id: Some("one".to_owned()), ..sync(&group, id, generation) };
    of_group::ask(session, "a static member syncs", 5, &synced);
    let Some(again) = of_group::ask(session, "a static member comes back", 9, &of("")) else { return };
    let beat = |member: &str| HeartbeatRequest {
        group_instance_id: Some("one".to_owned()),
        ..heartbeat(&group, member, generation)
    };
    of_group::ask(session, "its last life beats", 4, &beat(id));
    of_group::ask(session, "its new life beats", 4, &beat(&again.member_id));
    of_group::ask(session, "its last life joins", 9, &of(id));
    of_group::ask(session, "a static member is described", 6, &describe(&group, false));
    let by_instance = |instance: &str| LeaveGroupRequest {
        members: vec![MemberIdentity { group_instance_id: Some(instance.to_owned()), ..Default::default() }],
        ..leave(&group, "")
    };
    of_group::ask(session, "another static member leaves", 5, &by_instance("two"));
    of_group::ask(session, "a static member leaves", 5, &by_instance("one"));
}

/// An assignment that the log does not take has the group begin anew.
fn too_much(session: &mut Session) {
    let group = session.name("too-much");
    let Some(member) = joined(session, 9, &group) else { return };
    let (id, generation) = (member.member_id.as_str(), member.generation_id);
    let mut large = sync(&group, id, generation);
    large.assignments[0].assignment = Bytes::from(vec![0; 1_200_000]);
    of_group::ask(session, "syncs more than the log takes", 5, &large);
    of_group::ask(session, "beats after it has synced too much", 4, &heartbeat(&group, id, generation));
    let Some(again) = of_group::ask(session, "joins after it has synced too much", 9, &join(&group, id)) else {
        return;
    };
    of_group::ask(session, "syncs after all", 5, &sync(&group, id, again.generation_id));
    of_group::ask(session, "leaves", 5, &leave(&group, id));
}

fn unknown_groups(session: &mut Session) {
    let group = session.name("unknown");
    for version in SyncGroupRequest::VERSIONS.iter() {
        of_group::ask(session, "syncs in no group", version, &sync(&group, "m", 1));
    }
    for version in HeartbeatRequest::VERSIONS.iter() {
        of_group::ask(session, "beats in no group", version, &heartbeat(&group, "m", 1));
    }
    for version in LeaveGroupRequest::VERSIONS.iter() {
        of_group::ask(session, "leaves no group", version, &leave(&group, "m"));
    }
    for version in DescribeGroupsRequest::VERSIONS.iter() {
        of_group::ask(session, "no group is described", version, &describe(&group, false));
        of_group::ask(session, "a group without a name is described", version, &describe("", false));
    }
    for version in DeleteGroupsRequest::VERSIONS.iter() {
        of_group::ask(session, "no group is deleted", version, &delete(&group));
        of_group::ask(session, "a group without a name is deleted", version, &delete(""));
    }
    let nothing = DescribeGroupsRequest::default();
    of_group::ask(session, "nothing is described", 6, &nothing);
    of_group::ask(session, "nothing is deleted", 2, &DeleteGroupsRequest::default());
    for (case, request) in [
        ("a group without a name: syncs", sync("", "m", 1)),
        ("a group without a name: syncs without an id", sync("", "", 1)),
    ] {
        of_group::ask(session, case, 5, &request);
    }
    of_group::ask(session, "a group without a name: beats", 4, &heartbeat("", "m", 1));
    of_group::ask(session, "a group without a name: leaves", 5, &leave("", "m"));
    let coordinator = session.any_broker();
    let states = ListGroupsRequest { states_filter: vec!["no such state".to_owned()], types_filter: vec![] };
    session.ask_broker(coordinator, "listed by a state that does not exist", 5, &states);
    let types = ListGroupsRequest { states_filter: vec![], types_filter: vec!["no such type".to_owned()] };
    session.ask_broker(coordinator, "listed by a type that does not exist", 5, &types);
    of_group::ask_other(session, "a broker that does not coordinate: joins", 9, &join(&group, ""));
    of_group::ask_other(session, "a broker that does not coordinate: syncs", 5, &sync(&group, "m", 1));
    of_group::ask_other(session, "a broker that does not coordinate: beats", 4, &heartbeat(&group, "m", 1));
    of_group::ask_other(session, "a broker that does not coordinate: leaves", 5, &leave(&group, "m"));
    of_group::ask_other(session, "a broker that does not coordinate: leaves alone", 2, &leave(&group, "m"));
    of_group::ask_other(session, "a broker that does not coordinate: described", 6, &describe(&group, false));
    of_group::ask_other(session, "a broker that does not coordinate: deleted", 2, &delete(&group));
}
