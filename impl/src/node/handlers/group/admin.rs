//! ListGroups, DescribeGroups, DeleteGroups: what administrators ask of a coordinator.

use super::code;
use crate::carrier::Durable;
use crate::node::handlers::broker::BrokerService;
use crate::wire::messages::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};
use crate::wire::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use crate::wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use highwater_spec::group::{self, DescribedMember, GroupId, Reply, Request};
use highwater_spec::refusal::Refusal;
use std::collections::BTreeSet;
use tokio::time::timeout;

/// Kafka's name for the state of a group that does not exist.
const DEAD: &str = "Dead";
/// From this version of DescribeGroups on, a group that does not exist is an error (KIP-1043).
const GROUP_ID_NOT_FOUND: i16 = 6;
/// Every operation on a group, as bits; there is no authorizer that would forbid one.
pub(super) const GROUP_OPERATIONS: i32 = 0b1101_0100_1000;

/// ListGroups: those that this broker coordinates.
pub async fn list(service: &BrokerService, request: ListGroupsRequest) -> ListGroupsResponse {
    let found = match service.groups.look_at_all(|coordinator| coordinator.list_groups()).await {
        Ok(found) => found,
        Err(refusal) => return ListGroupsResponse { error_code: refusal.code(), ..Default::default() },
    };
    let wants = |wanted: &[String], name: &str| {
        wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let ListGroupsRequest { states_filter, types_filter } = request;
    let found = found.into_iter().filter(|group| wants(&types_filter, group.state.kind()));
    let found = found.filter(|group| wants(&states_filter, group.state.name())).map(|group| ListedGroup {
        group_id: group.group.to_string(),
        protocol_type: group.protocol_type.map(|kind| kind.to_string()).unwrap_or_default(),
        group_state: group.state.name().to_owned(),
        group_type: group.state.kind().to_owned(),
    });
    ListGroupsResponse { groups: found.collect(), ..Default::default() }
}

/// DescribeGroups.
pub async fn describe(service: &BrokerService, version: i16, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let mut groups = Vec::with_capacity(request.groups.len());
    for name in request.groups {
        let id: GroupId = name.as_str().into();
        let of = id.clone();
        let found = service.groups.look(&id, move |coordinator| coordinator.describe_group(&of)).await;
        let mut described = match found {
            Ok(Some(found)) => described(found),
            Ok(None) => missing(version, &name),
            Err(refusal) => DescribedGroup { error_code: refusal.code(), ..Default::default() },
        };
        if request.include_authorized_operations && described.error_code == 0 {
            described.authorized_operations = GROUP_OPERATIONS;
        }
        groups.push(DescribedGroup { group_id: name, ..described });
    }
    DescribeGroupsResponse { groups, ..Default::default() }
}

fn described(found: group::DescribedGroup<Durable>) -> DescribedGroup {
    DescribedGroup {
        group_state: found.state.name().to_owned(),
        protocol_type: found.protocol_type.map(|kind| kind.to_string()).unwrap_or_default(),
        protocol_data: found.protocol.map(|name| name.to_string()).unwrap_or_default(),
        members: found.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn member(DescribedMember { id, member, metadata }: DescribedMember<Durable>) -> DescribedGroupMember {
    // Without the one the other is of an earlier generation.
    let assignment = member.assignment.filter(|_| metadata.is_some());
    DescribedGroupMember {
        member_id: id.to_string(),
        group_instance_id: member.instance.map(|instance| instance.to_string()),
        client_id: member.client.id.to_string(),
        client_host: member.client.host.to_string(),
        member_metadata: metadata.unwrap_or_default(),
        member_assignment: assignment.unwrap_or_default(),
    }
}

fn missing(version: i16, name: &str) -> DescribedGroup {
    let dead = DescribedGroup { group_state: DEAD.to_owned(), ..Default::default() };
    if version < GROUP_ID_NOT_FOUND {
        return dead;
    }
    let error_message = Some(format!("there is no group {name}"));
    DescribedGroup { error_code: Refusal::GroupIdNotFound.code(), error_message, ..dead }
}

/// DeleteGroups.
pub async fn delete(service: &BrokerService, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut named = BTreeSet::new();
    let mut results = Vec::with_capacity(request.groups_names.len());
    for name in request.groups_names.into_iter().filter(|name| named.insert(name.clone())) {
        let asked = service.groups.ask(name.as_str().into(), Request::Delete);
        let outcome = match timeout(service.config.offsets_commit_timeout, asked).await {
            Ok(Reply::Delete(outcome)) => outcome,
            Ok(_) => Err(Refusal::UnknownServerError),
            Err(_) => Err(Refusal::CoordinatorNotAvailable),
        };
        results.push(DeletableGroupResult { group_id: name, error_code: code(&outcome) });
    }
    DeleteGroupsResponse { results, ..Default::default() }
}
