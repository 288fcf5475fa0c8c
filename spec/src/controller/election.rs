//! One change of one partition: who is in sync, who is still eligible, who leads.
//!
//! Rules: `controller.elect.*`, `controller.elr.*`. Source: KIP-631, KIP-966; Kafka 4.1's `PartitionChangeBuilder`.

use super::{Image, Partition, PartitionChange};
use crate::marks::guard;
use crate::rules::Rules;
use crate::values::{BrokerId, Brokers, TopicPartition};

/// How far an election may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Election {
    /// Keep the leader if it may lead, else find another that is complete.
    Online,
    /// Put the preferred replica first.
    Preferred,
    /// Rather any replica that is alive than none.
    Unclean,
}

/// A change in the making.
pub(super) struct ChangeBuilder<'a> {
    rules: &'a Rules,
    image: &'a Image,
    id: TopicPartition,
    partition: &'a Partition,
    election: Election,
    target_isr: Brokers,
    target_elr: Brokers,
    still_recovering: bool,
    /// Counts as active though the image says that it is fenced: it is being unfenced.
    joining: Option<BrokerId>,
    /// Does not count as active whatever the image says: it is being fenced.
    leaving: Option<BrokerId>,
    /// Has restarted without having shut down cleanly, so that it may lack what it had.
    unclean: Option<BrokerId>,
    /// Chosen before others that are as good, in place of Kafka's order of replicas.
    choice: Option<BrokerId>,
}

struct Elected {
    leader: Option<BrokerId>,
    unclean: bool,
}

impl<'a> ChangeBuilder<'a> {
    pub(super) fn new(rules: &'a Rules, image: &'a Image, id: TopicPartition, partition: &'a Partition) -> Self {
        let unclean_allowed = image.allows_unclean_election(id.topic);
        Self {
            rules,
            image,
            id,
            partition,
            election: if unclean_allowed { Election::Unclean } else { Election::Online },
            target_isr: partition.isr.clone(),
            target_elr: partition.elr.clone(),
            still_recovering: partition.recovering,
            joining: None,
            leaving: None,
            unclean: None,
            choice: None,
        }
    }

    pub(super) fn isr(self, target_isr: Brokers) -> Self {
        Self { target_isr, ..self }
    }

    pub(super) fn current_isr(&self) -> &Brokers {
        &self.partition.isr
    }

    pub(super) fn election(self, election: Election) -> Self {
        Self { election, ..self }
    }

    pub(super) fn recovered(self) -> Self {
        Self { still_recovering: false, ..self }
    }

    pub(super) fn joining(self, joining: Option<BrokerId>) -> Self {
        Self { joining, ..self }
    }

    pub(super) fn leaving(self, leaving: Option<BrokerId>) -> Self {
        Self { leaving, ..self }
    }

    pub(super) fn unclean(self, unclean: Option<BrokerId>) -> Self {
        Self { unclean, ..self }
    }

    pub(super) fn choice(self, choice: Option<BrokerId>) -> Self {
        Self { choice, ..self }
    }

    /// The change, or `None` when nothing changes.
    pub(super) fn build(mut self) -> Option<PartitionChange> {
        self.settle_elr();
        let elected = self.elect();
        let mut change = PartitionChange::default();
        if elected.leader != self.partition.leader {
            change.leader = Some(elected.leader);
            self.install(&elected, &mut change);
        }
        self.write_isr_and_elr(elected.unclean, &mut change);
        self.write_last_known_leader(&mut change);
        if change.recovering.is_none() && self.still_recovering != self.partition.recovering {
            change.recovering = Some(self.still_recovering);
        }
        (!change.is_noop()).then_some(change)
    }

    /// `controller.elr.enough`: with enough replicas in sync there is no ELR. `controller.elr.keep`: below
    /// `min.insync.replicas` nothing more is committed, so whoever was in sync stays complete.
    /// `controller.elr.unclean-restart`: but for one that may have lost what it had.
    fn settle_elr(&mut self) {
        if !self.rules.keeps_elr() {
            return;
        }
        let enough = self.target_isr.len() >= self.image.min_insync_replicas(self.id.topic);
        self.target_elr = match guard!("controller.elr.enough", enough) {
            true => Brokers::default(),
            false => {
                guard!("controller.elr.unclean-restart", self.unclean.is_some());
                let was_complete = self.partition.elr.union(&self.partition.isr).minus(&self.target_isr);
                guard!("controller.elr.keep", !was_complete.is_empty());
                self.unclean.map_or(was_complete.clone(), |unclean| was_complete.without(unclean))
            }
        };
    }

    fn is_acceptable(&self, broker: BrokerId) -> bool {
        let barred = [self.leaving, self.unclean].contains(&Some(broker));
        !barred && (self.joining == Some(broker) || self.image.is_active(broker))
    }

    /// `controller.elect.complete`: a leader is active, and in sync; or eligible, when no one is in sync.
    fn may_lead(&self, broker: BrokerId) -> bool {
        let eligible = self.target_isr.is_empty() && self.target_elr.contains(broker);
        guard!(
            "controller.elect.complete",
            (self.target_isr.contains(broker) || eligible) && self.is_acceptable(broker)
        )
    }

    /// The replicas in Kafka's order, but for the choice.
    fn candidates(&self) -> impl Iterator<Item = BrokerId> + '_ {
        let chosen = self.choice.filter(|choice| self.partition.replicas.contains(choice));
        chosen.into_iter().chain(self.partition.replicas.iter().copied())
    }

    /// `controller.elect.order`
    fn elect(&self) -> Elected {
        let clean = |leader| Elected { leader: Some(leader), unclean: false };
        let unclean = |leader| Elected { leader: Some(leader), unclean: true };
        let preferred = self.partition.replicas.first().copied().filter(|_| self.election == Election::Preferred);
        let in_place = [preferred, self.partition.leader].into_iter().flatten();
        if let Some(leader) = in_place.chain(self.candidates()).find(|broker| self.may_lead(*broker)) {
            guard!("controller.elect.order", true);
            return clean(leader);
        }
        guard!("controller.elect.order", false);
        if let Some(leader) = self.last_known_leader() {
            return unclean(leader);
        }
        if guard!("controller.elect.unclean", self.election == Election::Unclean)
            && let Some(leader) = self.candidates().find(|broker| self.is_acceptable(*broker))
        {
            return unclean(leader);
        }
        Elected { leader: None, unclean: false }
    }

    /// `controller.elect.last-known`: with neither ISR nor ELR left, the one that led last, if it is back.
    fn last_known_leader(&self) -> Option<BrokerId> {
        let no_one_complete = self.target_isr.is_empty() && self.target_elr.is_empty();
        guard!("controller.elect.last-known", no_one_complete);
        let last = self.partition.last_known_leader.filter(|_| self.rules.keeps_elr() && no_one_complete);
        last.filter(|leader| self.is_acceptable(*leader))
    }

    /// An eligible replica leads alone and in sync; after an unclean election the leader's log is all there is.
    fn install(&mut self, elected: &Elected, change: &mut PartitionChange) {
        let Some(leader) = elected.leader else { return };
        if guard!("controller.elect.complete/eligible", self.target_elr.contains(leader)) {
            self.target_isr = Brokers::only(leader);
            self.target_elr = self.target_elr.without(leader);
        } else if elected.unclean {
            change.isr = Some(Brokers::only(leader));
            change.recovering = Some(true).filter(|_| !self.partition.recovering);
        }
    }

    /// `controller.isr.last`: without an ELR the last in-sync replica stays in the ISR, though it may not lead.
    fn write_isr_and_elr(&mut self, unclean: bool, change: &mut PartitionChange) {
        if unclean || !self.rules.keeps_elr() {
            self.target_elr = Brokers::default();
        }
        if self.target_elr != self.partition.elr {
            change.elr = Some(self.target_elr.clone());
        }
        let may_be_empty = self.rules.keeps_elr();
        if change.isr.is_none()
            && (may_be_empty || !self.target_isr.is_empty())
            && self.target_isr != self.partition.isr
        {
            change.isr = Some(self.target_isr.clone());
        }
    }

    /// `controller.elect.last-known`: remembered when leadership ends, forgotten when it begins.
    fn write_last_known_leader(&self, change: &mut PartitionChange) {
        if !self.rules.keeps_elr() {
            return;
        }
        match (change.leader, self.partition.last_known_leader) {
            (Some(None), None) => change.last_known_leader = Some(self.partition.leader),
            (Some(Some(_)), Some(_)) => change.last_known_leader = Some(None),
            _ => {}
        }
    }
}
