//! A coordinator's records, as `__consumer_offsets` keeps them, and back.
//!
//! Source: Kafka's `GroupCoordinatorRecordHelpers`, `GroupMetadataManager.replay`, `OffsetMetadataManager.replay`.

use super::consumer_records;
use super::subscription::subscription;
use crate::carrier::{Durable, Timestamp};
use crate::records::BatchBuilder;
use crate::wire::GroupRecord;
use crate::wire::messages::group_records::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata as WireMember, OffsetCommitKey, OffsetCommitValue,
};
use bytes::Bytes;
use highwater_spec::group::{
    Client, CommittedOffset, Generation, GroupMetadata, Measured, MemberMetadata, Millis, NamedPartition, Record,
};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::sync::Arc;

/// A record as the log keeps it.
pub fn to_wire(record: &Record<Durable>) -> GroupRecord {
    match record {
        Record::Group { group, metadata } => {
            let key = GroupMetadataKey { group: group.to_string() };
            GroupRecord::GroupMetadata(key, metadata.as_deref().map(group_to_wire))
        }
        Record::Offset { group, partition, committed } => {
            let key = OffsetCommitKey {
                group: group.to_string(),
                topic: partition.topic.to_string(),
                partition: partition.index,
            };
            GroupRecord::OffsetCommit(key, committed.as_ref().map(offset_to_wire))
        }
        Record::Consumer { group, record } => consumer_records::to_wire(group.to_string(), record),
    }
}

/// The records as one batch.
///
/// # Errors
/// If one of them has something in it that is longer than its format can say.
pub fn batch(records: &[Record<Durable>]) -> Result<Bytes, Box<dyn std::error::Error>> {
    let (mut builder, now) = (BatchBuilder::new(), Timestamp::now());
    for record in records {
        let (key, value) = to_wire(record).encode()?;
        builder.push(now.0, Some(&key), value.as_deref(), &[])?;
    }
    Ok(builder.build()?)
}

impl Measured for Durable {
    /// What can't be written at all is larger than any limit.
    fn batch_size(records: &[Record<Self>]) -> u64 {
        batch(records).map_or(u64::MAX, |batch| batch.len() as u64)
    }
}

/// A record of the log as the machine hears it.
pub fn from_wire(record: GroupRecord) -> Record<Durable> {
    match record {
        GroupRecord::GroupMetadata(key, value) => {
            let metadata = value.map(|value| Arc::new(group_from_wire(value)));
            Record::Group { group: key.group.as_str().into(), metadata }
        }
        GroupRecord::OffsetCommit(key, value) => Record::Offset {
            group: key.group.as_str().into(),
            partition: NamedPartition { topic: key.topic.as_str().into(), index: key.partition },
            committed: value.map(offset_from_wire),
        },
        GroupRecord::ConsumerGroup(key, value) => consumer_records::group(key, value),
        GroupRecord::ConsumerMember(key, value) => consumer_records::member(key, value),
        GroupRecord::TargetMetadata(key, value) => consumer_records::target_epoch(key, value),
        GroupRecord::TargetMember(key, value) => consumer_records::target(key, value),
        GroupRecord::CurrentMember(key, value) => consumer_records::current(key, value),
    }
}

fn group_to_wire(group: &GroupMetadata<Durable>) -> GroupMetadataValue {
    GroupMetadataValue {
        protocol_type: group.protocol_type.as_ref().map(ToString::to_string).unwrap_or_default(),
        generation: group.generation.0,
        protocol: group.protocol.as_ref().map(ToString::to_string),
        leader: group.leader.as_ref().map(ToString::to_string),
        current_state_timestamp: group.since.map_or(-1, |since| since.0),
        members: group.members.iter().map(member_to_wire).collect(),
    }
}

fn group_from_wire(value: GroupMetadataValue) -> GroupMetadata<Durable> {
    let GroupMetadataValue { protocol_type, generation, protocol, leader, current_state_timestamp, members } = value;
    GroupMetadata {
        generation: Generation(generation),
        protocol: protocol.map(|protocol| protocol.as_str().into()),
        leader: leader.map(|leader| leader.as_str().into()),
        since: Some(current_state_timestamp).filter(|since| *since >= 0).map(Timestamp),
        members: members.into_iter().map(|member| member_from_wire(&protocol_type, member)).collect(),
        protocol_type: (!protocol_type.is_empty()).then(|| protocol_type.as_str().into()),
    }
}

fn member_to_wire(member: &MemberMetadata<Durable>) -> WireMember {
    WireMember {
        member_id: member.member.to_string(),
        group_instance_id: member.instance.as_ref().map(ToString::to_string),
        client_id: member.client.id.to_string(),
        client_host: member.client.host.to_string(),
        rebalance_timeout: member.rebalance_timeout.0,
        session_timeout: member.session_timeout.0,
        subscription: member.subscription.metadata.clone(),
        assignment: member.assignment.clone().unwrap_or_default(),
    }
}

fn member_from_wire(protocol_type: &str, member: WireMember) -> MemberMetadata<Durable> {
    let session_timeout = member.session_timeout;
    MemberMetadata {
        member: member.member_id.as_str().into(),
        instance: member.group_instance_id.map(|instance| instance.as_str().into()),
        client: Client { id: member.client_id.into(), host: member.client_host.into() },
        // Version 0 has none: the session stands for it, as in Kafka.
        rebalance_timeout: Millis(Some(member.rebalance_timeout).filter(|ms| *ms != -1).unwrap_or(session_timeout)),
        session_timeout: Millis(session_timeout),
        // Copied, so that what was read from the disk around them can go.
        subscription: subscription(protocol_type, Bytes::copy_from_slice(&member.subscription)),
        assignment: (!member.assignment.is_empty()).then(|| Bytes::copy_from_slice(&member.assignment)),
    }
}

fn offset_to_wire(committed: &CommittedOffset<Durable>) -> OffsetCommitValue {
    let metadata = committed.metadata.as_ref().map(|metadata| String::from_utf8_lossy(metadata).into_owned());
    OffsetCommitValue {
        offset: committed.offset.0,
        leader_epoch: committed.leader_epoch.map_or(-1, |epoch| epoch.0),
        metadata: metadata.unwrap_or_default(),
        commit_timestamp: committed.at.0,
        ..Default::default()
    }
}

fn offset_from_wire(value: OffsetCommitValue) -> CommittedOffset<Durable> {
    CommittedOffset {
        offset: Offset(value.offset),
        leader_epoch: Some(value.leader_epoch).filter(|epoch| *epoch != -1).map(LeaderEpoch),
        metadata: (!value.metadata.is_empty()).then(|| Bytes::from(value.metadata)),
        at: Timestamp(value.commit_timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_spec::group::Subscription;

    fn comes_back(record: &Record<Durable>) {
        let (key, value) = to_wire(record).encode().expect("it fits");
        let read = GroupRecord::decode(&key, value.as_ref()).expect("it was just written");
        assert_eq!(&from_wire(read), record);
    }

    #[test]
    fn what_a_coordinator_writes_it_reads() {
        let subscription = Subscription { metadata: Bytes::from_static(b"any"), topics: None };
        let member = MemberMetadata {
            member: "m-1".into(),
            instance: Some("m".into()),
            client: Client { id: "c".into(), host: "/127.0.0.1".into() },
            rebalance_timeout: Millis(7),
            session_timeout: Millis(8),
            subscription,
            assignment: Some(Bytes::from_static(b"share")),
        };
        let metadata = GroupMetadata {
            protocol_type: Some("connect".into()),
            generation: Generation(3),
            protocol: Some("range".into()),
            leader: Some("m-1".into()),
            since: Some(Timestamp(5)),
            members: vec![MemberMetadata { instance: None, assignment: None, ..member.clone() }, member],
        };
        let empty = GroupMetadata {
            protocol_type: None,
            protocol: None,
            leader: None,
            since: None,
            members: Vec::new(),
            ..metadata
        };
        for metadata in [Some(metadata.into()), Some(empty.into()), None] {
            comes_back(&Record::Group { group: "g".into(), metadata });
        }
        let committed = CommittedOffset {
            offset: Offset(9),
            leader_epoch: Some(LeaderEpoch(2)),
            metadata: Some(Bytes::from_static(b"note")),
            at: Timestamp(4),
        };
        let bare = CommittedOffset { leader_epoch: None, metadata: None, ..committed.clone() };
        for committed in [Some(committed), Some(bare), None] {
            let partition = NamedPartition { topic: "t".into(), index: 1 };
            comes_back(&Record::Offset { group: "g".into(), partition, committed });
        }
    }

    #[test]
    fn a_member_of_the_oldest_version_rebalances_within_its_session() {
        let member = WireMember { session_timeout: 8, ..Default::default() };
        assert_eq!(member_from_wire("consumer", member).rebalance_timeout, Millis(8));
    }
}
