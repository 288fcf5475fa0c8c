//! Renaming the brokers that a replica speaks of.

use super::{
    FetchRequest, Follower, Isr, IsrProposal, IsrState, Leader, Peer, Progress, ReadRole, ReadView, Replica, Role,
};
use crate::machine::Carrier;
use crate::symmetry::{Names, Renamed};

impl<C: Carrier> Renamed for Replica<C> {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self {
            me: names(self.me),
            log: self.log.clone(),
            high_watermark: self.high_watermark,
            producers: self.producers.clone(),
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            role: self.role.renamed(names),
        }
    }
}

impl<C: Carrier> Renamed for Role<C> {
    fn renamed(&self, names: Names<'_>) -> Self {
        match self {
            Self::Unassigned => Self::Unassigned,
            Self::Leader(leader) => Self::Leader(leader.renamed(names)),
            Self::Follower(follower) => {
                Self::Follower(Follower { leader: follower.leader.renamed(names), ..*follower })
            }
            Self::Offline(refusal) => Self::Offline(*refusal),
        }
    }
}

impl<C: Carrier> Renamed for Leader<C> {
    fn renamed(&self, names: Names<'_>) -> Self {
        let mut progress = self.progress.renamed(names);
        progress.sort_by_key(|progress| progress.replica);
        Self {
            epoch_start: self.epoch_start,
            min_insync_replicas: self.min_insync_replicas,
            isr: self.isr.renamed(names),
            progress,
            waiting: self.waiting.clone(),
        }
    }
}

impl<C: Carrier> Renamed for Progress<C> {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self {
            replica: names(self.replica),
            peer: self.peer.map(|peer| Peer { broker: names(peer.broker), ..peer }),
            end: self.end,
            broker_epoch: self.broker_epoch,
            previous: self.previous,
            lagging: self.lagging,
        }
    }
}

impl Renamed for Isr {
    fn renamed(&self, names: Names<'_>) -> Self {
        match self {
            Self::Committed(isr) => Self::Committed(isr.renamed(names)),
            Self::Pending { committed, proposal } => {
                Self::Pending { committed: committed.renamed(names), proposal: proposal.renamed(names) }
            }
        }
    }
}

impl Renamed for IsrProposal {
    fn renamed(&self, names: Names<'_>) -> Self {
        let mut members: Vec<_> = self.members.iter().map(|(member, epoch)| (names(*member), *epoch)).collect();
        members.sort_unstable();
        Self { members, ..*self }
    }
}

impl Renamed for IsrState {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { isr: self.isr.renamed(names), ..*self }
    }
}

impl Renamed for FetchRequest {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { leader: names(self.leader), ..*self }
    }
}

impl Renamed for ReadView {
    fn renamed(&self, names: Names<'_>) -> Self {
        let role = match &self.role {
            ReadRole::Leader { assigned, epoch_start } => {
                ReadRole::Leader { assigned: assigned.renamed(names), epoch_start: *epoch_start }
            }
            ReadRole::NotLeader => ReadRole::NotLeader,
            ReadRole::Offline(refusal) => ReadRole::Offline(*refusal),
        };
        Self { role, epochs: self.epochs.clone(), ..*self }
    }
}
