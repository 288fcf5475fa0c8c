//! AlterPartition: a leader proposes an ISR, the controller accepts or refuses it.
//!
//! Rules: `controller.isr.*`. Source: KIP-497, KIP-841, KIP-903; Kafka 4.1's
//! `ReplicationControlManager.validateAlterPartitionData`.

use super::{ChangeBuilder, Controller, IsrChange, Partition, Record, Reply};
use crate::marks::guard;
use crate::refusal::Refusal;
use crate::replica::{IsrProposal, IsrState};
use crate::rules::{IsrBrokerEpoch, Rules};
use crate::values::{BrokerEpoch, BrokerId};

impl Controller {
    pub(super) fn alter_partition(
        &self,
        rules: &Rules,
        broker: BrokerId,
        broker_epoch: BrokerEpoch,
        changes: &[IsrChange],
        records: &mut Vec<Record>,
    ) -> Reply {
        match self.image.brokers.get(&broker) {
            None => return Reply::Refused(Refusal::BrokerIdNotRegistered),
            Some(known) if known.epoch != broker_epoch => return Reply::Refused(Refusal::StaleBrokerEpoch),
            Some(_) => {}
        }
        let mut answers = Vec::with_capacity(changes.len());
        let mut seen = Vec::with_capacity(changes.len());
        for change in changes {
            // The second change of one partition was made from an epoch that the first one ends.
            let answer = match seen.contains(&change.partition) {
                true => Err(Refusal::InvalidUpdateVersion),
                false => self.alter_one(rules, broker, change, records),
            };
            seen.push(change.partition);
            answers.push((change.partition, answer));
        }
        Reply::AlteredPartitions(answers)
    }

    fn alter_one(
        &self,
        rules: &Rules,
        broker: BrokerId,
        change: &IsrChange,
        records: &mut Vec<Record>,
    ) -> Result<IsrState, Refusal> {
        let id = change.partition;
        if !self.image.topics.contains_key(&id.topic) {
            return Err(Refusal::UnknownTopicId);
        }
        let partition = self.image.partition(id).ok_or(Refusal::UnknownTopicOrPartition)?;
        self.validate(rules, broker, partition, &change.proposal)?;
        let mut after = partition.clone();
        let builder = ChangeBuilder::new(rules, &self.image, id, partition);
        if let Some(change) = builder.isr(change.proposal.brokers()).recovered().build() {
            after.apply(&change);
            records.push(Record::PartitionChanged { partition: id, change });
        }
        Ok(IsrState { leader_epoch: after.leader_epoch, partition_epoch: after.partition_epoch, isr: after.isr })
    }

    /// Kafka's checks in Kafka's order.
    fn validate(
        &self,
        rules: &Rules,
        broker: BrokerId,
        partition: &Partition,
        proposal: &IsrProposal,
    ) -> Result<(), Refusal> {
        let isr = proposal.brokers();
        // `controller.isr.newer`: whoever knows more than this controller must find the active one.
        let newer =
            proposal.leader_epoch > partition.leader_epoch || proposal.partition_epoch > partition.partition_epoch;
        if guard!("controller.isr.newer", newer) {
            return Err(Refusal::NotController);
        }
        if proposal.leader_epoch < partition.leader_epoch {
            return Err(Refusal::FencedLeaderEpoch);
        }
        if partition.leader != Some(broker) {
            return Err(Refusal::InvalidRequest);
        }
        // `controller.isr.compare`: compare and set on the partition epoch.
        if proposal.partition_epoch < partition.partition_epoch {
            guard!("controller.isr.compare", true);
            return Err(Refusal::InvalidUpdateVersion);
        }
        guard!("controller.isr.compare", false);
        let has_duplicates = isr.len() != proposal.members.len();
        if has_duplicates || !isr.contains(broker) || !isr.iter().all(|member| partition.replicas.contains(&member)) {
            return Err(Refusal::InvalidRequest);
        }
        match proposal.members.iter().all(|(member, epoch)| self.is_eligible(rules, *member, *epoch)) {
            true => Ok(()),
            false => Err(Refusal::IneligibleReplica),
        }
    }

    /// `controller.isr.eligible`: members are active, and of the incarnation that fetched.
    fn is_eligible(&self, rules: &Rules, member: BrokerId, fetched: Option<BrokerEpoch>) -> bool {
        let Some(known) = self.image.brokers.get(&member) else { return false };
        let same =
            rules.isr_broker_epoch == IsrBrokerEpoch::Unchecked || fetched.is_none_or(|epoch| epoch == known.epoch);
        guard!("controller.isr.eligible", known.is_active() && same)
    }
}
