//! Who a heartbeat comes from, what it changes about the group, and which share its member is to get.
//!
//! Rules: `group.consumer.*`. Source: Kafka's `GroupMetadataManager.getOrMaybeSubscribeStaticConsumerGroupMember`,
//! `updateSubscriptionMetadata`.

use super::{
    ConsumerGroup, ConsumerHeartbeat, ConsumerMember, ConsumerRecord, Current, GroupEpoch, GroupEpochs, KnownTopics,
    MemberDetails, MetadataHash, Progress, Purpose, Share,
};
use crate::group::turn::Turn;
use crate::group::{InstanceId, MemberId, TopicName};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Who a heartbeat comes from.
pub(super) struct Asks<'a> {
    /// The member as it was, or a new one.
    pub(super) member: ConsumerMember,
    /// The last life of a static member, if this begins its next one.
    pub(super) replaces: Option<&'a MemberId>,
}

impl ConsumerGroup {
    pub(super) fn who_asks(&self, id: &MemberId, beat: &ConsumerHeartbeat) -> Result<Asks<'_>, Refusal> {
        let Some(instance) = &beat.member.instance else {
            let member = match (self.members.get(id), beat.purpose) {
                (Some(known), _) => known.clone(),
                (None, Purpose::Join) => ConsumerMember::default(),
                (None, _) => {
                    rule!("group.consumer.fence/unknown");
                    return Err(Refusal::UnknownMemberId);
                }
            };
            member.current.fence(beat)?;
            return Ok(Asks { member, replaces: None });
        };
        match beat.purpose {
            Purpose::Join => self.static_joins(instance, id),
            _ => {
                let member = self.validate_static(instance, id)?;
                member.current.fence(beat)?;
                Ok(Asks { member: member.clone(), replaces: None })
            }
        }
    }

    /// `group.consumer.static`: a static member that has gone for a while comes back under another id, and has the share
    /// that it had. While its last life is there no other can begin.
    fn static_joins(&self, instance: &InstanceId, id: &MemberId) -> Result<Asks<'_>, Refusal> {
        match self.static_member(instance) {
            None => Ok(Asks { member: self.members.get(id).cloned().unwrap_or_default(), replaces: None }),
            Some((_, living)) if guard!("group.consumer.static", living.current.epoch.is_some()) => {
                Err(Refusal::UnreleasedInstanceId)
            }
            Some((old, gone)) => {
                let begins = Current { epoch: Some(GroupEpoch(0)), previous: GroupEpoch(0), ..(*gone.current).clone() };
                let member = ConsumerMember { metadata: Arc::clone(&gone.metadata), current: Arc::new(begins) };
                Ok(Asks { member, replaces: Some(old) })
            }
        }
    }

    /// `group.consumer.instance-fence`: of a static member only the last life counts.
    pub(super) fn validate_static(&self, instance: &InstanceId, id: &MemberId) -> Result<&ConsumerMember, Refusal> {
        let found = self.static_member(instance);
        guard!("group.consumer.instance-fence/known", found.is_some());
        let (living, member) = found.ok_or(Refusal::UnknownMemberId)?;
        if guard!("group.consumer.instance-fence", living == id) { Ok(member) } else { Err(Refusal::FencedInstanceId) }
    }
}

impl Current {
    /// `group.consumer.fence`: a member says which epoch it is at, and whoever is elsewhere is to begin anew, without any
    /// partition. One epoch behind is good enough while it owns nothing that it is to give up: it may not have heard the
    /// answer. So is whoever stands as only a later version knows, and still owns something.
    fn fence(&self, beat: &ConsumerHeartbeat) -> Result<(), Refusal> {
        let said = match beat.purpose {
            Purpose::Stay(epoch) => epoch,
            _ => GroupEpoch(0),
        };
        let may_own = || beat.owned.as_ref().is_none_or(|owned| !owned.is_empty());
        if guard!("group.consumer.fence/later", self.progress == Progress::Unknown && may_own()) {
            return Err(Refusal::FencedMemberEpoch);
        }
        let owns_its_own = || beat.owned.as_ref().is_some_and(|owned| owned.is_subset(&self.assigned));
        match self.epoch {
            Some(epoch) if guard!("group.consumer.fence", said == epoch) => Ok(()),
            Some(epoch)
                if guard!("group.consumer.fence/behind", said < epoch && said == self.previous && owns_its_own()) =>
            {
                Ok(())
            }
            _ => Err(Refusal::FencedMemberEpoch),
        }
    }
}

/// A member that joins or stays, in its group.
pub(super) struct Subscribing<'a> {
    pub(super) group: &'a ConsumerGroup,
    pub(super) id: &'a MemberId,
    pub(super) replaces: Option<&'a MemberId>,
    /// The member as it was.
    pub(super) before: &'a ConsumerMember,
    /// What it says of itself now.
    pub(super) metadata: &'a MemberDetails,
}

impl Subscribing<'_> {
    /// The members from now on, each with what it says of itself.
    pub(super) fn members(&self) -> impl Iterator<Item = (&MemberId, &MemberDetails)> {
        let is_other = |id: &&MemberId| *id != self.id && Some(*id) != self.replaces;
        let others = self.group.members.iter().filter(move |(id, _)| is_other(id));
        others.map(|(id, member)| (id, &*member.metadata)).chain([(self.id, self.metadata)])
    }

    /// The member's share of the last target assignment, be it in its last life.
    pub(super) fn target(&self) -> Option<&Share> {
        self.group.targets.get(self.replaces.unwrap_or(self.id))
    }

    pub(super) fn write_member<C: Carrier>(&self, turn: &mut Turn<'_, C>) {
        if let Some(old) = self.replaces {
            turn.write_consumer_gone(old);
            let share = self.target().cloned().unwrap_or_default();
            turn.write_consumer(ConsumerRecord::Target(self.id.clone(), Some(share)));
            turn.write_consumer(ConsumerRecord::Current(self.id.clone(), Some(Arc::clone(&self.before.current))));
        }
        if !self.group.members.contains_key(self.id) || *self.metadata != *self.before.metadata {
            let metadata = Some(Arc::new(self.metadata.clone()));
            turn.write_consumer(ConsumerRecord::Member(self.id.clone(), metadata));
        }
    }

    /// `group.consumer.epoch`: the group has another epoch when a member wants to read other topics, and
    /// `group.consumer.topics`: when a topic that some member wants to read is another than before, which is looked at
    /// unless it is `known` to be the same.
    pub(super) fn group_epoch<C: Carrier>(
        &self,
        known: bool,
        topics: &KnownTopics,
        turn: &mut Turn<'_, C>,
    ) -> GroupEpoch {
        let group = self.group;
        let changed = group.epoch == GroupEpoch(0) || self.metadata.topics != self.before.metadata.topics;
        guard!("group.consumer.epoch", changed);
        if !changed && known {
            return group.epoch;
        }
        let wanted: BTreeSet<&TopicName> = self.members().flat_map(|(_, member)| &member.topics).collect();
        let hash = MetadataHash::of(&wanted, topics);
        if !changed && !guard!("group.consumer.topics", hash != group.topics) {
            return group.epoch;
        }
        let epoch = group.epoch.next();
        turn.write_consumer(ConsumerRecord::Group(Some(GroupEpochs { epoch, topics: hash })));
        epoch
    }
}
