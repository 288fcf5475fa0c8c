//! Groups of consumers: listed, described, and how far they have come.

use super::{Client, ClientError, ErrorCode, Partition};
use crate::config::Endpoint;
use crate::wire::RequestMessage;
use crate::wire::messages::consumer_group_describe::{self as of_consumers, ConsumerGroupDescribeRequest};
use crate::wire::messages::consumer_protocol::{self, ConsumerProtocolAssignment};
use crate::wire::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use crate::wire::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use crate::wire::messages::offset_fetch::OffsetFetchRequestGroup;
use crate::wire::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, ListGroupsRequest, OffsetCommitRequest,
    OffsetFetchRequest,
};
use highwater_spec::values::Offset;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a coordinator may take.
const WITHIN: Duration = Duration::from_secs(10);

/// The state of a group that is not there.
const DEAD: &str = "Dead";

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// Its id.
    pub group: String,
    /// Which protocol its members speak with the coordinator: `classic` or `consumer`, as the coordinator has it; empty
    /// if the coordinator is too old to tell.
    pub group_type: String,
    /// What its members are to each other, such as `consumer` or `connect`; empty for none.
    pub protocol_type: String,
    /// Kafka's name for where it stands, such as `Stable`.
    pub state: String,
    /// The broker that coordinates it.
    pub coordinator: i32,
}

/// A group, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    /// Kafka's name for where it stands, such as `Stable`.
    pub state: String,
    /// The way in which its members share out the partitions; empty while none is agreed on.
    pub protocol: String,
    /// Whether the coordinator shares out the partitions, and not a member (KIP-848).
    pub is_consumer: bool,
    /// The broker that coordinates it.
    pub coordinator: i32,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id.
    pub id: String,
    /// Its client's name for itself.
    pub client: String,
    /// Where it connects from.
    pub host: String,
    /// What it reads; none if it is no consumer, or nothing is shared out.
    pub partitions: Vec<Partition>,
}

impl Client {
    /// Every group that some broker coordinates, by name.
    ///
    /// # Errors
    /// If a broker that is alive can't be asked, or refuses.
    pub async fn list_groups(&mut self) -> Result<Vec<GroupListing>, ClientError> {
        self.metadata(Some(&[])).await?;
        let mut found = Vec::new();
        for coordinator in self.brokers().keys().copied().collect::<Vec<_>>() {
            let once = async |client: &mut Self| {
                let answer = client.ask(coordinator, &ListGroupsRequest::default(), WITHIN).await?;
                ErrorCode(answer.error_code).of(|| format!("the groups of broker {coordinator}"))?;
                Ok(answer.groups)
            };
            let listed = self.patiently(once, passes).await?;
            found.extend(listed.into_iter().map(|group| GroupListing {
                group: group.group_id,
                group_type: group.group_type,
                protocol_type: group.protocol_type,
                state: group.group_state,
                coordinator,
            }));
        }
        found.sort_by(|one, other| one.group.cmp(&other.group));
        Ok(found)
    }

    /// A group with its members.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if there is no such group, or nobody coordinates it.
    pub async fn describe_group(&mut self, group: &str) -> Result<GroupDescription, ClientError> {
        let request = DescribeGroupsRequest { groups: vec![group.to_owned()], ..Default::default() };
        let once = async |client: &mut Self| {
            let (coordinator, answer) = client.ask_coordinator(group, &request).await?;
            let found = answer.groups.into_iter().next();
            let found = found.ok_or_else(|| client.incomplete(coordinator, group))?;
            // Older brokers have another word for it.
            let is_missing = ErrorCode(found.error_code) == ErrorCode::GROUP_ID_NOT_FOUND || found.group_state == DEAD;
            if is_missing {
                let found = client.describe_consumer_group(group).await?;
                return found.ok_or_else(|| missing(group));
            }
            ErrorCode(found.error_code).of(|| format!("group {group}"))?;
            Ok(described(coordinator, found))
        };
        self.patiently(once, passes).await
    }

    /// A group of the consumer protocol with its members, if there is such a one.
    async fn describe_consumer_group(&mut self, group: &str) -> Result<Option<GroupDescription>, ClientError> {
        let request = ConsumerGroupDescribeRequest { group_ids: vec![group.to_owned()], ..Default::default() };
        let (coordinator, answer) = self.ask_coordinator(group, &request).await?;
        let found = answer.groups.into_iter().next().ok_or_else(|| self.incomplete(coordinator, group))?;
        if ErrorCode(found.error_code) == ErrorCode::GROUP_ID_NOT_FOUND {
            return Ok(None);
        }
        ErrorCode(found.error_code).of(|| format!("group {group}"))?;
        Ok(Some(described_consumers(coordinator, found)))
    }

    /// The offsets that a group has committed, by partition: each the next one to read.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if nobody coordinates it.
    pub async fn committed_offsets(&mut self, group: &str) -> Result<BTreeMap<Partition, Offset>, ClientError> {
        let asked = OffsetFetchRequestGroup { group_id: group.to_owned(), topics: None, ..Default::default() };
        // Whichever version is spoken has one of the two.
        let request =
            OffsetFetchRequest { group_id: group.to_owned(), topics: None, groups: vec![asked], ..Default::default() };
        let once = async |client: &mut Self| {
            let (_, answer) = client.ask_coordinator(group, &request).await?;
            let code = answer.groups.first().map_or(answer.error_code, |group| group.error_code);
            ErrorCode(code).of(|| format!("the offsets of group {group}"))?;
            let single = answer.topics.into_iter().flat_map(|topic| {
                let of = move |index, offset| (Partition { topic: topic.name.clone(), index }, Offset(offset));
                let partitions = topic.partitions.into_iter();
                partitions.map(|found| of(found.partition_index, found.committed_offset)).collect::<Vec<_>>()
            });
            let of_groups = answer.groups.into_iter().flat_map(|group| group.topics).flat_map(|topic| {
                let of = move |index, offset| (Partition { topic: topic.name.clone(), index }, Offset(offset));
                let partitions = topic.partitions.into_iter();
                partitions.map(|found| of(found.partition_index, found.committed_offset)).collect::<Vec<_>>()
            });
            Ok(single.chain(of_groups).filter(|(_, offset)| offset.0 >= 0).collect())
        };
        self.patiently(once, passes).await
    }

    /// Commits offsets for a group that has no members.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the first partition that was; the others may be committed.
    pub async fn commit_offsets(
        &mut self,
        group: &str,
        offsets: &BTreeMap<Partition, Offset>,
    ) -> Result<(), ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (partition, offset) in offsets {
            topics.entry(&partition.topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: partition.index,
                committed_offset: offset.0,
                ..Default::default()
            });
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
            name: name.to_owned(),
            partitions,
            ..Default::default()
        });
        let request =
            OffsetCommitRequest { group_id: group.to_owned(), topics: topics.collect(), ..Default::default() };
        let once = async |client: &mut Self| {
            let (_, answer) = client.ask_coordinator(group, &request).await?;
            for topic in answer.topics {
                for partition in topic.partitions {
                    let subject = || format!("the offset of {}-{}", topic.name, partition.partition_index);
                    ErrorCode(partition.error_code).of(subject)?;
                }
            }
            Ok(())
        };
        // The same offset twice is the same offset: asking again does no harm.
        self.patiently(once, passes).await
    }

    /// Deletes a group that has no members, with its offsets.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if it has members, or does not exist.
    pub async fn delete_group(&mut self, group: &str) -> Result<(), ClientError> {
        let request = DeleteGroupsRequest { groups_names: vec![group.to_owned()] };
        let once = async |client: &mut Self| {
            let (coordinator, answer) = client.ask_coordinator(group, &request).await?;
            let result = answer.results.first().ok_or_else(|| client.incomplete(coordinator, group))?;
            ErrorCode(result.error_code).of(|| format!("group {group}"))
        };
        self.patiently(once, |error| passes(error) && error.had_no_effect()).await
    }

    /// Asks whoever coordinates a group; the answer comes with that broker's id.
    async fn ask_coordinator<R: RequestMessage>(
        &mut self,
        group: &str,
        request: &R,
    ) -> Result<(i32, R::Response), ClientError> {
        let (coordinator, endpoint) = self.coordinator(group).await?;
        if self.brokers().get(&coordinator) != Some(&endpoint) {
            self.metadata(Some(&[])).await?;
        }
        Ok((coordinator, self.ask(coordinator, request, WITHIN).await?))
    }

    pub(super) async fn coordinator(&mut self, group: &str) -> Result<(i32, Endpoint), ClientError> {
        // What the version lacks is not sent.
        let request =
            FindCoordinatorRequest { key: group.to_owned(), coordinator_keys: vec![group.to_owned()], key_type: 0 };
        if self.brokers().is_empty() {
            self.metadata(Some(&[])).await?;
        }
        let answer = self.ask_any(&request, WITHIN).await?;
        let (code, id, host, port) = match answer.coordinators.into_iter().next() {
            Some(found) => (found.error_code, found.node_id, found.host, found.port),
            None => (answer.error_code, answer.node_id, answer.host, answer.port),
        };
        ErrorCode(code).of(|| format!("the coordinator of group {group}"))?;
        Ok((id, Endpoint { host, port: u16::try_from(port).unwrap_or(0) }))
    }

    fn incomplete(&self, broker: i32, group: &str) -> ClientError {
        let address = self.brokers().get(&broker).map(ToString::to_string).unwrap_or_default();
        ClientError::Incomplete { address, subject: format!("group {group}") }
    }
}

fn missing(group: &str) -> ClientError {
    ClientError::refused(format!("group {group}"), ErrorCode::GROUP_ID_NOT_FOUND)
}

/// Whether another coordinator, or the same one a little later, may answer.
fn passes(error: &ClientError) -> bool {
    let of_coordinator = |code: &ErrorCode| {
        [ErrorCode::COORDINATOR_LOAD_IN_PROGRESS, ErrorCode::COORDINATOR_NOT_AVAILABLE, ErrorCode::NOT_COORDINATOR]
            .contains(code)
    };
    error.passes() || matches!(error, ClientError::Refused { code, .. } if of_coordinator(code))
}

fn described(coordinator: i32, group: DescribedGroup) -> GroupDescription {
    let members = group.members.into_iter().map(|member| {
        let partitions = assigned(&member);
        GroupMember { id: member.member_id, client: member.client_id, host: member.client_host, partitions }
    });
    GroupDescription {
        members: members.collect(),
        state: group.group_state,
        protocol: group.protocol_data,
        is_consumer: false,
        coordinator,
    }
}

fn described_consumers(coordinator: i32, group: of_consumers::DescribedGroup) -> GroupDescription {
    let members = group.members.into_iter().map(|member| {
        let of_topic = |topic: of_consumers::TopicPartitions| {
            let name = topic.topic_name;
            topic.partitions.into_iter().map(move |index| Partition { topic: name.clone(), index })
        };
        let mut partitions: Vec<_> = member.assignment.topic_partitions.into_iter().flat_map(of_topic).collect();
        partitions.sort_unstable();
        GroupMember { id: member.member_id, client: member.client_id, host: member.client_host, partitions }
    });
    GroupDescription {
        members: members.collect(),
        state: group.group_state,
        protocol: group.assignor_name,
        is_consumer: true,
        coordinator,
    }
}

/// A consumer's partitions; of members of other kinds nothing is known.
fn assigned(member: &DescribedGroupMember) -> Vec<Partition> {
    let read = consumer_protocol::read::<ConsumerProtocolAssignment>(&member.member_assignment);
    let topics = read.map(|assignment| assignment.assigned_partitions).unwrap_or_default();
    let of_topic = |topic: consumer_protocol::TopicPartition| {
        let name = topic.topic;
        topic.partitions.into_iter().map(move |index| Partition { topic: name.clone(), index })
    };
    let mut partitions: Vec<_> = topics.into_iter().flat_map(of_topic).collect();
    partitions.sort_unstable();
    partitions
}
