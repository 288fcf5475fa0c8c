//! The in-sync replicas, as a leader knows them: what the controller last confirmed, and what it has been asked.
//!
//! Rules: `replica.isr.*`. Source: KIP-497, KIP-903; Kafka's `Partition.prepareIsrExpand`, `handleAlterPartitionError`.

use super::{Output, Replica, Role, Timer};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::rules::{IsrAdmission, IsrBrokerEpoch, Rules};
use crate::values::{BrokerEpoch, BrokerId, Brokers, LeaderEpoch, PartitionEpoch, TopicPartition};

/// The ISR, with at most one change under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Isr {
    /// As the controller confirmed it.
    Committed(Brokers),
    /// A change was proposed. Whether the controller has made it is not known.
    Pending {
        /// As last confirmed.
        committed: Brokers,
        /// As proposed: with one more member, or with fewer.
        proposal: IsrProposal,
    },
}

/// A change of the ISR that a leader asks for (AlterPartition).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsrProposal {
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// The partition epoch that the change was made from.
    pub partition_epoch: PartitionEpoch,
    /// The members, each with the broker epoch of its last fetch. `None` for one that has not fetched from this
    /// leader: should it restart, its removal raises the partition epoch and so refuses this proposal.
    pub members: Vec<(BrokerId, Option<BrokerEpoch>)>,
}

/// A partition after the controller has dealt with a proposal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsrState {
    /// The leader epoch in force.
    pub leader_epoch: LeaderEpoch,
    /// The partition epoch in force.
    pub partition_epoch: PartitionEpoch,
    /// The ISR in force.
    pub isr: Brokers,
}

/// The controller's answer to some proposals: each by itself, or the whole request refused.
pub type ProposalsOutcome = Result<Vec<(TopicPartition, Result<IsrState, Refusal>)>, Refusal>;

impl IsrProposal {
    /// The members without their epochs.
    #[must_use]
    pub fn brokers(&self) -> Brokers {
        self.members.iter().map(|(broker, _)| *broker).collect()
    }
}

impl Isr {
    /// As last confirmed by the controller.
    #[must_use]
    pub fn committed(&self) -> &Brokers {
        match self {
            Self::Committed(isr) | Self::Pending { committed: isr, .. } => isr,
        }
    }

    /// `replica.isr.maximal`: every member that the controller may have by now. A proposed one may have been admitted
    /// already; one that is to leave may still be in.
    #[must_use]
    pub fn maximal(&self) -> Brokers {
        guard!("replica.isr.maximal", self.is_pending());
        match self {
            Self::Committed(isr) => isr.clone(),
            Self::Pending { committed, proposal } => committed.union(&proposal.brokers()),
        }
    }

    /// Whether an answer is awaited.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Pending { .. })
    }
}

impl<C: Carrier> Replica<C> {
    /// `replica.isr.one`: one change at a time. `replica.isr.admit`: a follower joins once it has all that may have
    /// been committed, and only the incarnation that fetched it.
    pub(super) fn propose_isr_expansion(&mut self, rules: &Rules, joining: BrokerId, out: &mut Vec<Output<C>>) {
        let high_watermark = self.high_watermark;
        let Role::Leader(leader) = &self.role else { return };
        guard!("replica.isr.one", leader.isr.is_pending());
        let Isr::Committed(isr) = &leader.isr else { return };
        if guard!("replica.isr.admit/member", isr.contains(joining)) || !leader.is_isr_eligible(rules, joining) {
            return;
        }
        let needed = match rules.isr_admission {
            IsrAdmission::HighWatermark => high_watermark,
            IsrAdmission::HighWatermarkAndEpochStart => high_watermark.max(leader.epoch_start),
        };
        if guard!("replica.isr.admit", leader.end_of(joining).is_some_and(|end| end >= needed)) {
            let proposed = isr.with(joining);
            self.propose_isr(rules, &proposed, out);
        }
    }

    /// `replica.isr.lag`: a member that has not been caught up for `replica.lag.time.max.ms` and is behind now leaves.
    pub(super) fn follower_lagged(&mut self, rules: &Rules, follower: BrokerId, out: &mut Vec<Output<C>>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress_mut(follower) else { return };
        progress.lagging = true;
        self.propose_isr_shrink(rules, out);
    }

    /// All that are out of sync leave at once; while a change is under way they wait for the timer after its answer.
    fn propose_isr_shrink(&mut self, rules: &Rules, out: &mut Vec<Output<C>>) {
        let Role::Leader(leader) = &self.role else { return };
        let Isr::Committed(isr) = &leader.isr else { return };
        let out_of_sync = leader.progress.iter().filter(|progress| !progress.is_caught_up(self.log.end));
        let remaining = isr.minus(&out_of_sync.map(|progress| progress.replica).collect());
        if guard!("replica.isr.lag", remaining != *isr) {
            self.propose_isr(rules, &remaining, out);
        }
    }

    /// Gives members that are behind `replica.lag.time.max.ms` from now: those that have just joined, and those whose
    /// time ran out while another change was under way.
    pub(super) fn watch_lagging(&self, out: &mut Vec<Output<C>>) {
        let Role::Leader(leader) = &self.role else { return };
        let isr = leader.isr.committed();
        let behind = leader.progress.iter().filter(|progress| progress.lagging && isr.contains(progress.replica));
        out.extend(behind.map(|progress| Output::SetTimer { timer: Timer::Lag(progress.replica), from: None }));
    }

    fn propose_isr(&mut self, rules: &Rules, proposed: &Brokers, out: &mut Vec<Output<C>>) {
        let (Some(leader_epoch), Some(partition_epoch)) = (self.leader_epoch, self.partition_epoch) else { return };
        let Role::Leader(leader) = &mut self.role else { return };
        let members = proposed
            .iter()
            .map(|broker| {
                (
                    broker,
                    leader.fetched_broker_epoch(broker).filter(|_| rules.isr_broker_epoch == IsrBrokerEpoch::Checked),
                )
            })
            .collect();
        let proposal = IsrProposal { leader_epoch, partition_epoch, members };
        leader.isr = Isr::Pending { committed: leader.isr.committed().clone(), proposal: proposal.clone() };
        out.push(Output::ProposeIsr(proposal));
    }

    /// `replica.isr.answer`: only the answer to the proposal under way counts.
    pub(super) fn isr_answered(
        &mut self,
        rules: &Rules,
        proposal: &IsrProposal,
        outcome: Result<IsrState, Refusal>,
        out: &mut Vec<Output<C>>,
    ) {
        let (leader_epoch, partition_epoch) = (self.leader_epoch, self.partition_epoch);
        let Role::Leader(leader) = &mut self.role else { return };
        let Isr::Pending { committed, proposal: pending } = &leader.isr else { return };
        if guard!("replica.isr.answer/other", pending != proposal) {
            return;
        }
        let in_force = |state: &IsrState| {
            Some(state.leader_epoch) == leader_epoch && Some(state.partition_epoch) >= partition_epoch
        };
        match outcome {
            Ok(state) if guard!("replica.isr.answer", in_force(&state)) => {
                leader.isr = Isr::Committed(state.isr);
                self.partition_epoch = Some(state.partition_epoch);
                self.watch_lagging(out);
                self.raise_high_watermark(rules, out);
            }
            // Metadata is on its way and will override what is pending.
            Ok(_) => {}
            Err(Refusal::IneligibleReplica) => {
                rule!("replica.isr.answer/ineligible");
                leader.isr = Isr::Committed(committed.clone());
            }
            Err(
                Refusal::FencedLeaderEpoch
                | Refusal::InvalidUpdateVersion
                | Refusal::InvalidRequest
                | Refusal::UnknownTopicId
                | Refusal::UnknownTopicOrPartition,
            ) => rule!("replica.isr.answer/superseded"),
            Err(_) => {
                rule!("replica.isr.answer/again");
                out.push(Output::ProposeIsr(proposal.clone()));
            }
        }
    }
}
