//! JoinGroup, SyncGroup, Heartbeat, LeaveGroup: the life of a member of a classic group.

use super::{code, generation, member};
use crate::node::group::subscription;
use crate::node::handlers::broker::BrokerService;
use crate::node::handlers::controller::random;
use crate::wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use crate::wire::messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use crate::wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use crate::wire::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use highwater_spec::group::{Client, JoinGroup, Joined, MemberId, Millis, Protocol, Reply, Request, SyncGroup, Synced};
use highwater_spec::refusal::Refusal;
use std::collections::BTreeSet;

/// From this version on, members say how long they may take to join again.
const REBALANCE_TIMEOUT: i16 = 1;
/// From this version on, whoever has no id may be told to come back with one (KIP-394).
const MEMBER_ID_REQUIRED: i16 = 4;
/// From this version on, there may be no protocol's name.
const NULLABLE_PROTOCOL: i16 = 7;
/// From this version on, a leader may be told to leave the assignment as it is (KIP-814).
const SKIP_ASSIGNMENT: i16 = 9;
/// From this version of SyncGroup on, members say by which protocol they were assigned (KIP-559).
const SYNC_PROTOCOL: i16 = 5;
/// From this version of LeaveGroup on, several members may go at once (KIP-345).
const LEAVE_TOGETHER: i16 = 3;

/// JoinGroup: answered when a generation begins, or when the member has no place in one.
pub async fn join(
    service: &BrokerService,
    version: i16,
    client: Client,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let rebalance_timeout =
        if version >= REBALANCE_TIMEOUT { request.rebalance_timeout_ms } else { request.session_timeout_ms };
    let mut names = BTreeSet::new();
    let protocols = request.protocols.into_iter().filter(|protocol| names.insert(protocol.name.clone()));
    let protocols = protocols.map(|protocol| Protocol {
        name: protocol.name.as_str().into(),
        subscription: subscription(&request.protocol_type, protocol.metadata),
    });
    let instance = request.group_instance_id.as_deref();
    let join = JoinGroup {
        member: member(&request.member_id, instance),
        fresh: fresh(instance.unwrap_or(&client.id)),
        session_timeout: Millis(request.session_timeout_ms),
        rebalance_timeout: Millis(rebalance_timeout),
        protocols: protocols.collect(),
        protocol_type: request.protocol_type.as_str().into(),
        knows_member_id_required: version >= MEMBER_ID_REQUIRED,
        knows_skip_assignment: version >= SKIP_ASSIGNMENT,
        client,
    };
    match service.groups.ask(request.group_id.as_str().into(), Request::Join(join)).await {
        Reply::Join { member, outcome: Ok(joined) } => generation_of(version, member, joined),
        Reply::Join { member, outcome: Err(refusal) } => not_joined(version, member, refusal),
        _ => not_joined(version, None, Refusal::UnknownServerError),
    }
}

/// An id that nobody has had: a name, and a random UUID as Java writes it.
fn fresh(name: &str) -> MemberId {
    let mut bytes: [u8; 16] = random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    let [a, b, c, d, e] = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("{name}-{a}-{b}-{c}-{d}-{e}").as_str().into()
}

fn generation_of(version: i16, member: Option<MemberId>, joined: Joined<crate::carrier::Durable>) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|(member, metadata)| JoinGroupResponseMember {
        member_id: member.id.map(|id| id.to_string()).unwrap_or_default(),
        group_instance_id: member.instance.map(|instance| instance.to_string()),
        metadata,
    });
    JoinGroupResponse {
        generation_id: joined.generation.0,
        protocol_type: joined.protocol_type.map(|kind| kind.to_string()),
        protocol_name: joined.protocol.map(|protocol| protocol.to_string()).or(no_protocol(version)),
        leader: joined.leader.map(|leader| leader.to_string()).unwrap_or_default(),
        skip_assignment: joined.skip_assignment,
        member_id: member.map(|id| id.to_string()).unwrap_or_default(),
        members: members.collect(),
        ..Default::default()
    }
}

fn not_joined(version: i16, member: Option<MemberId>, refusal: Refusal) -> JoinGroupResponse {
    let member_id = member.map(|id| id.to_string()).unwrap_or_default();
    let protocol_name = no_protocol(version);
    JoinGroupResponse { error_code: refusal.code(), protocol_name, member_id, ..Default::default() }
}

/// What stands where there is no protocol's name.
fn no_protocol(version: i16) -> Option<String> {
    (version < NULLABLE_PROTOCOL).then(String::new)
}

/// SyncGroup: answered when the leader's assignment is committed.
pub async fn sync(service: &BrokerService, version: i16, request: SyncGroupRequest) -> SyncGroupResponse {
    let refused = |refusal: Refusal| SyncGroupResponse { error_code: refusal.code(), ..Default::default() };
    if version >= SYNC_PROTOCOL && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
        return refused(Refusal::InconsistentGroupProtocol);
    }
    let assignments = request.assignments.into_iter().map(|given| {
        let share = (!given.assignment.is_empty()).then_some(given.assignment);
        (given.member_id.as_str().into(), share)
    });
    let sync = SyncGroup {
        member: member(&request.member_id, request.group_instance_id.as_deref()),
        generation: generation(request.generation_id),
        protocol_type: request.protocol_type.as_deref().map(Into::into),
        protocol: request.protocol_name.as_deref().map(Into::into),
        assignments: assignments.collect(),
    };
    match service.groups.ask(request.group_id.as_str().into(), Request::Sync(sync)).await {
        Reply::Sync(Ok(Synced { protocol_type, protocol, assignment })) => SyncGroupResponse {
            protocol_type: protocol_type.map(|kind| kind.to_string()),
            protocol_name: protocol.map(|name| name.to_string()),
            assignment: assignment.unwrap_or_default(),
            ..Default::default()
        },
        Reply::Sync(Err(refusal)) => refused(refusal),
        _ => refused(Refusal::UnknownServerError),
    }
}

/// Heartbeat.
pub async fn heartbeat(service: &BrokerService, request: HeartbeatRequest) -> HeartbeatResponse {
    let asked = Request::Heartbeat {
        member: member(&request.member_id, request.group_instance_id.as_deref()),
        generation: generation(request.generation_id),
    };
    let error_code = match service.groups.ask(request.group_id.as_str().into(), asked).await {
        Reply::Heartbeat(outcome) => code(&outcome),
        _ => Refusal::UnknownServerError.code(),
    };
    HeartbeatResponse { error_code, ..Default::default() }
}

/// LeaveGroup. Older versions name one member, and hear of it in the answer as a whole.
pub async fn leave(service: &BrokerService, version: i16, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let leaving = match version >= LEAVE_TOGETHER {
        true => request.members.iter().map(|one| member(&one.member_id, one.group_instance_id.as_deref())).collect(),
        false => vec![member(&request.member_id, None)],
    };
    let outcome = match service.groups.ask(request.group_id.as_str().into(), Request::Leave(leaving)).await {
        Reply::Leave(outcome) => outcome,
        _ => Err(Refusal::UnknownServerError),
    };
    let members = match outcome {
        Ok(members) => members,
        Err(refusal) => return LeaveGroupResponse { error_code: refusal.code(), ..Default::default() },
    };
    if version < LEAVE_TOGETHER {
        let error_code = members.first().map_or(0, |(_, outcome)| code(outcome));
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    let members = members.into_iter().map(|(member, outcome)| MemberResponse {
        member_id: member.id.map(|id| id.to_string()).unwrap_or_default(),
        group_instance_id: member.instance.map(|instance| instance.to_string()),
        error_code: code(&outcome),
    });
    LeaveGroupResponse { members: members.collect(), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_id_is_a_name_and_a_random_uuid() {
        let (one, other) = (fresh("rdkafka").to_string(), fresh("rdkafka").to_string());
        assert_ne!(one, other);
        let parts: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [7, 8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[22], b'4', "the version of a random UUID: {one}");
    }
}
