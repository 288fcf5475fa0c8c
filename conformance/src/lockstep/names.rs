//! What the model calls by one name and the cluster by another: topic, processes, broker epochs, metadata offsets.
//!
//! The model begins with a metadata log of its own, in which every broker registered in epoch 0. From there on both
//! logs grow by the same records, so that their offsets differ by the same number.

use super::plain::Told;
use highwater_spec::controller::{self, Heartbeat, Record, Register, Registration};
use highwater_spec::replica::{Assignment, FollowerFetch, IsrProposal, Peer};
use highwater_spec::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, TopicId, TopicPartition};
use highwater_spec::{broker, replica};
use std::collections::BTreeMap;

/// From the model's names to the cluster's.
#[derive(Clone, Debug)]
pub struct Names {
    /// The topic.
    pub topic: TopicId,
    /// How much further the cluster's metadata log reaches.
    pub shift: i64,
    /// The registrations with which the cluster began.
    pub first_epochs: BTreeMap<BrokerId, BrokerEpoch>,
    /// Each broker's present process.
    pub processes: BTreeMap<BrokerId, IncarnationId>,
}

impl Names {
    /// The one partition.
    pub fn partition(&self, of_model: TopicPartition) -> TopicPartition {
        TopicPartition { topic: self.topic, index: of_model.index }
    }

    /// A metadata offset.
    pub fn metadata(&self, offset: Offset) -> Offset {
        Offset(offset.0 + self.shift)
    }

    /// A registration of `broker`.
    pub fn epoch(&self, broker: BrokerId, epoch: BrokerEpoch) -> BrokerEpoch {
        match self.first_epochs.get(&broker) {
            Some(first) if epoch == BrokerEpoch(0) => *first,
            _ => BrokerEpoch(epoch.0 + self.shift),
        }
    }

    fn process(&self, broker: BrokerId) -> IncarnationId {
        self.processes.get(&broker).copied().unwrap_or_default()
    }

    /// What a replica hears.
    pub fn replica(&self, input: replica::Input<Told>) -> replica::Input<Told> {
        use replica::Input;
        match input {
            Input::Assigned(assignment) => {
                Input::Assigned(Assignment { peers: self.peers(assignment.peers), ..assignment })
            }
            Input::ClusterChanged { peers, min_insync_replicas } => {
                Input::ClusterChanged { peers: self.peers(peers), min_insync_replicas }
            }
            Input::FollowerFetched(fetch) => {
                let broker_epoch = fetch.broker_epoch.map(|epoch| self.epoch(fetch.replica, epoch));
                Input::FollowerFetched(FollowerFetch { broker_epoch, ..fetch })
            }
            Input::IsrAnswered { proposal, outcome } => {
                Input::IsrAnswered { proposal: self.proposal(proposal), outcome }
            }
            Input::Produced(requests) => {
                let without_ticket = |request| replica::Produce { ticket: Default::default(), ..request };
                Input::Produced(requests.into_iter().map(without_ticket).collect())
            }
            other => other,
        }
    }

    fn peers(&self, peers: Vec<Peer>) -> Vec<Peer> {
        peers.into_iter().map(|peer| Peer { epoch: self.epoch(peer.broker, peer.epoch), ..peer }).collect()
    }

    fn proposal(&self, proposal: IsrProposal) -> IsrProposal {
        let members = proposal.members.into_iter();
        let members = members.map(|(member, epoch)| (member, epoch.map(|epoch| self.epoch(member, epoch)))).collect();
        IsrProposal { members, ..proposal }
    }

    /// What a broker hears.
    pub fn broker(&self, at: BrokerId, input: broker::Input<Told>) -> broker::Input<Told> {
        use broker::Input;
        match input {
            Input::RegistrationAnswered { outcome, at: () } => {
                Input::RegistrationAnswered { outcome: outcome.map(|epoch| self.epoch(at, epoch)), at: () }
            }
            Input::MetadataArrived { from, records, at: () } => {
                let records = records.into_iter().map(|record| self.record(record)).collect();
                Input::MetadataArrived { from: self.metadata(from), records, at: () }
            }
            Input::IsrProposed { partition, proposal } => {
                Input::IsrProposed { partition: self.partition(partition), proposal: self.proposal(proposal) }
            }
            Input::AlterPartitionAnswered(outcome) => Input::AlterPartitionAnswered(outcome.map(|answers| {
                answers.into_iter().map(|(partition, outcome)| (self.partition(partition), outcome)).collect()
            })),
            other => other,
        }
    }

    /// What the controller hears.
    pub fn controller(&self, input: controller::Input) -> controller::Input {
        use controller::Input;
        match input {
            Input::Register(register) => Input::Register(Register {
                ticket: Default::default(),
                incarnation: self.process(register.broker),
                previous_epoch: register.previous_epoch.map(|epoch| self.epoch(register.broker, epoch)),
                choice: None,
                ..register
            }),
            Input::Heartbeat(heartbeat) => Input::Heartbeat(Heartbeat {
                ticket: Default::default(),
                epoch: self.epoch(heartbeat.broker, heartbeat.epoch),
                metadata_end: self.metadata(heartbeat.metadata_end),
                choice: None,
                ..heartbeat
            }),
            Input::AlterPartition { broker, broker_epoch, changes, .. } => Input::AlterPartition {
                ticket: Default::default(),
                broker,
                broker_epoch: self.epoch(broker, broker_epoch),
                changes: changes
                    .into_iter()
                    .map(|change| controller::IsrChange {
                        partition: self.partition(change.partition),
                        proposal: self.proposal(change.proposal),
                    })
                    .collect(),
            },
            Input::ElectLeader { partition, election, .. } => Input::ElectLeader {
                ticket: Default::default(),
                partition: self.partition(partition),
                election,
                choice: None,
            },
            other => other,
        }
    }

    fn record(&self, record: Record) -> Record {
        match record {
            Record::BrokerRegistered { broker, registration } => Record::BrokerRegistered {
                broker,
                registration: Registration {
                    incarnation: self.process(broker),
                    epoch: self.epoch(broker, registration.epoch),
                    ..registration
                },
            },
            Record::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown } => {
                Record::BrokerChanged { broker, epoch: self.epoch(broker, epoch), fenced, in_controlled_shutdown }
            }
            Record::PartitionChanged { partition, change } => {
                Record::PartitionChanged { partition: self.partition(partition), change }
            }
            other => other,
        }
    }
}
