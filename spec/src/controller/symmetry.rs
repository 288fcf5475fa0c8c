//! Renaming the brokers that the controller speaks of.

use super::{Controller, Image, IsrChange, Output, Partition, PartitionChange, Record, Registration, Session, Topic};
use crate::symmetry::{Names, Renamed};
use std::sync::Arc;

impl Renamed for Controller {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { image: Arc::new(self.image.renamed(names)), sessions: self.sessions.renamed(names) }
    }
}

impl Renamed for Session {
    fn renamed(&self, _names: Names<'_>) -> Self {
        *self
    }
}

impl Renamed for Registration {
    fn renamed(&self, _names: Names<'_>) -> Self {
        *self
    }
}

impl Renamed for Image {
    fn renamed(&self, names: Names<'_>) -> Self {
        let topics = self.topics.iter().map(|(id, topic)| (*id, topic.renamed(names)));
        let (topics, defaults) = (topics.collect(), self.defaults.clone());
        Self { brokers: self.brokers.renamed(names), topics, defaults, next_producer_id: self.next_producer_id }
    }
}

impl Renamed for Topic {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { name: self.name.clone(), partitions: self.partitions.renamed(names), config: self.config.clone() }
    }
}

impl Renamed for Partition {
    fn renamed(&self, names: Names<'_>) -> Self {
        let mut replicas = self.replicas.renamed(names);
        replicas.sort_unstable();
        Self {
            replicas,
            isr: self.isr.renamed(names),
            elr: self.elr.renamed(names),
            last_known_leader: self.last_known_leader.renamed(names),
            leader: self.leader.renamed(names),
            ..*self
        }
    }
}

impl Renamed for PartitionChange {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self {
            leader: self.leader.renamed(names),
            isr: self.isr.renamed(names),
            elr: self.elr.renamed(names),
            last_known_leader: self.last_known_leader.renamed(names),
            recovering: self.recovering,
        }
    }
}

impl Renamed for Record {
    fn renamed(&self, names: Names<'_>) -> Self {
        match self {
            Self::BrokerRegistered { broker, registration } => {
                Self::BrokerRegistered { broker: names(*broker), registration: *registration }
            }
            Self::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown } => Self::BrokerChanged {
                broker: names(*broker),
                epoch: *epoch,
                fenced: *fenced,
                in_controlled_shutdown: *in_controlled_shutdown,
            },
            Self::BrokerUnregistered { broker } => Self::BrokerUnregistered { broker: names(*broker) },
            Self::ProducerIdsAllocated { broker, broker_epoch, next } => {
                Self::ProducerIdsAllocated { broker: names(*broker), broker_epoch: *broker_epoch, next: *next }
            }
            Self::PartitionCreated { topic, partition } => {
                Self::PartitionCreated { topic: *topic, partition: partition.renamed(names) }
            }
            Self::PartitionChanged { partition, change } => {
                Self::PartitionChanged { partition: *partition, change: change.renamed(names) }
            }
            Self::TopicCreated { .. }
            | Self::TopicRemoved { .. }
            | Self::ConfigChanged { .. }
            | Self::ElrCleared { .. } => self.clone(),
        }
    }
}

impl Renamed for IsrChange {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { partition: self.partition, proposal: self.proposal.renamed(names) }
    }
}

impl Renamed for Output {
    fn renamed(&self, names: Names<'_>) -> Self {
        match self {
            Self::ExtendSession { broker, epoch } => Self::ExtendSession { broker: names(*broker), epoch: *epoch },
            Self::Reply { .. } => self.clone(),
        }
    }
}
