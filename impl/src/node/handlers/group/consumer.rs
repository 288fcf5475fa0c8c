//! ConsumerGroupHeartbeat and ConsumerGroupDescribe: groups of the consumer protocol (KIP-848).

use super::admin::GROUP_OPERATIONS;
use crate::node::cluster::Cluster;
use crate::node::handlers::broker::BrokerService;
use crate::node::handlers::controller::random;
use crate::wire::Uuid;
use crate::wire::messages::consumer_group_describe::{
    self as describe, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup,
};
use crate::wire::messages::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use highwater_spec::group::{
    Client, ConsumerHeartbeat, ConsumerMember, DescribedConsumerGroup, GroupEpoch, GroupId, MemberId, MemberIdentity,
    Millis, Purpose, Reconciled, Reply, Request, Share,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{TopicId, TopicPartition};
use std::collections::BTreeMap;
use tokio::time::timeout;

/// From this version on a member brings its own id (KIP-1082).
const OWN_ID: i16 = 1;
/// What a member's epoch is that leaves, and that of a static one that will be back.
const LEAVES: i32 = -1;
const PAUSES: i32 = -2;
/// Members that speak the consumer protocol.
const CONSUMER_PROTOCOL: i8 = 1;

/// ConsumerGroupHeartbeat.
pub async fn heartbeat(
    service: &BrokerService,
    version: i16,
    client: Client,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    let (group, id, epoch) = (request.group_id.as_str().into(), request.member_id.clone(), request.member_epoch);
    let Some(beat) = beat(version, client, request) else { return refused(Refusal::InvalidRequest) };
    let asked = service.groups.ask(group, Request::ConsumerHeartbeat(beat));
    match timeout(service.config.offsets_commit_timeout, asked).await {
        Ok(Reply::ConsumerHeartbeat(Ok(Some(reconciled)))) => stays(reconciled),
        Ok(Reply::ConsumerHeartbeat(Ok(None))) => {
            ConsumerGroupHeartbeatResponse { member_id: Some(id), member_epoch: epoch, ..Default::default() }
        }
        Ok(Reply::ConsumerHeartbeat(Err(refusal))) => refused(refusal),
        Ok(_) => refused(Refusal::UnknownServerError),
        Err(_) => refused(Refusal::CoordinatorNotAvailable),
    }
}

/// What the request says; `None` if no member could say so.
fn beat(version: i16, client: Client, request: ConsumerGroupHeartbeatRequest) -> Option<ConsumerHeartbeat> {
    let purpose = match request.member_epoch {
        0 => Purpose::Join,
        LEAVES => Purpose::Leave,
        PAUSES => Purpose::Pause,
        epoch if epoch > 0 => Purpose::Stay(GroupEpoch(epoch)),
        _ => return None,
    };
    let member = MemberIdentity {
        id: (!request.member_id.is_empty()).then(|| request.member_id.as_str().into()),
        instance: request.instance_id.map(|instance| instance.as_str().into()),
    };
    Some(ConsumerHeartbeat {
        fresh: (version < OWN_ID).then(fresh),
        member,
        client,
        purpose,
        rack: request.rack_id.map(Into::into),
        rebalance_timeout: Some(request.rebalance_timeout_ms).filter(|ms| *ms != -1).map(Millis),
        topics: request.subscribed_topic_names.map(|names| names.iter().map(|name| name.as_str().into()).collect()),
        regex: request.subscribed_topic_regex.map(Into::into),
        assignor: request.server_assignor.map(|name| name.as_str().into()),
        owned: request.topic_partitions.map(share),
    })
}

/// An id that nobody has had, as Kafka writes them.
fn fresh() -> MemberId {
    Uuid(random()).to_string().as_str().into()
}

fn share(topics: Vec<TopicPartitions>) -> Share {
    let of_topic = |topic: TopicPartitions| {
        let id = topic.topic_id.into();
        topic.partitions.into_iter().map(move |index| TopicPartition { topic: id, index })
    };
    topics.into_iter().flat_map(of_topic).collect()
}

fn by_topic(share: &Share) -> BTreeMap<TopicId, Vec<i32>> {
    let mut topics: BTreeMap<_, Vec<i32>> = BTreeMap::new();
    share.iter().for_each(|partition| topics.entry(partition.topic).or_default().push(partition.index));
    topics
}

fn stays(Reconciled { member, epoch, interval, assigned }: Reconciled) -> ConsumerGroupHeartbeatResponse {
    let assignment = assigned.map(|share| {
        let topics = by_topic(&share).into_iter();
        let topics = topics.map(|(topic, partitions)| TopicPartitions { topic_id: topic.into(), partitions });
        Assignment { topic_partitions: topics.collect() }
    });
    ConsumerGroupHeartbeatResponse {
        member_id: Some(member.to_string()),
        member_epoch: epoch.0,
        heartbeat_interval_ms: interval.0,
        assignment,
        ..Default::default()
    }
}

fn refused(refusal: Refusal) -> ConsumerGroupHeartbeatResponse {
    let error_message = reason(refusal).map(str::to_owned);
    ConsumerGroupHeartbeatResponse { error_code: refusal.code(), error_message, ..Default::default() }
}

/// What a user reads who can't look a number up. As in Kafka nothing where a client only has to look elsewhere, or the
/// code says it all.
fn reason(refusal: Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::NotCoordinator | Refusal::CoordinatorLoadInProgress | Refusal::CoordinatorNotAvailable => return None,
        Refusal::InvalidGroupId => return None,
        Refusal::InvalidRequest => "the heartbeat lacks something, or contradicts itself",
        Refusal::UnsupportedAssignor => "there is no such assignor; there are uniform and range",
        Refusal::InvalidRegularExpression => "topics can't be named by regular expressions here",
        Refusal::FencedMemberEpoch => "the group is at another epoch: give up every partition and join again",
        Refusal::UnreleasedInstanceId => "another member has this instance id",
        other => other.name(),
    })
}

/// ConsumerGroupDescribe.
pub async fn describe(service: &BrokerService, request: ConsumerGroupDescribeRequest) -> ConsumerGroupDescribeResponse {
    let cluster = service.cluster.read();
    let mut groups = Vec::with_capacity(request.group_ids.len());
    for name in request.group_ids {
        let mut described = match describe_one(service, &cluster, &name).await {
            Ok(described) => described,
            Err(refusal) => DescribedGroup {
                error_code: refusal.code(),
                error_message: reason(refusal).map(|reason| format!("group {name}: {reason}")),
                ..Default::default()
            },
        };
        if request.include_authorized_operations && described.error_code == 0 {
            described.authorized_operations = GROUP_OPERATIONS;
        }
        groups.push(DescribedGroup { group_id: name, ..described });
    }
    ConsumerGroupDescribeResponse { groups, ..Default::default() }
}

async fn describe_one(service: &BrokerService, cluster: &Cluster, name: &str) -> Result<DescribedGroup, Refusal> {
    if name.is_empty() {
        return Err(Refusal::InvalidGroupId);
    }
    let id = GroupId::from(name);
    let of = id.clone();
    let found = service.groups.look(&id, move |coordinator| coordinator.describe_consumer_group(&of)).await?;
    let DescribedConsumerGroup { state, assignor, group } = found;
    let members = group.members.into_iter().map(|(id, known)| {
        let target = group.targets.get(&id).cloned().unwrap_or_default();
        member(cluster, &id, &known, &target)
    });
    Ok(DescribedGroup {
        group_state: state.name().to_owned(),
        group_epoch: group.epoch.0,
        assignment_epoch: group.target_epoch.0,
        assignor_name: assignor.name().to_owned(),
        members: members.collect(),
        ..Default::default()
    })
}

fn member(cluster: &Cluster, id: &MemberId, member: &ConsumerMember, target: &Share) -> describe::Member {
    let (details, current) = (&member.metadata, &member.current);
    describe::Member {
        member_id: id.to_string(),
        instance_id: details.instance.as_ref().map(ToString::to_string),
        rack_id: details.rack.as_ref().map(ToString::to_string),
        member_epoch: current.epoch.map_or(PAUSES, |epoch| epoch.0),
        client_id: details.client.id.to_string(),
        client_host: details.client.host.to_string(),
        subscribed_topic_names: details.topics.iter().map(ToString::to_string).collect(),
        subscribed_topic_regex: Some(String::new()),
        assignment: named(cluster, &current.assigned),
        target_assignment: named(cluster, target),
        member_type: CONSUMER_PROTOCOL,
    }
}

/// Topics that are gone have no name any more, and are left out.
fn named(cluster: &Cluster, share: &Share) -> describe::Assignment {
    let named = |(topic, partitions): (TopicId, Vec<i32>)| {
        let topic_name = cluster.topic(topic)?.name.clone();
        Some(describe::TopicPartitions { topic_id: topic.into(), topic_name, partitions })
    };
    describe::Assignment { topic_partitions: by_topic(share).into_iter().filter_map(named).collect() }
}
