//! Topics: creation, placement, deletion, configuration.
//!
//! Rules: `controller.topic.*`. Source: Kafka 4.1's `ReplicationControlManager.createTopic`, `StripedReplicaPlacer`,
//! `ConfigurationControlManager`.

use super::{Config, Controller, CreateTopic, Partition, Record, Reply};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::values::{BrokerId, Brokers, LeaderEpoch, PartitionEpoch, TopicId};

/// The longest name of a topic: its folder adds a partition's number, and file systems stop at 255.
const MAX_NAME: usize = 249;

/// The most partitions that one request may bring (Kafka's `MAX_PARTITIONS_PER_BATCH`).
pub const MAX_PARTITIONS: usize = 10_000;

impl Controller {
    pub(super) fn create_topic(&self, topic: CreateTopic, records: &mut Vec<Record>) -> Reply {
        match self.new_partitions(&topic) {
            Err(refusal) => Reply::Refused(refusal),
            Ok(_) if topic.validate_only => Reply::Created(topic.id),
            Ok(partitions) => {
                records.push(Record::TopicCreated { topic: topic.id, name: topic.name });
                let settings = Config::default().changes(&topic.config).into_iter();
                records.extend(settings.map(|setting| Record::ConfigChanged { topic: Some(topic.id), setting }));
                let created = |partition| Record::PartitionCreated { topic: topic.id, partition };
                records.extend(partitions.into_iter().map(created));
                Reply::Created(topic.id)
            }
        }
    }

    fn new_partitions(&self, topic: &CreateTopic) -> Result<Vec<Partition>, Refusal> {
        if !is_valid_topic_name(&topic.name)
            || self.image.topics.values().any(|known| collide(&known.name, &topic.name))
        {
            let taken = self.image.topics.values().any(|known| known.name == topic.name);
            return Err(if taken { Refusal::TopicAlreadyExists } else { Refusal::InvalidTopic });
        }
        if self.image.topics.contains_key(&topic.id) {
            return Err(Refusal::TopicAlreadyExists);
        }
        if topic.config.min_insync_replicas == Some(0) {
            return Err(Refusal::InvalidConfig);
        }
        if topic.assignment.len() > MAX_PARTITIONS {
            return Err(Refusal::PolicyViolation);
        }
        let placed = match topic.assignment.is_empty() {
            true => self.place(topic)?,
            false => topic.assignment.clone(),
        };
        if !topic.assignment.is_empty() {
            self.validate_assignment(&placed)?;
        }
        placed.into_iter().map(|replicas| self.new_partition(replicas)).collect()
    }

    /// `controller.topic.first`: whoever is active is in sync, and the first of them leads.
    fn new_partition(&self, replicas: Vec<BrokerId>) -> Result<Partition, Refusal> {
        let active: Vec<_> = replicas.iter().copied().filter(|broker| self.image.is_active(*broker)).collect();
        let leader = *active.first().ok_or(Refusal::InvalidReplicaAssignment)?;
        Ok(Partition {
            replicas,
            isr: active.into_iter().collect(),
            elr: Brokers::default(),
            last_known_leader: None,
            leader: Some(leader),
            leader_epoch: LeaderEpoch(0),
            partition_epoch: PartitionEpoch(0),
            recovering: false,
        })
    }

    /// `controller.topic.place`: striped over the brokers, from an arbitrary one on; the first replica is not fenced,
    /// and fenced brokers come last. (One rack: racks are not known here.)
    fn place(&self, topic: &CreateTopic) -> Result<Vec<Vec<BrokerId>>, Refusal> {
        let partitions = usize::try_from(topic.partitions).ok().filter(|count| *count > 0);
        let partitions = partitions.ok_or(Refusal::InvalidPartitions)?;
        if partitions > MAX_PARTITIONS {
            return Err(Refusal::PolicyViolation);
        }
        let factor = usize::try_from(topic.replication_factor).ok().filter(|factor| *factor > 0);
        let factor = factor.ok_or(Refusal::InvalidReplicationFactor)?;
        let (unfenced, fenced): (Vec<_>, Vec<_>) =
            self.image.brokers.iter().partition(|(_, registration)| !registration.fenced);
        let unfenced: Vec<_> = unfenced.into_iter().map(|(broker, _)| *broker).collect();
        let fenced: Vec<_> = fenced.into_iter().map(|(broker, _)| *broker).collect();
        if factor > unfenced.len() + fenced.len() || unfenced.is_empty() {
            return Err(Refusal::InvalidReplicationFactor);
        }
        let first = topic.first as usize;
        let stripe = |brokers: &[BrokerId], start: usize, count: usize| -> Vec<BrokerId> {
            (0..count.min(brokers.len())).map(|step| brokers[(start + step) % brokers.len()]).collect()
        };
        let replicas = |partition: usize| {
            let start = first.wrapping_add(partition);
            let mut chosen = stripe(&unfenced, start % unfenced.len(), factor);
            if !fenced.is_empty() {
                chosen.extend(stripe(&fenced, start % fenced.len(), factor - chosen.len()));
            }
            chosen
        };
        Ok((0..partitions).map(replicas).collect())
    }

    /// `controller.topic.assignment`: known brokers, none twice, as many for each partition.
    fn validate_assignment(&self, assignment: &[Vec<BrokerId>]) -> Result<(), Refusal> {
        let factor = assignment.first().map_or(0, Vec::len);
        let valid = assignment.iter().all(|replicas| {
            let distinct: Brokers = replicas.iter().copied().collect();
            let known = replicas.iter().all(|broker| self.image.brokers.contains_key(broker));
            !replicas.is_empty() && replicas.len() == factor && distinct.len() == replicas.len() && known
        });
        if valid { Ok(()) } else { Err(Refusal::InvalidReplicaAssignment) }
    }

    pub(super) fn delete_topic(&self, topic: TopicId, records: &mut Vec<Record>) -> Reply {
        match self.image.topics.contains_key(&topic) {
            false => Reply::Refused(Refusal::UnknownTopicId),
            true => {
                records.push(Record::TopicRemoved { topic });
                Reply::Deleted
            }
        }
    }

    /// `controller.config`: a new `min.insync.replicas` clears the ELRs that rest on the old one; the cluster's can't
    /// be taken away while there are ELRs.
    pub(super) fn configure(
        &self,
        rules: &Rules,
        topic: Option<TopicId>,
        config: Config,
        records: &mut Vec<Record>,
    ) -> Reply {
        let before = match topic {
            None => &self.image.defaults,
            Some(topic) => match self.image.topics.get(&topic) {
                Some(topic) => &topic.config,
                None => return Reply::Refused(Refusal::UnknownTopicId),
            },
        };
        let unset = before.min_insync_replicas.is_some() && config.min_insync_replicas.is_none();
        if config.min_insync_replicas == Some(0) || (topic.is_none() && unset && rules.keeps_elr()) {
            return Reply::Refused(Refusal::InvalidConfig);
        }
        let settings = before.changes(&config).into_iter();
        records.extend(settings.map(|setting| Record::ConfigChanged { topic, setting }));
        if config.min_insync_replicas != before.min_insync_replicas && rules.keeps_elr() {
            records.push(Record::ElrCleared { topic });
        }
        Reply::Configured
    }
}

/// `controller.topic.name`: letters, digits, `.`, `_` and `-`, at most 249, and neither `.` nor `..`.
#[must_use]
pub fn is_valid_topic_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME && name != "." && name != ".." && name.bytes().all(allowed)
}

/// Names that differ only in `.` and `_` would share the names of their metrics.
fn collide(one: &str, other: &str) -> bool {
    let unified = |name: &str| name.replace('.', "_");
    unified(one) == unified(other)
}
