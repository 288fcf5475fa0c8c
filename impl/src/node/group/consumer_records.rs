//! What a coordinator writes about groups of the consumer protocol, as `__consumer_offsets` keeps it, and back.
//!
//! Source: Kafka's `GroupCoordinatorRecordHelpers`, `GroupMetadataManager.replay`, `ConsumerGroupMember.updateWith`.

use crate::carrier::Durable;
use crate::wire::GroupRecord;
use crate::wire::messages::consumer_group_records::*;
use highwater_spec::group::{
    Client, ConsumerRecord, Current, GroupEpoch, GroupEpochs, MemberDetails, MetadataHash, Millis, Progress, Record,
    Share,
};
use highwater_spec::values::TopicPartition;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The epoch of a static member that has gone for a while.
const AWAY: i32 = -2;

/// What Kafka writes for each state of a member.
const PROGRESS: [(Progress, i8); 4] = [
    (Progress::Stable, 0),
    (Progress::UnrevokedPartitions, 1),
    (Progress::UnreleasedPartitions, 2),
    (Progress::Unknown, 127),
];

/// A record as the log keeps it.
pub fn to_wire(group_id: String, record: &ConsumerRecord) -> GroupRecord {
    match record {
        ConsumerRecord::Group(epochs) => {
            let value = epochs
                .map(|epochs| ConsumerGroupMetadataValue { epoch: epochs.epoch.0, metadata_hash: epochs.topics.0 });
            GroupRecord::ConsumerGroup(ConsumerGroupMetadataKey { group_id }, value)
        }
        ConsumerRecord::Member(member, details) => {
            let key = ConsumerGroupMemberMetadataKey { group_id, member_id: member.to_string() };
            GroupRecord::ConsumerMember(key, details.as_deref().map(details_to_wire))
        }
        ConsumerRecord::TargetEpoch(epoch) => {
            let value = epoch.map(|epoch| ConsumerGroupTargetAssignmentMetadataValue { assignment_epoch: epoch.0 });
            GroupRecord::TargetMetadata(ConsumerGroupTargetAssignmentMetadataKey { group_id }, value)
        }
        ConsumerRecord::Target(member, share) => {
            let key = ConsumerGroupTargetAssignmentMemberKey { group_id, member_id: member.to_string() };
            let value = share
                .as_ref()
                .map(|share| ConsumerGroupTargetAssignmentMemberValue { topic_partitions: share_to_wire(share) });
            GroupRecord::TargetMember(key, value)
        }
        ConsumerRecord::Current(member, current) => {
            let key = ConsumerGroupCurrentMemberAssignmentKey { group_id, member_id: member.to_string() };
            GroupRecord::CurrentMember(key, current.as_deref().map(current_to_wire))
        }
    }
}

fn details_to_wire(details: &MemberDetails) -> ConsumerGroupMemberMetadataValue {
    ConsumerGroupMemberMetadataValue {
        instance_id: details.instance.as_ref().map(ToString::to_string),
        rack_id: details.rack.as_ref().map(ToString::to_string),
        client_id: details.client.id.to_string(),
        client_host: details.client.host.to_string(),
        subscribed_topic_names: details.topics.iter().map(ToString::to_string).collect(),
        // As Kafka writes that there is none.
        subscribed_topic_regex: Some(String::new()),
        rebalance_timeout_ms: details.rebalance_timeout.0,
        server_assignor: details.assignor.as_ref().map(ToString::to_string),
    }
}

fn current_to_wire(current: &Current) -> ConsumerGroupCurrentMemberAssignmentValue {
    let state = PROGRESS.into_iter().find(|(progress, _)| *progress == current.progress);
    ConsumerGroupCurrentMemberAssignmentValue {
        member_epoch: current.epoch.map_or(AWAY, |epoch| epoch.0),
        previous_member_epoch: current.previous.0,
        state: state.map_or(i8::MAX, |(_, code)| code),
        assigned_partitions: share_to_wire(&current.assigned),
        partitions_pending_revocation: share_to_wire(&current.revoked),
    }
}

fn share_to_wire(share: &Share) -> Vec<TopicPartitions> {
    let mut topics: BTreeMap<_, Vec<i32>> = BTreeMap::new();
    share.iter().for_each(|partition| topics.entry(partition.topic).or_default().push(partition.index));
    topics.into_iter().map(|(topic, partitions)| TopicPartitions { topic_id: topic.into(), partitions }).collect()
}

/// A group, as the machine hears of it.
pub fn group(key: ConsumerGroupMetadataKey, value: Option<ConsumerGroupMetadataValue>) -> Record<Durable> {
    let epochs =
        value.map(|value| GroupEpochs { epoch: GroupEpoch(value.epoch), topics: MetadataHash(value.metadata_hash) });
    heard(&key.group_id, ConsumerRecord::Group(epochs))
}

/// What a member says of itself, as the machine hears of it. A regular expression that Kafka wrote is left out.
pub fn member(key: ConsumerGroupMemberMetadataKey, value: Option<ConsumerGroupMemberMetadataValue>) -> Record<Durable> {
    let details = value.map(|value| {
        Arc::new(MemberDetails {
            instance: value.instance_id.map(|instance| instance.as_str().into()),
            rack: value.rack_id.map(Into::into),
            client: Client { id: value.client_id.into(), host: value.client_host.into() },
            topics: value.subscribed_topic_names.iter().map(|name| name.as_str().into()).collect(),
            rebalance_timeout: Millis(value.rebalance_timeout_ms),
            assignor: value.server_assignor.map(|name| name.as_str().into()),
        })
    });
    heard(&key.group_id, ConsumerRecord::Member(key.member_id.as_str().into(), details))
}

/// The target assignment's epoch, as the machine hears of it.
pub fn target_epoch(
    key: ConsumerGroupTargetAssignmentMetadataKey,
    value: Option<ConsumerGroupTargetAssignmentMetadataValue>,
) -> Record<Durable> {
    heard(&key.group_id, ConsumerRecord::TargetEpoch(value.map(|value| GroupEpoch(value.assignment_epoch))))
}

/// What a member is to read, as the machine hears of it.
pub fn target(
    key: ConsumerGroupTargetAssignmentMemberKey,
    value: Option<ConsumerGroupTargetAssignmentMemberValue>,
) -> Record<Durable> {
    let share = value.map(|value| share_from_wire(value.topic_partitions));
    heard(&key.group_id, ConsumerRecord::Target(key.member_id.as_str().into(), share))
}

/// How far a member is, as the machine hears of it.
pub fn current(
    key: ConsumerGroupCurrentMemberAssignmentKey,
    value: Option<ConsumerGroupCurrentMemberAssignmentValue>,
) -> Record<Durable> {
    let current = value.map(|value| {
        let progress = PROGRESS.into_iter().find(|(_, code)| *code == value.state);
        Arc::new(Current {
            epoch: Some(value.member_epoch).filter(|epoch| *epoch >= 0).map(GroupEpoch),
            previous: GroupEpoch(value.previous_member_epoch),
            progress: progress.map_or(Progress::Unknown, |(progress, _)| progress),
            assigned: share_from_wire(value.assigned_partitions),
            revoked: share_from_wire(value.partitions_pending_revocation),
        })
    });
    heard(&key.group_id, ConsumerRecord::Current(key.member_id.as_str().into(), current))
}

fn share_from_wire(topics: Vec<TopicPartitions>) -> Share {
    let of_topic = |topic: TopicPartitions| {
        let id = topic.topic_id.into();
        topic.partitions.into_iter().map(move |index| TopicPartition { topic: id, index })
    };
    topics.into_iter().flat_map(of_topic).collect()
}

fn heard(group: &str, record: ConsumerRecord) -> Record<Durable> {
    Record::Consumer { group: group.into(), record }
}

#[cfg(test)]
mod tests {
    use super::super::records;
    use super::*;
    use highwater_spec::values::TopicId;

    fn share(indices: &[i32]) -> Share {
        let topic = TopicId([7; 16]);
        indices.iter().map(|index| TopicPartition { topic, index: *index }).collect()
    }

    fn comes_back(record: ConsumerRecord) {
        let record = heard("g", record);
        let (key, value) = records::to_wire(&record).encode().expect("it fits");
        let read = GroupRecord::decode(&key, value.as_ref()).expect("it was just written");
        assert_eq!(records::from_wire(read), record);
    }

    #[test]
    fn what_a_coordinator_writes_about_consumer_groups_it_reads() {
        let epochs = GroupEpochs { epoch: GroupEpoch(3), topics: MetadataHash(-9) };
        let details = MemberDetails {
            instance: Some("i".into()),
            rack: Some("r".into()),
            client: Client { id: "c".into(), host: "/127.0.0.1".into() },
            topics: ["t".into(), "u".into()].into(),
            rebalance_timeout: Millis(7),
            assignor: Some("range".into()),
        };
        let bare = MemberDetails { instance: None, rack: None, assignor: None, ..details.clone() };
        for (progress, _) in PROGRESS {
            let epoch = (progress != Progress::Stable).then_some(GroupEpoch(4));
            let (assigned, revoked) = (share(&[0, 2]), share(&[1]));
            let current = Current { epoch, previous: GroupEpoch(3), progress, assigned, revoked };
            comes_back(ConsumerRecord::Current("m".into(), Some(current.into())));
        }
        comes_back(ConsumerRecord::Group(Some(epochs)));
        comes_back(ConsumerRecord::Member("m".into(), Some(details.into())));
        comes_back(ConsumerRecord::Member("m".into(), Some(bare.into())));
        comes_back(ConsumerRecord::TargetEpoch(Some(GroupEpoch(2))));
        comes_back(ConsumerRecord::Target("m".into(), Some(share(&[1, 5]))));
        comes_back(ConsumerRecord::Target("m".into(), Some(share(&[]))));
        comes_back(ConsumerRecord::Group(None));
        comes_back(ConsumerRecord::Member("m".into(), None));
        comes_back(ConsumerRecord::TargetEpoch(None));
        comes_back(ConsumerRecord::Target("m".into(), None));
        comes_back(ConsumerRecord::Current("m".into(), None));
    }

    #[test]
    fn a_member_s_state_that_only_a_later_version_knows_is_unknown() {
        let key = ConsumerGroupCurrentMemberAssignmentKey { group_id: "g".into(), member_id: "m".into() };
        let value = ConsumerGroupCurrentMemberAssignmentValue { state: 9, ..Default::default() };
        let Record::Consumer { record: ConsumerRecord::Current(_, Some(read)), .. } = current(key, Some(value)) else {
            panic!("it is about a member")
        };
        assert_eq!(read.progress, Progress::Unknown);
    }
}
