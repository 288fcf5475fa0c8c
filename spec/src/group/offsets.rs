//! Offsets: up to where a group has read.
//!
//! Not here: offsets that wait for a transaction. Rules: `group.offset.*`. Source: Kafka's `OffsetMetadataManager`.

use super::turn::Turn;
use super::{
    ClassicGroup, CommitOffsets, CommittedOffset, Coordinator, FetchedOffsets, GroupId, Measured, NamedPartition,
    OffsetToCommit, PartitionResults, Reader, State, TopicName,
};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::rules::{CommitFencing, Rules};

impl<C: Measured> Coordinator<C> {
    /// `group.offset.simple`: who names no generation needs no members, and makes the group if there is none.
    pub(super) fn commit_offsets(
        &mut self,
        rules: &Rules,
        commit: CommitOffsets<C>,
        turn: &mut Turn<'_, C>,
    ) -> PartitionResults {
        if let Some(group) = self.consumer_group(turn.group) {
            if rules.commit_fencing == CommitFencing::Generation {
                group.validate_commit(rules, &commit)?;
            }
            return Ok(self.keep_offsets(commit, turn));
        }
        let is_first = commit.generation.is_none() && !self.classic.contains_key(turn.group);
        if guard!("group.offset.simple", is_first) {
            self.classic.insert(turn.group.clone(), ClassicGroup::empty(Some(turn.at)));
        }
        let unknown = match commit.knows_group_id_not_found {
            true => Refusal::GroupIdNotFound,
            false => Refusal::IllegalGeneration,
        };
        let found = self.classic.get(turn.group);
        guard!("group.offset.fence/known", found.is_some());
        let group = found.ok_or(unknown)?;
        if rules.commit_fencing == CommitFencing::Generation {
            group.validate_commit(&commit)?;
        }
        if let (State::Stable | State::PreparingRebalance, Ok(id)) = (group.state, group.validate(&commit.member)) {
            group.extend_session(id, turn);
        }
        Ok(self.keep_offsets(commit, turn))
    }

    /// `group.offset.metadata-size`: a partition whose metadata is too long is refused by itself.
    fn keep_offsets(
        &self,
        commit: CommitOffsets<C>,
        turn: &mut Turn<'_, C>,
    ) -> Vec<(NamedPartition, Result<(), Refusal>)> {
        let max = self.config.max_offset_metadata;
        let keep = |(partition, given): (NamedPartition, OffsetToCommit<C>)| {
            if guard!("group.offset.metadata-size", given.metadata_length > max) {
                return (partition, Err(Refusal::OffsetMetadataTooLarge));
            }
            let OffsetToCommit { offset, leader_epoch, metadata, .. } = given;
            turn.write_offset(partition.clone(), Some(CommittedOffset { offset, leader_epoch, metadata, at: turn.at }));
            (partition, Ok(()))
        };
        commit.offsets.into_iter().map(keep).collect()
    }

    /// `group.offset.delete`: not while members of the group read the topic; of a group that reads no topics that the
    /// coordinator knows of, not while it has members.
    pub(super) fn delete_offsets(&self, partitions: Vec<NamedPartition>, turn: &mut Turn<'_, C>) -> PartitionResults {
        if guard!("group.offset.delete/group", turn.group.0.is_empty()) {
            return Err(Refusal::InvalidGroupId);
        }
        let consumer = self.consumer_group(turn.group);
        let classic = self.classic.get(turn.group);
        match classic {
            None if guard!("group.offset.delete/unknown", consumer.is_none()) => return Err(Refusal::GroupIdNotFound),
            Some(group)
                if guard!("group.offset.delete/others", group.state != State::Empty && !group.is_consumer()) =>
            {
                return Err(Refusal::NonEmptyGroup);
            }
            _ => {}
        }
        let is_subscribed = |topic: &TopicName| {
            classic.is_some_and(|group| group.is_subscribed(topic))
                || consumer.is_some_and(|group| group.is_subscribed(topic))
        };
        let stored = self.stored.get(turn.group);
        let forget = |partition: NamedPartition| {
            if guard!("group.offset.delete", is_subscribed(&partition.topic)) {
                return (partition, Err(Refusal::GroupSubscribedToTopic));
            }
            if stored.is_some_and(|stored| stored.offsets.contains_key(&partition)) {
                turn.write_offset(partition.clone(), None);
            }
            (partition, Ok(()))
        };
        Ok(partitions.into_iter().map(forget).collect())
    }

    /// What of a group's offsets `reader` may hear.
    pub(super) fn offsets_for(
        &self,
        reader: &Reader,
        group: &GroupId,
        partitions: Option<&[NamedPartition]>,
    ) -> Result<FetchedOffsets<C>, Refusal> {
        self.consumer_group(group).map_or(Ok(()), |found| found.validate_fetch(reader))?;
        Ok(self.offsets_of(group, partitions))
    }

    /// `group.offset.fetch`: what was committed last, or nothing; asking needs no membership and no group.
    fn offsets_of(&self, group: &GroupId, partitions: Option<&[NamedPartition]>) -> FetchedOffsets<C> {
        rule!("group.offset.fetch");
        let stored = self.stored.get(group);
        let offset = |partition| stored.and_then(|stored| stored.offsets.get(partition)).cloned();
        match partitions {
            Some(partitions) => partitions.iter().map(|partition| (partition.clone(), offset(partition))).collect(),
            None => {
                let all = stored.into_iter().flat_map(|stored| &stored.offsets);
                all.map(|(partition, committed)| (partition.clone(), Some(committed.clone()))).collect()
            }
        }
    }
}

impl<C: Carrier> ClassicGroup<C> {
    /// `group.offset.fence`: who was a member of an earlier generation commits no more. `group.offset.completing`: no one
    /// does between generations' beginning and its assignment; while a rebalance is prepared members of the generation
    /// that ends still may, and so hand over what they have done.
    fn validate_commit(&self, commit: &CommitOffsets<C>) -> Result<(), Refusal> {
        if guard!("group.offset.fence/nobody", commit.generation.is_none() && self.state == State::Empty) {
            return Ok(());
        }
        let is_anyone = commit.generation.is_none() && commit.member.id.is_none() && commit.member.instance.is_none();
        if guard!("group.offset.fence/anyone", is_anyone) {
            return Err(Refusal::UnknownMemberId);
        }
        self.validate(&commit.member)?;
        if !guard!("group.offset.fence", self.is_current(commit.generation)) {
            return Err(Refusal::IllegalGeneration);
        }
        if guard!("group.offset.completing", self.state == State::CompletingRebalance) {
            return Err(Refusal::RebalanceInProgress);
        }
        Ok(())
    }
}
