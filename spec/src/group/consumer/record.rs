//! What a coordinator writes about consumer groups, and how the log's fold is made of it.
//!
//! Source: Kafka's `GroupCoordinatorRecordHelpers`; keys of version 3 and 5 to 8.

use super::{ConsumerGroup, Current, GroupEpoch, MemberDetails, MetadataHash, Share};
use crate::group::MemberId;
use std::sync::Arc;

/// One record about a group. `None` is what is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConsumerRecord {
    /// The group is.
    Group(Option<GroupEpochs>),
    /// What a member says of itself.
    Member(MemberId, Option<Arc<MemberDetails>>),
    /// The epoch of the target assignment.
    TargetEpoch(Option<GroupEpoch>),
    /// A member's share of the target assignment.
    Target(MemberId, Option<Share>),
    /// How far a member is.
    Current(MemberId, Option<Arc<Current>>),
}

/// A group as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupEpochs {
    /// Its epoch.
    pub epoch: GroupEpoch,
    /// What the topics are like that its members read.
    pub topics: MetadataHash,
}

impl ConsumerGroup {
    /// Folds a record into what is known of the group; of one that is gone nothing is.
    pub(in crate::group) fn apply(known: &mut Option<Self>, record: &ConsumerRecord) {
        match record {
            ConsumerRecord::Group(None) => *known = None,
            ConsumerRecord::Group(Some(epochs)) => {
                let group = known.get_or_insert_default();
                (group.epoch, group.topics) = (epochs.epoch, epochs.topics);
            }
            ConsumerRecord::TargetEpoch(Some(epoch)) => known.get_or_insert_default().target_epoch = *epoch,
            ConsumerRecord::Member(id, Some(metadata)) => {
                known.get_or_insert_default().members.entry(id.clone()).or_default().metadata = Arc::clone(metadata);
            }
            ConsumerRecord::Target(id, Some(share)) => {
                known.get_or_insert_default().targets.insert(id.clone(), share.clone());
            }
            ConsumerRecord::Current(id, Some(current)) => {
                known.get_or_insert_default().members.entry(id.clone()).or_default().current = Arc::clone(current);
            }
            // Compaction may leave what deletes, and not what it deletes.
            deleted => {
                if let Some(group) = known {
                    group.forget(deleted);
                }
            }
        }
    }

    fn forget(&mut self, record: &ConsumerRecord) {
        match record {
            ConsumerRecord::Member(id, _) => {
                self.members.remove(id);
            }
            ConsumerRecord::Target(id, _) => {
                self.targets.remove(id);
            }
            ConsumerRecord::Current(id, _) => {
                if let Some(member) = self.members.get_mut(id) {
                    member.current = Arc::default();
                }
            }
            ConsumerRecord::TargetEpoch(_) => self.target_epoch = GroupEpoch::default(),
            ConsumerRecord::Group(_) => {}
        }
    }
}
