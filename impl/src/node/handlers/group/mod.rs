//! What a broker answers the members of groups, and those who look after them. What a group does about a request is its
//! coordinator's to say ([`crate::node::group`]).
//!
//! Source: Kafka's `KafkaApis`, `GroupCoordinatorService`.

pub mod admin;
pub mod consumer;
pub mod find_coordinator;
pub mod membership;
pub mod offset_fetch;
pub mod offsets;

use super::errors;
use crate::wire::messages::RequestHeader;
use highwater_spec::group::{Client, Generation, MemberIdentity};
use highwater_spec::refusal::Refusal;
use std::net::SocketAddr;

/// A member, as a request names it.
fn member(id: &str, instance: Option<&str>) -> MemberIdentity {
    MemberIdentity { id: (!id.is_empty()).then(|| id.into()), instance: instance.map(Into::into) }
}

fn generation(number: i32) -> Option<Generation> {
    (number >= 0).then_some(Generation(number))
}

fn code<T>(outcome: &Result<T, Refusal>) -> i16 {
    outcome.as_ref().err().map_or(errors::NONE, |refusal| refusal.code())
}

/// Who sent a request.
pub fn client(header: &RequestHeader, from: SocketAddr) -> Client {
    let id = header.client_id.as_deref().unwrap_or_default();
    // Java writes an address that has no name like this, and tools show it as it is kept.
    Client { id: id.into(), host: format!("/{}", from.ip()).into() }
}
