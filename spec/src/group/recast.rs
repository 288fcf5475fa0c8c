//! What a coordinator hears and writes, handed on by another carrier: field by field the same.

use super::{
    CommitOffsets, CommittedOffset, GroupMetadata, Input, JoinGroup, MemberMetadata, OffsetToCommit, Protocol, Record,
    Request, Subscription, SyncGroup,
};
use crate::machine::{Carrier, Recast};
use std::sync::Arc;

impl<C: Carrier> Input<C> {
    /// The same fact.
    #[must_use]
    pub fn recast<D: Recast<C>>(&self) -> Input<D> {
        match self {
            Self::TopicsChanged { topics } => Input::TopicsChanged { topics: Arc::clone(topics) },
            Self::LimitChanged { max_batch } => Input::LimitChanged { max_batch: *max_batch },
            Self::Elected => Input::Elected,
            Self::Loaded { at } => Input::Loaded { at: D::stamp(*at) },
            Self::Asked { ticket, at, group, request } => {
                Input::Asked { ticket: *ticket, at: D::stamp(*at), group: group.clone(), request: request.recast() }
            }
            Self::RetentionChecked { at, group, since } => {
                Input::RetentionChecked { at: D::stamp(*at), group: group.clone(), since: D::stamp(*since) }
            }
            Self::TimerFired { at, group, timer } => {
                Input::TimerFired { at: D::stamp(*at), group: group.clone(), timer: timer.clone() }
            }
        }
    }
}

impl<C: Carrier> Request<C> {
    /// The same request.
    #[must_use]
    pub fn recast<D: Recast<C>>(&self) -> Request<D> {
        match self {
            Self::Join(join) => Request::Join(join.recast()),
            Self::Sync(sync) => Request::Sync(sync.recast()),
            Self::Heartbeat { member, generation } => {
                Request::Heartbeat { member: member.clone(), generation: *generation }
            }
            Self::ConsumerHeartbeat(heartbeat) => Request::ConsumerHeartbeat(heartbeat.clone()),
            Self::Leave(members) => Request::Leave(members.clone()),
            Self::CommitOffsets(commit) => Request::CommitOffsets(commit.recast()),
            Self::FetchStableOffsets { reader, partitions } => {
                Request::FetchStableOffsets { reader: reader.clone(), partitions: partitions.clone() }
            }
            Self::DeleteOffsets { partitions } => Request::DeleteOffsets { partitions: partitions.clone() },
            Self::Delete => Request::Delete,
        }
    }
}

impl<C: Carrier> JoinGroup<C> {
    fn recast<D: Recast<C>>(&self) -> JoinGroup<D> {
        let protocol = |protocol: &Protocol<C>| Protocol {
            name: protocol.name.clone(),
            subscription: protocol.subscription.recast(),
        };
        JoinGroup {
            member: self.member.clone(),
            fresh: self.fresh.clone(),
            client: self.client.clone(),
            session_timeout: self.session_timeout,
            rebalance_timeout: self.rebalance_timeout,
            protocol_type: self.protocol_type.clone(),
            protocols: self.protocols.iter().map(protocol).collect(),
            knows_member_id_required: self.knows_member_id_required,
            knows_skip_assignment: self.knows_skip_assignment,
        }
    }
}

impl<C: Carrier> SyncGroup<C> {
    fn recast<D: Recast<C>>(&self) -> SyncGroup<D> {
        let given = self.assignments.iter();
        SyncGroup {
            member: self.member.clone(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignments: given.map(|(member, share)| (member.clone(), share.as_ref().map(D::bytes))).collect(),
        }
    }
}

impl<C: Carrier> CommitOffsets<C> {
    fn recast<D: Recast<C>>(&self) -> CommitOffsets<D> {
        let offset = |offset: &OffsetToCommit<C>| OffsetToCommit {
            offset: offset.offset,
            leader_epoch: offset.leader_epoch,
            metadata: offset.metadata.as_ref().map(D::bytes),
            metadata_length: offset.metadata_length,
        };
        CommitOffsets {
            member: self.member.clone(),
            generation: self.generation,
            knows_group_id_not_found: self.knows_group_id_not_found,
            offsets: self.offsets.iter().map(|(of, committed)| (of.clone(), offset(committed))).collect(),
        }
    }
}

impl<C: Carrier> Subscription<C> {
    fn recast<D: Recast<C>>(&self) -> Subscription<D> {
        Subscription { metadata: D::bytes(&self.metadata), topics: self.topics.clone() }
    }
}

impl<C: Carrier> Record<C> {
    /// The same record.
    #[must_use]
    pub fn recast<D: Recast<C>>(&self) -> Record<D> {
        match self {
            Self::Group { group, metadata } => {
                let metadata = metadata.as_ref().map(|metadata| Arc::new(metadata.recast()));
                Record::Group { group: group.clone(), metadata }
            }
            Self::Offset { group, partition, committed } => Record::Offset {
                group: group.clone(),
                partition: partition.clone(),
                committed: committed.as_ref().map(CommittedOffset::recast),
            },
            Self::Consumer { group, record } => Record::Consumer { group: group.clone(), record: record.clone() },
        }
    }
}

impl<C: Carrier> GroupMetadata<C> {
    fn recast<D: Recast<C>>(&self) -> GroupMetadata<D> {
        let member = |member: &MemberMetadata<C>| MemberMetadata {
            member: member.member.clone(),
            instance: member.instance.clone(),
            client: member.client.clone(),
            rebalance_timeout: member.rebalance_timeout,
            session_timeout: member.session_timeout,
            subscription: member.subscription.recast(),
            assignment: member.assignment.as_ref().map(D::bytes),
        };
        GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            since: self.since.map(D::stamp),
            members: self.members.iter().map(member).collect(),
        }
    }
}

impl<C: Carrier> CommittedOffset<C> {
    fn recast<D: Recast<C>>(&self) -> CommittedOffset<D> {
        CommittedOffset {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: self.metadata.as_ref().map(D::bytes),
            at: D::stamp(self.at),
        }
    }
}
