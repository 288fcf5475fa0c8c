//! What a consumer asks its coordinator: each instruction of the machine becomes a request, each answer an input.

use super::metadata::{described, topics_of};
use crate::client::{Client, ClientError, Connection};
use crate::wire::RequestMessage;
use crate::wire::messages::consumer_protocol::{
    self, ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicPartition,
};
use crate::wire::messages::join_group::{JoinGroupRequestProtocol, JoinGroupResponse};
use crate::wire::messages::leave_group::MemberIdentity;
use crate::wire::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics, OffsetFetchResponse,
};
use crate::wire::messages::sticky_user_data::{self, StickyUserData};
use crate::wire::messages::sync_group::SyncGroupRequestAssignment;
use crate::wire::messages::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
};
use bytes::Bytes;
use highwater_spec::assignor::{Assignor, Remembered, Subscriber};
use highwater_spec::client::consumer::{Config, Input, Joined, Leads, Output, Place};
use highwater_spec::group::{Generation, MemberId, NamedPartition, TopicName};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{LeaderEpoch, Offset};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::timeout;

/// What members of this kind agree on by.
const PROTOCOL_TYPE: &str = "consumer";
/// The newest version of what consumers tell each other.
const PROTOCOL_VERSION: i16 = 3;
/// How long an answer may take, beyond what the request allows.
const ANSWER: Duration = Duration::from_secs(10);

/// How long a member may be silent, and away from its next generation.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// `session.timeout.ms`
    pub session: Duration,
    /// `max.poll.interval.ms`
    pub poll: Duration,
}

/// A group's coordinator, and how to speak with it.
pub(super) struct Coordinator {
    pub client: Client,
    pub group: String,
    pub config: Config,
    pub sessions: Sessions,
    pub connection: Option<Connection>,
    /// What the group has chosen last.
    pub assignor: Option<Assignor>,
}

impl Coordinator {
    /// Carries out an instruction that asks the coordinator; what came of it.
    pub async fn ask(&mut self, output: Output) -> Vec<Input> {
        let answered = match output {
            Output::FindCoordinator => self.find().await.map(|()| vec![Input::CoordinatorFound]),
            Output::Join { member, owned, generation, remembered } => {
                self.join(member, owned, generation, remembered.as_ref()).await
            }
            Output::Sync { member, generation, assignments } => self.sync(member, generation, assignments).await,
            Output::Heartbeat { member, generation } => self.heartbeat(member, generation).await,
            Output::Leave { member } => self.leave(member).await,
            Output::FetchOffsets(partitions) => self.offsets(partitions).await,
            Output::Commit { member, generation, offsets } => self.commit(member, generation, offsets).await,
            _ => return Vec::new(),
        };
        answered.unwrap_or_else(|error| {
            tracing::debug!(%error, group = self.group, "the coordinator is lost");
            self.connection = None;
            vec![Input::CoordinatorLost]
        })
    }

    async fn find(&mut self) -> Result<(), ClientError> {
        let (_, endpoint) = self.client.coordinator(&self.group).await?;
        self.connection = Some(Connection::connect(&endpoint.to_string(), self.client.patience().connect).await?);
        Ok(())
    }

    async fn call<R: RequestMessage>(&mut self, request: &R, takes: Duration) -> Result<R::Response, ClientError> {
        let held = self.connection.take().ok_or(ClientError::NoServer)?;
        let address = held.address().to_owned();
        let mut connection = Connection::held_or_new(Some(held), &address, self.client.patience().connect).await?;
        let answer = timeout(takes + ANSWER, connection.call(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(ClientError::timed_out(&address)))?;
        self.connection = Some(connection);
        Ok(answer)
    }

    fn instance(&self) -> Option<String> {
        self.config.instance.as_ref().map(ToString::to_string)
    }

    async fn join(
        &mut self,
        member: Option<MemberId>,
        owned: BTreeSet<NamedPartition>,
        generation: Option<Generation>,
        remembered: Option<&Remembered>,
    ) -> Result<Vec<Input>, ClientError> {
        let mut protocols = Vec::new();
        for assignor in &self.config.assignors {
            let says = ConsumerProtocolSubscription {
                topics: self.config.topics.iter().map(ToString::to_string).collect(),
                user_data: user_data(*assignor, remembered)?,
                owned_partitions: by_topic(&owned),
                generation_id: number(generation),
                ..Default::default()
            };
            let metadata = consumer_protocol::write(&says, PROTOCOL_VERSION)?;
            protocols.push(JoinGroupRequestProtocol { name: assignor.name().to_owned(), metadata });
        }
        let request = JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: milliseconds(self.sessions.session),
            rebalance_timeout_ms: milliseconds(self.sessions.poll),
            member_id: text(member),
            group_instance_id: self.instance(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols,
            reason: None,
        };
        let answer = self.call(&request, self.sessions.poll).await?;
        let member = (!answer.member_id.is_empty()).then(|| answer.member_id.as_str().into());
        if let Some(refusal) = Refusal::from_code(answer.error_code) {
            return Ok(vec![Input::JoinAnswered { member, outcome: Err(refusal) }]);
        }
        self.joined(member, answer).await
    }

    /// A leader looks up all topics that any member reads, before it shares them out.
    async fn joined(&mut self, member: Option<MemberId>, answer: JoinGroupResponse) -> Result<Vec<Input>, ClientError> {
        let name = answer.protocol_name.unwrap_or_default();
        let Some(assignor) = Assignor::ALL.into_iter().find(|assignor| assignor.name() == name) else {
            let outcome = Err(Refusal::InconsistentGroupProtocol);
            return Ok(vec![Input::JoinAnswered { member, outcome }]);
        };
        self.assignor = Some(assignor);
        let mut inputs = Vec::new();
        let mut leads = None;
        if answer.leader == answer.member_id {
            let members: BTreeMap<MemberId, Subscriber> = answer
                .members
                .iter()
                .map(|member| {
                    let instance = member.group_instance_id.as_deref().map(Into::into);
                    (member.member_id.as_str().into(), Subscriber { instance, ..subscriber(&member.metadata) })
                })
                .collect();
            let topics: BTreeSet<_> = members.values().flat_map(|member| member.topics.clone()).collect();
            inputs.push(Input::TopicsSeen(topics_of(&described(&mut self.client, &topics).await?)));
            leads = Some(Leads { skips: answer.skip_assignment, members });
        }
        let joined = Joined { generation: Generation(answer.generation_id), assignor, leads };
        inputs.push(Input::JoinAnswered { member, outcome: Ok(joined) });
        Ok(inputs)
    }

    async fn sync(
        &mut self,
        member: MemberId,
        generation: Generation,
        assignments: BTreeMap<MemberId, BTreeSet<NamedPartition>>,
    ) -> Result<Vec<Input>, ClientError> {
        let mut given = Vec::new();
        for (member, share) in assignments {
            let assignment = ConsumerProtocolAssignment { assigned_partitions: by_topic(&share), ..Default::default() };
            let assignment = consumer_protocol::write(&assignment, PROTOCOL_VERSION)?;
            given.push(SyncGroupRequestAssignment { member_id: member.to_string(), assignment });
        }
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: generation.0,
            member_id: member.to_string(),
            group_instance_id: self.instance(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: self.assignor.map(|assignor| assignor.name().to_owned()),
            assignments: given,
        };
        let answer = self.call(&request, self.sessions.poll).await?;
        let outcome = match Refusal::from_code(answer.error_code) {
            Some(refusal) => Err(refusal),
            None => Ok(share(&answer.assignment)),
        };
        Ok(vec![Input::SyncAnswered(outcome)])
    }

    async fn heartbeat(&mut self, member: MemberId, generation: Generation) -> Result<Vec<Input>, ClientError> {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: generation.0,
            member_id: member.to_string(),
            group_instance_id: self.instance(),
        };
        let answer = self.call(&request, Duration::ZERO).await?;
        Ok(vec![Input::HeartbeatAnswered(Refusal::from_code(answer.error_code).map_or(Ok(()), Err))])
    }

    /// Whatever the answer is, it has left as far as it is concerned.
    async fn leave(&mut self, member: MemberId) -> Result<Vec<Input>, ClientError> {
        let identity =
            MemberIdentity { member_id: member.to_string(), group_instance_id: self.instance(), reason: None };
        let request =
            LeaveGroupRequest { group_id: self.group.clone(), member_id: member.to_string(), members: vec![identity] };
        self.call(&request, Duration::ZERO).await.map(|_| Vec::new())
    }

    async fn offsets(&mut self, partitions: BTreeSet<NamedPartition>) -> Result<Vec<Input>, ClientError> {
        let topics = by_topic(&partitions);
        let single = topics
            .iter()
            .map(|TopicPartition { topic, partitions }| OffsetFetchRequestTopic {
                name: topic.clone(),
                partition_indexes: partitions.clone(),
            })
            .collect();
        let several = topics
            .into_iter()
            .map(|TopicPartition { topic, partitions }| OffsetFetchRequestTopics {
                name: topic,
                partition_indexes: partitions,
                ..Default::default()
            })
            .collect();
        let group =
            OffsetFetchRequestGroup { group_id: self.group.clone(), topics: Some(several), ..Default::default() };
        // Whichever version is spoken has one of the two.
        let request = OffsetFetchRequest {
            group_id: self.group.clone(),
            topics: Some(single),
            groups: vec![group],
            require_stable: true,
        };
        let answer = self.call(&request, Duration::ZERO).await?;
        Ok(vec![Input::OffsetsAnswered(committed(answer))])
    }

    async fn commit(
        &mut self,
        member: Option<MemberId>,
        generation: Option<Generation>,
        offsets: BTreeMap<NamedPartition, Place>,
    ) -> Result<Vec<Input>, ClientError> {
        let mut topics: BTreeMap<String, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (NamedPartition { topic, index }, place) in offsets {
            topics.entry(topic.to_string()).or_default().push(OffsetCommitRequestPartition {
                partition_index: index,
                committed_offset: place.offset.0,
                committed_leader_epoch: place.epoch.map_or(-1, |epoch| epoch.0),
                ..Default::default()
            });
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
            name,
            partitions,
            ..Default::default()
        });
        let request = OffsetCommitRequest {
            group_id: self.group.clone(),
            generation_id_or_member_epoch: number(generation),
            member_id: text(member),
            group_instance_id: self.instance(),
            topics: topics.collect(),
            ..Default::default()
        };
        let answer = self.call(&request, Duration::ZERO).await?;
        let mut codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        let outcome = codes.find_map(Refusal::from_code).map_or(Ok(()), Err);
        Ok(vec![Input::CommitAnswered { generation, outcome }])
    }
}

fn committed(answer: OffsetFetchResponse) -> Result<BTreeMap<NamedPartition, Option<Place>>, Refusal> {
    let code = answer.groups.first().map_or(answer.error_code, |group| group.error_code);
    if let Some(refusal) = Refusal::from_code(code) {
        return Err(refusal);
    }
    let place = |offset, epoch| {
        let epoch = Some(LeaderEpoch(epoch)).filter(|epoch| epoch.0 >= 0);
        Some(Place { offset: Offset(offset), epoch }).filter(|place| place.offset.0 >= 0)
    };
    let single = answer.topics.into_iter().flat_map(|topic| {
        let of = move |index| NamedPartition { topic: topic.name.as_str().into(), index };
        let partitions = topic.partitions.into_iter().map(move |found| {
            let place = place(found.committed_offset, found.committed_leader_epoch);
            (of(found.partition_index), place, found.error_code)
        });
        partitions.collect::<Vec<_>>()
    });
    let several = answer.groups.into_iter().flat_map(|group| group.topics).flat_map(|topic| {
        let of = move |index| NamedPartition { topic: topic.name.as_str().into(), index };
        let partitions = topic.partitions.into_iter().map(move |found| {
            let place = place(found.committed_offset, found.committed_leader_epoch);
            (of(found.partition_index), place, found.error_code)
        });
        partitions.collect::<Vec<_>>()
    });
    let found = single.chain(several).map(|(partition, place, code)| match Refusal::from_code(code) {
        Some(refusal) => Err(refusal),
        None => Ok((partition, place)),
    });
    found.collect()
}

/// What another member said when it joined; one that cannot be understood wants nothing.
fn subscriber(metadata: &Bytes) -> Subscriber {
    let said = consumer_protocol::read::<ConsumerProtocolSubscription>(metadata).unwrap_or_default();
    Subscriber {
        instance: None,
        topics: said.topics.iter().map(|topic| topic.as_str().into()).collect(),
        owned: partitions(said.owned_partitions),
        generation: named(said.generation_id),
        remembered: said.user_data.as_ref().map(remembered),
    }
}

/// What a member says to the leader of a group that shares out by `assignor`.
fn user_data(assignor: Assignor, remembered: Option<&Remembered>) -> Result<Option<Bytes>, ClientError> {
    let (Assignor::Sticky, Some(remembered)) = (assignor, remembered) else { return Ok(None) };
    let previous_assignment = by_topic(&remembered.partitions);
    let data = StickyUserData { previous_assignment, generation: number(remembered.generation) };
    Ok(Some(sticky_user_data::write(&data)?))
}

fn remembered(user_data: &Bytes) -> Remembered {
    let said = sticky_user_data::read(user_data);
    Remembered { partitions: partitions(said.previous_assignment), generation: named(said.generation) }
}

fn number(generation: Option<Generation>) -> i32 {
    generation.map_or(-1, |generation| generation.0)
}

fn named(generation: i32) -> Option<Generation> {
    Some(Generation(generation)).filter(|generation| generation.0 >= 0)
}

/// This member's share; nothing, if it has none.
fn share(assignment: &Bytes) -> BTreeSet<NamedPartition> {
    let given = consumer_protocol::read::<ConsumerProtocolAssignment>(assignment).unwrap_or_default();
    partitions(given.assigned_partitions)
}

fn partitions(topics: Vec<TopicPartition>) -> BTreeSet<NamedPartition> {
    let of_topic = |topic: TopicPartition| {
        let name: TopicName = topic.topic.as_str().into();
        topic.partitions.into_iter().map(move |index| NamedPartition { topic: name.clone(), index })
    };
    topics.into_iter().flat_map(of_topic).collect()
}

fn by_topic(partitions: &BTreeSet<NamedPartition>) -> Vec<TopicPartition> {
    let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
    for NamedPartition { topic, index } in partitions {
        topics.entry(topic).or_default().push(*index);
    }
    let named = topics.into_iter().map(|(topic, partitions)| TopicPartition { topic: topic.to_string(), partitions });
    named.collect()
}

fn text(member: Option<MemberId>) -> String {
    member.map(|member| member.to_string()).unwrap_or_default()
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
