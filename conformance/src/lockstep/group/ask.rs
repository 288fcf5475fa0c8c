//! A consumer's request on a real connection, and its answer in words.

use super::names::Names;
use bytes::Bytes;
use highwater::client::{ClientError, Connection};
use highwater::wire::Uuid;
use highwater::wire::messages::consumer_group_heartbeat::{ConsumerGroupHeartbeatRequest, TopicPartitions};
use highwater::wire::messages::consumer_protocol::{
    self, ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicPartition,
};
use highwater::wire::messages::join_group::JoinGroupRequestProtocol;
use highwater::wire::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater::wire::messages::sync_group::SyncGroupRequestAssignment;
use highwater::wire::messages::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest, SyncGroupRequest, leave_group,
};
use highwater_checker::group::{Blob, Model};
use highwater_spec::group::{
    CommitOffsets, ConsumerHeartbeat, Generation, JoinGroup, Joined, MemberId, MemberIdentity, NamedPartition, Purpose,
    Reconciled, Reply, Request, Share, SyncGroup,
};
use highwater_spec::refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// The newest version of what consumers tell each other.
const PROTOCOL_VERSION: i16 = 3;
/// The last version of SyncGroup in which a member need not say by which protocol it was assigned.
const SYNC_WITHOUT_PROTOCOL: i16 = 4;

/// What consumers tell each other, in bytes.
pub fn encoded(blob: &Blob) -> Bytes {
    let bytes = match blob {
        Blob::Subscription { topics, owned, generation } => consumer_protocol::write(
            &ConsumerProtocolSubscription {
                topics: topics.iter().map(ToString::to_string).collect(),
                owned_partitions: by_name(owned),
                generation_id: number(*generation),
                ..Default::default()
            },
            PROTOCOL_VERSION,
        ),
        Blob::Share(share) => consumer_protocol::write(
            &ConsumerProtocolAssignment { assigned_partitions: by_name(share), ..Default::default() },
            PROTOCOL_VERSION,
        ),
    };
    bytes.expect("no name of a model is too long")
}

fn by_name(partitions: &BTreeSet<NamedPartition>) -> Vec<TopicPartition> {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    partitions.iter().for_each(|one| topics.entry(one.topic.to_string()).or_default().push(one.index));
    topics.into_iter().map(|(topic, partitions)| TopicPartition { topic, partitions }).collect()
}

fn number(generation: Option<Generation>) -> i32 {
    generation.map_or(-1, |generation| generation.0)
}

/// Asks, in the names of the cluster, and says in words what the answer was.
///
/// # Errors
/// If there is none.
pub async fn ask(
    connection: &mut Connection,
    names: &Names,
    group: String,
    request: &Request<Model>,
) -> Result<String, ClientError> {
    let asks = Asks { names, group };
    connection.set_client_id(Names::client(request));
    match request {
        Request::Join(join) => asks.join(connection, join).await,
        Request::Sync(sync) => asks.sync(connection, sync).await,
        Request::Heartbeat { member, generation } => {
            let (member_id, group_instance_id) = asks.member(member);
            let generation_id = number(*generation);
            let request = HeartbeatRequest { group_id: asks.group, generation_id, member_id, group_instance_id };
            Ok(outcome(connection.call(&request).await?.error_code, "alive"))
        }
        Request::ConsumerHeartbeat(beat) => asks.beat(connection, beat).await,
        Request::Leave(members) => asks.leave(connection, members).await,
        Request::CommitOffsets(commit) => asks.commit(connection, commit).await,
        Request::FetchStableOffsets { .. } | Request::DeleteOffsets { .. } | Request::Delete => {
            Ok("no consumer of a model asks that".to_owned())
        }
    }
}

struct Asks<'a> {
    names: &'a Names,
    group: String,
}

impl Asks<'_> {
    /// The member's id and its instance id.
    fn member(&self, member: &MemberIdentity) -> (String, Option<String>) {
        let id = member.id.as_ref().map(|id| self.names.member(id)).unwrap_or_default();
        (id, member.instance.as_ref().map(ToString::to_string))
    }

    async fn join(self, connection: &mut Connection, join: &JoinGroup<Model>) -> Result<String, ClientError> {
        let (member_id, group_instance_id) = self.member(&join.member);
        let protocols = join.protocols.iter().map(|protocol| JoinGroupRequestProtocol {
            name: protocol.name.to_string(),
            metadata: encoded(&protocol.subscription.metadata),
        });
        let request = JoinGroupRequest {
            session_timeout_ms: join.session_timeout.0,
            rebalance_timeout_ms: join.rebalance_timeout.0,
            member_id,
            group_instance_id,
            protocol_type: join.protocol_type.to_string(),
            protocols: protocols.collect(),
            reason: None,
            group_id: self.group,
        };
        let answer = connection.call(&request).await?;
        if answer.error_code != 0 {
            return Ok(not_joined(&answer.member_id, answer.error_code));
        }
        let members = answer.members.iter();
        let members = members.map(|one| listed(&one.member_id, one.group_instance_id.as_deref(), &one.metadata));
        Ok(in_generation(
            &answer.member_id,
            answer.generation_id,
            &answer.leader,
            answer.protocol_name.as_deref(),
            answer.skip_assignment,
            members.collect(),
        ))
    }

    async fn sync(self, connection: &mut Connection, sync: &SyncGroup<Model>) -> Result<String, ClientError> {
        let (member_id, group_instance_id) = self.member(&sync.member);
        let assignments = sync.assignments.iter().map(|(member, share)| SyncGroupRequestAssignment {
            member_id: self.names.member(member),
            assignment: share.as_ref().map(encoded).unwrap_or_default(),
        });
        let request = SyncGroupRequest {
            generation_id: number(sync.generation),
            member_id,
            group_instance_id,
            assignments: assignments.collect(),
            group_id: self.group,
            ..Default::default()
        };
        let answer = connection.call_at(SYNC_WITHOUT_PROTOCOL, &request).await?;
        Ok(outcome(answer.error_code, &answer.assignment.escape_ascii().to_string()))
    }

    async fn leave(self, connection: &mut Connection, members: &[MemberIdentity]) -> Result<String, ClientError> {
        let leaving = members.iter().map(|member| {
            let (member_id, group_instance_id) = self.member(member);
            leave_group::MemberIdentity { member_id, group_instance_id, reason: None }
        });
        let request = LeaveGroupRequest { members: leaving.collect(), group_id: self.group, ..Default::default() };
        let answer = connection.call(&request).await?;
        Ok(match answer.error_code {
            0 => codes(answer.members.iter().map(|member| member.error_code)),
            code => refused(code),
        })
    }

    async fn commit(self, connection: &mut Connection, commit: &CommitOffsets<Model>) -> Result<String, ClientError> {
        let (member_id, group_instance_id) = self.member(&commit.member);
        let mut topics: BTreeMap<String, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (partition, offset) in &commit.offsets {
            topics.entry(partition.topic.to_string()).or_default().push(OffsetCommitRequestPartition {
                partition_index: partition.index,
                committed_offset: offset.offset.0,
                committed_leader_epoch: offset.leader_epoch.map_or(-1, |epoch| epoch.0),
                committed_metadata: None,
            });
        }
        let topics = topics.into_iter();
        let request = OffsetCommitRequest {
            generation_id_or_member_epoch: number(commit.generation),
            member_id,
            group_instance_id,
            topics: topics
                .map(|(name, partitions)| OffsetCommitRequestTopic { name, partitions, ..Default::default() })
                .collect(),
            group_id: self.group,
            ..Default::default()
        };
        let answer = connection.call(&request).await?;
        Ok(codes(answer.topics.iter().flat_map(|topic| &topic.partitions).map(|one| one.error_code)))
    }

    async fn beat(self, connection: &mut Connection, beat: &ConsumerHeartbeat) -> Result<String, ClientError> {
        let (member_id, instance_id) = self.member(&beat.member);
        let member_epoch = match beat.purpose {
            Purpose::Join => 0,
            Purpose::Stay(epoch) => epoch.0,
            Purpose::Leave => -1,
            Purpose::Pause => -2,
        };
        let owned = |share: &Share| {
            let partitions = share.iter().map(|partition| partition.index).collect::<Vec<_>>();
            let topic = TopicPartitions { topic_id: Uuid(self.names.topic.0), partitions };
            if topic.partitions.is_empty() { Vec::new() } else { vec![topic] }
        };
        let request = ConsumerGroupHeartbeatRequest {
            member_id,
            member_epoch,
            instance_id,
            rack_id: beat.rack.as_ref().map(ToString::to_string),
            rebalance_timeout_ms: beat.rebalance_timeout.map_or(-1, |timeout| timeout.0),
            subscribed_topic_names: beat.topics.as_ref().map(|topics| topics.iter().map(ToString::to_string).collect()),
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: beat.owned.as_ref().map(owned),
            group_id: self.group,
        };
        let answer = connection.call(&request).await?;
        if answer.error_code != 0 {
            return Ok(refused(answer.error_code));
        }
        let assigned = answer.assignment.map(|assigned| {
            assigned.topic_partitions.into_iter().flat_map(|topic| topic.partitions).collect::<BTreeSet<_>>()
        });
        Ok(stays(answer.member_epoch, answer.heartbeat_interval_ms, assigned))
    }
}

/// The words for what the model answers to a request.
pub fn told(request: &Request<Model>, reply: &Reply<Model>) -> String {
    match reply {
        Reply::Join { member, outcome: Ok(joined) } => joined_in_words(member.as_ref(), joined),
        Reply::Join { member, outcome: Err(refusal) } => {
            not_joined(&member.as_ref().map(ToString::to_string).unwrap_or_default(), refusal.code())
        }
        Reply::Sync(Ok(synced)) => {
            let share = synced.assignment.as_ref().map(encoded).unwrap_or_default();
            outcome(0, &share.escape_ascii().to_string())
        }
        Reply::Heartbeat(Ok(())) => outcome(0, "alive"),
        Reply::ConsumerHeartbeat(Ok(Some(told))) => {
            let Reconciled { epoch, interval, assigned, .. } = told;
            let assigned = assigned.as_ref().map(|share| share.iter().map(|partition| partition.index).collect());
            stays(epoch.0, interval.0, assigned)
        }
        Reply::ConsumerHeartbeat(Ok(None)) => {
            let Request::ConsumerHeartbeat(ConsumerHeartbeat { purpose, .. }) = request else { return String::new() };
            stays(if *purpose == Purpose::Pause { -2 } else { -1 }, 0, None)
        }
        Reply::Leave(Ok(members)) => codes(members.iter().map(|(_, outcome)| code(outcome))),
        Reply::CommitOffsets(Ok(partitions)) => codes(partitions.iter().map(|(_, outcome)| code(outcome))),
        Reply::CommitOffsets(Err(refusal)) => match request {
            Request::CommitOffsets(commit) => codes(commit.offsets.iter().map(|_| refusal.code())),
            _ => refused(refusal.code()),
        },
        Reply::Sync(Err(refusal))
        | Reply::Heartbeat(Err(refusal))
        | Reply::ConsumerHeartbeat(Err(refusal))
        | Reply::Leave(Err(refusal)) => refused(refusal.code()),
        Reply::FetchOffsets(_) | Reply::DeleteOffsets(_) | Reply::Delete(_) => {
            "no consumer of a model asks that".to_owned()
        }
    }
}

fn joined_in_words(member: Option<&MemberId>, joined: &Joined<Model>) -> String {
    let named = |name: Option<&MemberId>| name.map(ToString::to_string).unwrap_or_default();
    let members = joined.members.iter().map(|(member, blob)| {
        let instance = member.instance.as_ref().map(ToString::to_string);
        listed(&named(member.id.as_ref()), instance.as_deref(), &encoded(blob))
    });
    let protocol = joined.protocol.as_ref().map(ToString::to_string);
    in_generation(
        &named(member),
        joined.generation.0,
        &named(joined.leader.as_ref()),
        protocol.as_deref(),
        joined.skip_assignment,
        members.collect(),
    )
}

fn in_generation(
    member: &str,
    generation: i32,
    leader: &str,
    protocol: Option<&str>,
    skips: bool,
    members: Vec<String>,
) -> String {
    let skips = if skips { ", which need not assign" } else { "" };
    let protocol = protocol.unwrap_or("nothing");
    format!("{member} is in generation {generation} by {protocol}, led by {leader}{skips}; {}", members.join(", "))
}

fn listed(member: &str, instance: Option<&str>, metadata: &Bytes) -> String {
    format!("{member}/{} {}", instance.unwrap_or_default(), metadata.escape_ascii())
}

fn not_joined(member: &str, code: i16) -> String {
    format!("{member} is refused {code}")
}

fn stays(epoch: i32, interval: i32, assigned: Option<BTreeSet<i32>>) -> String {
    match assigned {
        Some(assigned) => format!("at {epoch} with {assigned:?}, again in {interval} ms"),
        None => format!("at {epoch}, again in {interval} ms"),
    }
}

fn outcome(code: i16, otherwise: &str) -> String {
    if code == 0 { otherwise.to_owned() } else { refused(code) }
}

fn codes(codes: impl Iterator<Item = i16>) -> String {
    format!("codes {:?}", codes.collect::<Vec<_>>())
}

fn code(outcome: &Result<(), Refusal>) -> i16 {
    outcome.as_ref().err().map_or(0, |refusal| refusal.code())
}

fn refused(code: i16) -> String {
    format!("refused {code}")
}
