//! The cluster's metadata, as a fold of the metadata log.
//!
//! The controller decides on an image and every broker keeps one; both fold the same records with [`Image::apply`].
//!
//! Source: KIP-500, KIP-631; Kafka's `ReplicationControlManager.replay`, `PartitionRegistration.merge`.

use super::{Config, Setting};
use crate::marks::{guard, rule};
use crate::sparse;
use crate::values::{
    BrokerEpoch, BrokerId, Brokers, IncarnationId, LeaderEpoch, PartitionEpoch, ProducerId, TopicId, TopicPartition,
};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// Everything that the metadata log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The brokers that have registered.
    pub brokers: BTreeMap<BrokerId, Registration>,
    /// The topics.
    pub topics: BTreeMap<TopicId, Topic>,
    /// The cluster's defaults.
    pub defaults: Config,
    /// The first producer id that no broker has been given.
    pub next_producer_id: ProducerId,
}

impl Hash for Image {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { brokers, topics, defaults, next_producer_id } = self;
        (brokers, topics, defaults).hash(state);
        sparse::hash(next_producer_id, state);
    }
}

/// One broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registration {
    /// Its process.
    pub incarnation: IncarnationId,
    /// The offset of its registration record.
    pub epoch: BrokerEpoch,
    /// Whether it is barred from leading and from joining an ISR.
    pub fenced: bool,
    /// Whether it is on its way out, and must not lead or join an ISR either.
    pub in_controlled_shutdown: bool,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    /// Its name, unique among the topics that exist.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<Partition>,
    /// What is configured for it, over the cluster's defaults.
    pub config: Config,
}

/// One partition, as the controller has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// Who has a copy, the preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// The replicas in sync.
    pub isr: Brokers,
    /// The eligible leader replicas: out of sync, and complete all the same (KIP-966).
    pub elr: Brokers,
    /// Who led last, kept while no one leads (KIP-966).
    pub last_known_leader: Option<BrokerId>,
    /// Who leads.
    pub leader: Option<BrokerId>,
    /// How often leadership has been assigned.
    pub leader_epoch: LeaderEpoch,
    /// How often any of this has changed.
    pub partition_epoch: PartitionEpoch,
    /// Whether the leader was elected uncleanly and has not said yet that it has recovered (KIP-704).
    pub recovering: bool,
}

/// One record of the metadata log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// A broker has registered, or amended its registration (RegisterBrokerRecord).
    BrokerRegistered {
        /// Which.
        broker: BrokerId,
        /// As what.
        registration: Registration,
    },
    /// A broker was fenced, unfenced, or began its controlled shutdown (BrokerRegistrationChangeRecord).
    BrokerChanged {
        /// Which.
        broker: BrokerId,
        /// The registration meant.
        epoch: BrokerEpoch,
        /// The new state of the fence, if it changes.
        fenced: Option<bool>,
        /// Whether its controlled shutdown began.
        in_controlled_shutdown: bool,
    },
    /// A broker is gone for good (UnregisterBrokerRecord).
    BrokerUnregistered {
        /// Which.
        broker: BrokerId,
    },
    /// A topic exists from here on (TopicRecord).
    TopicCreated {
        /// Its identity.
        topic: TopicId,
        /// Its name.
        name: String,
    },
    /// A topic has one more partition (PartitionRecord).
    PartitionCreated {
        /// The topic.
        topic: TopicId,
        /// The partition.
        partition: Partition,
    },
    /// A partition changed (PartitionChangeRecord).
    PartitionChanged {
        /// Which.
        partition: TopicPartition,
        /// How.
        change: PartitionChange,
    },
    /// A topic is gone, with its partitions, their ISRs and ELRs, and its configuration (RemoveTopicRecord).
    TopicRemoved {
        /// Which.
        topic: TopicId,
    },
    /// One value of a configuration was set (ConfigRecord).
    ConfigChanged {
        /// For one topic, or for the whole cluster.
        topic: Option<TopicId>,
        /// The value from here on.
        setting: Setting,
    },
    /// A broker was given ids for producers (ProducerIdsRecord).
    ProducerIdsAllocated {
        /// Which.
        broker: BrokerId,
        /// The registration meant.
        broker_epoch: BrokerEpoch,
        /// The first id of the next block.
        next: ProducerId,
    },
    /// The ELRs of one topic, or of all, mean nothing any more (ClearElrRecord).
    ElrCleared {
        /// Which topic; `None` is all.
        topic: Option<TopicId>,
    },
}

/// What changes of a partition. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionChange {
    /// The new leader, or that there is none. Setting it raises the leader epoch, even for the same leader.
    pub leader: Option<Option<BrokerId>>,
    /// The new ISR.
    pub isr: Option<Brokers>,
    /// The new ELR.
    pub elr: Option<Brokers>,
    /// The new last known leader.
    pub last_known_leader: Option<Option<BrokerId>>,
    /// Whether the leader is still recovering.
    pub recovering: Option<bool>,
}

impl PartitionChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        *self == Self::default()
    }
}

impl Partition {
    /// `controller.epochs`: every change raises the partition epoch, a change of leadership the leader epoch too.
    pub fn apply(&mut self, change: &PartitionChange) {
        guard!("controller.epochs", change.leader.is_some());
        if let Some(leader) = change.leader {
            self.leader = leader;
            self.leader_epoch = self.leader_epoch.next();
        }
        if let Some(isr) = &change.isr {
            self.isr = isr.clone();
        }
        if let Some(elr) = &change.elr {
            self.elr = elr.clone();
        }
        self.last_known_leader = change.last_known_leader.unwrap_or(self.last_known_leader);
        self.recovering = change.recovering.unwrap_or(self.recovering);
        self.partition_epoch = self.partition_epoch.next();
    }
}

impl Registration {
    /// Whether the broker may lead and join an ISR.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }
}

impl Image {
    /// Folds one record in. Records about what is unknown change nothing.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::BrokerRegistered { broker, registration } => {
                self.brokers.insert(*broker, *registration);
            }
            Record::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown } => {
                if let Some(known) = self.brokers.get_mut(broker).filter(|known| known.epoch == *epoch) {
                    known.fenced = fenced.unwrap_or(known.fenced);
                    known.in_controlled_shutdown |= in_controlled_shutdown;
                }
            }
            Record::BrokerUnregistered { broker } => {
                self.brokers.remove(broker);
            }
            Record::TopicCreated { topic, name } => {
                let created = Topic { name: name.clone(), partitions: Vec::new(), config: Config::default() };
                self.topics.insert(*topic, created);
            }
            Record::PartitionCreated { topic, partition } => {
                if let Some(topic) = self.topics.get_mut(topic) {
                    topic.partitions.push(partition.clone());
                }
            }
            Record::PartitionChanged { partition, change } => {
                if let Some(partition) = self.partition_mut(*partition) {
                    partition.apply(change);
                }
            }
            Record::TopicRemoved { topic } => {
                self.topics.remove(topic);
            }
            Record::ConfigChanged { topic: None, setting } => self.defaults.apply(setting),
            Record::ConfigChanged { topic: Some(topic), setting } => {
                if let Some(topic) = self.topics.get_mut(topic) {
                    topic.config.apply(setting);
                }
            }
            Record::ProducerIdsAllocated { next, .. } => self.producer_ids_allocated(*next),
            Record::ElrCleared { topic } => self.clear_elrs(*topic),
        }
    }

    /// `controller.elr.min-isr-changed`: who was complete under another `min.insync.replicas` need not be now.
    fn clear_elrs(&mut self, of: Option<TopicId>) {
        let topics = self.topics.iter_mut().filter(|(topic, _)| of.is_none_or(|of| of == **topic));
        for partition in topics.flat_map(|(_, topic)| &mut topic.partitions) {
            if !partition.elr.is_empty() || partition.last_known_leader.is_some() {
                let cleared = Some(Brokers::default());
                partition.apply(&PartitionChange { elr: cleared, last_known_leader: Some(None), ..Default::default() });
            }
        }
    }

    /// One partition.
    #[must_use]
    pub fn partition(&self, partition: TopicPartition) -> Option<&Partition> {
        let index = usize::try_from(partition.index).ok()?;
        self.topics.get(&partition.topic)?.partitions.get(index)
    }

    fn partition_mut(&mut self, partition: TopicPartition) -> Option<&mut Partition> {
        let index = usize::try_from(partition.index).ok()?;
        self.topics.get_mut(&partition.topic)?.partitions.get_mut(index)
    }

    /// Every partition, by topic and number.
    pub fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &Partition)> {
        self.topics.iter().flat_map(|(topic, found)| {
            let numbered = (0_i32..).zip(&found.partitions);
            numbered.map(|(index, partition)| (TopicPartition { topic: *topic, index }, partition))
        })
    }

    /// Whether a broker may lead and join an ISR.
    #[must_use]
    pub fn is_active(&self, broker: BrokerId) -> bool {
        self.brokers.get(&broker).is_some_and(Registration::is_active)
    }

    /// `controller.min-isr`: what is configured, at most the replication factor of the topic's first partition.
    #[must_use]
    pub fn min_insync_replicas(&self, topic: TopicId) -> usize {
        rule!("controller.min-isr");
        let Some(topic) = self.topics.get(&topic) else { return 1 };
        let configured = topic.config.min_insync_replicas.or(self.defaults.min_insync_replicas).unwrap_or(1);
        let replicas = topic.partitions.first().map_or(1, |partition| partition.replicas.len());
        replicas.min(configured as usize)
    }

    /// Whether a topic prefers a lossy leader to none.
    #[must_use]
    pub fn allows_unclean_election(&self, topic: TopicId) -> bool {
        let of_topic = self.topics.get(&topic).and_then(|topic| topic.config.unclean_leader_election);
        of_topic.or(self.defaults.unclean_leader_election).unwrap_or(false)
    }
}
