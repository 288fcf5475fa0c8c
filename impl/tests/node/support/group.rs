//! A member of a group, as a test plays it: one request at a time, each answer looked at.

use super::OneNode;
use bytes::Bytes;
use highwater::client::{Client, Connection, NewTopic, Patience};
use highwater::config::Endpoint;
use highwater::wire::messages::find_coordinator::{Coordinator, FindCoordinatorRequest};
use highwater::wire::messages::heartbeat::HeartbeatRequest;
use highwater::wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use highwater::wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use highwater::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use highwater::wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater::wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse};
use std::time::Duration;
use tokio::time::sleep;

pub const UNKNOWN_SERVER_ERROR: i16 = -1;
pub const NONE: i16 = 0;
pub const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
pub const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
pub const COORDINATOR_NOT_AVAILABLE: i16 = 15;
pub const NOT_COORDINATOR: i16 = 16;
pub const ILLEGAL_GENERATION: i16 = 22;
pub const UNKNOWN_MEMBER_ID: i16 = 25;
pub const REBALANCE_IN_PROGRESS: i16 = 27;
pub const MEMBER_ID_REQUIRED: i16 = 79;

/// Few partitions, so that a node starts fast, and no waiting for members who do not come.
pub const SETTINGS: [(&str, &str); 2] =
    [("offsets.topic.num.partitions", "3"), ("group.initial.rebalance.delay.ms", "0")];

/// A node with a topic `t` of two partitions, and a coordinator for `group`.
pub async fn node(group: &str) -> OneNode {
    let node = OneNode::start_with(&SETTINGS).await;
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: node.port() };
    let mut client = Client::new(vec![endpoint], Patience::default());
    let topic = NewTopic { name: "t".to_owned(), partitions: Some(2), ..NewTopic::default() };
    client.create_topic(topic).await.expect("a new topic");
    until_coordinated(&mut node.connect().await, group).await;
    node
}

/// Who coordinates the group, once someone does.
pub async fn until_coordinated(connection: &mut Connection, group: &str) -> Coordinator {
    let request = FindCoordinatorRequest { coordinator_keys: vec![group.to_owned()], ..Default::default() };
    loop {
        let mut answer = connection.call(&request).await.expect("an answer");
        let found = answer.coordinators.remove(0);
        assert_eq!(found.key, group);
        match found.error_code {
            COORDINATOR_NOT_AVAILABLE => sleep(Duration::from_millis(5)).await,
            NONE => {
                until_loaded(connection, group).await;
                return found;
            }
            code => panic!("error code {code}"),
        }
    }
}

async fn until_loaded(connection: &mut Connection, group: &str) {
    loop {
        match fetch(connection, group).await {
            Err(COORDINATOR_LOAD_IN_PROGRESS | NOT_COORDINATOR) => sleep(Duration::from_millis(5)).await,
            Ok(_) => return,
            Err(code) => panic!("error code {code}"),
        }
    }
}

/// A partition of `t`, and the offset that is committed of it; −1 for none.
pub type Offsets = Vec<(i32, i64)>;

/// The group's offsets of `t`, or why there are none.
pub async fn fetch(connection: &mut Connection, group: &str) -> Result<Offsets, i16> {
    let topic = OffsetFetchRequestTopics { name: "t".to_owned(), partition_indexes: vec![0, 1], ..Default::default() };
    let asked = OffsetFetchRequestGroup { group_id: group.to_owned(), topics: Some(vec![topic]), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![asked], ..Default::default() };
    let mut answer = connection.call(&request).await.expect("an answer");
    let of_group = answer.groups.remove(0);
    if of_group.error_code != NONE {
        return Err(of_group.error_code);
    }
    let partitions = of_group.topics.into_iter().flat_map(|topic| topic.partitions);
    Ok(partitions.map(|partition| (partition.partition_index, partition.committed_offset)).collect())
}

/// A request to join, as a consumer who knows one way to share out.
pub fn join_request(group: &str, member: &str) -> JoinGroupRequest {
    let range =
        JoinGroupRequestProtocol { name: "range".to_owned(), metadata: Bytes::from(format!("wishes of {member}")) };
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        member_id: member.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![range],
        ..Default::default()
    }
}

/// A commit of offset `offset` of partition 0 of `t`.
pub fn commit_request(group: &str, member: &str, generation: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_metadata: Some("note".to_owned()),
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic { name: "t".to_owned(), partitions: vec![partition], ..Default::default() };
    OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: generation,
        member_id: member.to_owned(),
        topics: vec![topic],
        ..Default::default()
    }
}

/// A member on a connection of its own.
pub struct Member {
    connection: Connection,
    group: String,
    pub id: String,
    pub generation: i32,
}

impl Member {
    /// One that has an id, and is not in a generation yet.
    pub async fn new(node: &OneNode, group: &str) -> Self {
        let mut connection = node.connect().await;
        let refused = connection.call(&join_request(group, "")).await.expect("an answer");
        assert_eq!(refused.error_code, MEMBER_ID_REQUIRED, "{refused:?}");
        assert!(refused.member_id.starts_with("highwater-"), "{refused:?}");
        Self { connection, group: group.to_owned(), id: refused.member_id, generation: -1 }
    }

    /// The same member, on a connection to what may be another life of the node.
    pub async fn reconnected(self, node: &OneNode) -> Self {
        Self { connection: node.connect().await, ..self }
    }

    /// Joins, and waits for the generation.
    pub async fn join(&mut self) -> JoinGroupResponse {
        let answer = self.connection.call(&join_request(&self.group, &self.id)).await.expect("an answer");
        if answer.error_code == NONE {
            assert_eq!(answer.member_id, self.id);
            self.generation = answer.generation_id;
        }
        answer
    }

    /// Hands in what each member gets, and waits for this one's share.
    pub async fn sync(&mut self, shares: &[(&str, &str)]) -> SyncGroupResponse {
        let assignments = shares.iter().map(|(member, share)| SyncGroupRequestAssignment {
            member_id: (*member).to_owned(),
            assignment: Bytes::copy_from_slice(share.as_bytes()),
        });
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some("range".to_owned()),
            assignments: assignments.collect(),
            ..Default::default()
        };
        self.connection.call(&request).await.expect("an answer")
    }

    /// Becomes the only member of a generation.
    pub async fn lead_alone(&mut self) {
        let joined = self.join().await;
        assert_eq!((joined.error_code, &joined.leader), (NONE, &self.id), "{joined:?}");
        let id = self.id.clone();
        let synced = self.sync(&[(&id, "all")]).await;
        assert_eq!((synced.error_code, &synced.assignment[..]), (NONE, &b"all"[..]), "{synced:?}");
    }

    pub async fn heartbeat(&mut self) -> i16 {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..Default::default()
        };
        self.connection.call(&request).await.expect("an answer").error_code
    }

    pub async fn commit(&mut self, offset: i64) -> i16 {
        let request = commit_request(&self.group, &self.id, self.generation, offset);
        let answer = self.connection.call(&request).await.expect("an answer");
        answer.topics[0].partitions[0].error_code
    }

    pub async fn leave(&mut self) -> i16 {
        let members = vec![MemberIdentity { member_id: self.id.clone(), ..Default::default() }];
        let request = LeaveGroupRequest { group_id: self.group.clone(), members, ..Default::default() };
        let answer = self.connection.call(&request).await.expect("an answer");
        answer.members.first().map_or(answer.error_code, |member| member.error_code)
    }
}
