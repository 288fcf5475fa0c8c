//! What can be asked of a consumer group without waiting, and who may ask for and commit offsets.
//!
//! Rules: `group.consumer.offset.*`. Source: Kafka's `ConsumerGroup.asDescribedGroup`, `validateOffsetCommit`,
//! `validateOffsetFetch`.

use super::target::preferred;
use super::{ConsumerGroup, ConsumerState, GroupEpoch, Reader};
use crate::assignor::ServerAssignor;
use crate::group::{CommitOffsets, GroupId, Measured, ReplicatedCoordinator};
use crate::machine::Carrier;
use crate::marks::guard;
use crate::refusal::Refusal;
use crate::rules::{CommitEpoch, Rules};

/// A consumer group, described: as it is committed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DescribedConsumerGroup {
    /// Where it stands.
    pub state: ConsumerState,
    /// The assignor that its members prefer.
    pub assignor: ServerAssignor,
    /// The group.
    pub group: ConsumerGroup,
}

impl<C: Measured> ReplicatedCoordinator<C> {
    /// ConsumerGroupDescribe, for one group.
    ///
    /// # Errors
    /// While it is not active, and if there is no such group of the consumer protocol.
    pub fn describe_consumer_group(&self, group: &GroupId) -> Result<DescribedConsumerGroup, Refusal> {
        self.active()?;
        let group = self.committed().consumer_group(group).ok_or(Refusal::GroupIdNotFound)?.clone();
        let assignor = preferred(group.members.values().map(|member| &*member.metadata));
        Ok(DescribedConsumerGroup { state: group.state(), assignor, group })
    }
}

impl ConsumerGroup {
    /// `group.consumer.offset.commit`: only members commit, each at its epoch; while there are none, anyone may who
    /// names no epoch. A member has to speak a version that can tell it that it is behind.
    pub(in crate::group) fn validate_commit<C: Carrier>(
        &self,
        rules: &Rules,
        commit: &CommitOffsets<C>,
    ) -> Result<(), Refusal> {
        let is_nobody_s = commit.generation.is_none() && self.members.is_empty();
        if guard!("group.consumer.offset.commit/nobody", is_nobody_s) {
            return Ok(());
        }
        let member = commit.member.id.as_ref().and_then(|id| self.members.get(id));
        guard!("group.consumer.offset.commit/known", member.is_some());
        let member = member.ok_or(Refusal::UnknownMemberId)?;
        if !guard!("group.consumer.offset.commit/version", commit.knows_group_id_not_found) {
            return Err(Refusal::UnsupportedVersion);
        }
        let named = commit.generation.map(|epoch| GroupEpoch(epoch.0));
        match rules.commit_epoch {
            CommitEpoch::UpToItsOwn if named.is_some() && named < member.current.epoch => Ok(()),
            _ if guard!("group.consumer.offset.commit", member.current.is_at(named)) => Ok(()),
            _ => Err(Refusal::StaleMemberEpoch),
        }
    }

    /// `group.consumer.offset.fetch`: who says that it is a member, and at which epoch, hears of offsets only if it is.
    pub(in crate::group) fn validate_fetch(&self, reader: &Reader) -> Result<(), Refusal> {
        if guard!("group.consumer.offset.fetch/anyone", reader.member.is_none() && reader.epoch.is_none()) {
            return Ok(());
        }
        let member = reader.member.as_ref().and_then(|id| self.members.get(id));
        guard!("group.consumer.offset.fetch/known", member.is_some());
        let member = member.ok_or(Refusal::UnknownMemberId)?;
        match guard!("group.consumer.offset.fetch", member.current.is_at(reader.epoch)) {
            true => Ok(()),
            false => Err(Refusal::StaleMemberEpoch),
        }
    }
}

impl super::Current {
    fn is_at(&self, epoch: Option<GroupEpoch>) -> bool {
        epoch.is_some() && epoch == self.epoch
    }
}
