//! A member of a group, alone in it: what it was told, and what any broker says of its group.

use super::ask::ask;
use super::until::until;
use highwater::client::{ClientError, ErrorCode};
use highwater::wire::messages::find_coordinator::FindCoordinatorRequest;
use highwater::wire::messages::heartbeat::HeartbeatRequest;
use highwater::wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use highwater::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use highwater::wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater::wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;
use std::net::SocketAddr;

/// Longer than any case takes: nobody is to be thrown out.
const SESSION_MS: i32 = 120_000;
/// How long the others wait for a member to join again; in these cases there are no others.
const REBALANCE_MS: i32 = 120_000;
const TYPE: &str = "consumer";
const PROTOCOL: &str = "range";
const SHARE: &[u8] = b"all of it";

/// The broker that coordinates a group, as `broker` knows it.
///
/// # Errors
/// When it doesn't answer, or knows of none.
pub async fn coordinator(broker: SocketAddr, group: &str) -> Result<BrokerId, ClientError> {
    let request = FindCoordinatorRequest { coordinator_keys: vec![group.to_owned()], ..Default::default() };
    let answer = ask(broker, &request).await?;
    let found = answer.coordinators.first().ok_or_else(|| ClientError::refused(group, ErrorCode::NOT_COORDINATOR))?;
    ErrorCode(found.error_code).of(|| group.to_owned())?;
    Ok(BrokerId(found.node_id))
}

/// A member, and the generation that it is in.
#[derive(Clone, Debug)]
pub struct Member {
    group: String,
    topic: String,
    id: String,
    generation: i32,
}

impl Member {
    /// Joins a group that has nobody else, of readers of `topic`, at its coordinator.
    ///
    /// # Errors
    /// When that doesn't come about.
    pub async fn join(coordinator: SocketAddr, group: &str, topic: &str) -> Result<Self, Failed> {
        let (group, topic) = (group.to_owned(), topic.to_owned());
        let mut member = Self { group, topic, id: String::new(), generation: -1 };
        until("the member is in a generation", async || {
            let answer = ask(coordinator, &member.join_request()).await?;
            member.note(answer)
        })
        .await?;
        until("its share is written", async || member.sync(coordinator).await).await?;
        Ok(member)
    }

    fn join_request(&self) -> JoinGroupRequest {
        let protocol = JoinGroupRequestProtocol { name: PROTOCOL.to_owned(), ..Default::default() };
        JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: REBALANCE_MS,
            member_id: self.id.clone(),
            protocol_type: TYPE.to_owned(),
            protocols: vec![protocol],
            ..Default::default()
        }
    }

    /// With the first answer comes an id, with the second a generation.
    fn note(&mut self, answer: JoinGroupResponse) -> Result<(), ClientError> {
        self.id = answer.member_id;
        ErrorCode(answer.error_code).of(|| self.group.clone())?;
        self.generation = answer.generation_id;
        Ok(())
    }

    async fn sync(&self, coordinator: SocketAddr) -> Result<(), ClientError> {
        let share = SyncGroupRequestAssignment { member_id: self.id.clone(), assignment: SHARE.into() };
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            protocol_type: Some(TYPE.to_owned()),
            protocol_name: Some(PROTOCOL.to_owned()),
            assignments: vec![share],
            ..Default::default()
        };
        ErrorCode(ask(coordinator, &request).await?.error_code).of(|| self.group.clone())
    }

    /// A sign of life.
    ///
    /// # Errors
    /// When `broker` doesn't answer, or with an error.
    pub async fn heartbeat(&self, broker: SocketAddr) -> Result<(), ClientError> {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..Default::default()
        };
        ErrorCode(ask(broker, &request).await?.error_code).of(|| self.group.clone())
    }

    /// Commits an offset of the topic's first partition, once.
    ///
    /// # Errors
    /// When it isn't acknowledged. It may be committed all the same.
    pub async fn commit(&self, broker: SocketAddr, offset: i64) -> Result<(), ClientError> {
        let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
        let topic =
            OffsetCommitRequestTopic { name: self.topic.clone(), partitions: vec![partition], ..Default::default() };
        let request = OffsetCommitRequest {
            group_id: self.group.clone(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.clone(),
            topics: vec![topic],
            ..Default::default()
        };
        let answer = ask(broker, &request).await?;
        let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
        let code = partition.map_or(ErrorCode::NOT_COORDINATOR, |partition| ErrorCode(partition.error_code));
        code.of(|| self.group.clone())
    }

    /// The offset that is committed of the topic's first partition; −1 for none. Of what is `stable` each offset that was
    /// acknowledged is a part, and consumers ask for that. Apache's new coordinator may tell whoever asks for less an
    /// earlier offset, until it knows that its log is committed.
    ///
    /// # Errors
    /// When `broker` doesn't answer, or with an error.
    pub async fn committed(&self, broker: SocketAddr, stable: bool) -> Result<i64, ClientError> {
        let topic =
            OffsetFetchRequestTopics { name: self.topic.clone(), partition_indexes: vec![0], ..Default::default() };
        let group =
            OffsetFetchRequestGroup { group_id: self.group.clone(), topics: Some(vec![topic]), ..Default::default() };
        let request = OffsetFetchRequest { groups: vec![group], require_stable: stable, ..Default::default() };
        let answer = ask(broker, &request).await?;
        let found =
            answer.groups.first().ok_or_else(|| ClientError::refused(&self.group, ErrorCode::NOT_COORDINATOR))?;
        ErrorCode(found.error_code).of(|| self.group.clone())?;
        let partition = found.topics.first().and_then(|topic| topic.partitions.first());
        Ok(partition.map_or(-1, |partition| partition.committed_offset))
    }
}
