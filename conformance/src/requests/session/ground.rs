//! What the script stands on: topics that are there before the first question, and gone after the last. No cases.

use super::{METADATA, Session, SessionError, Topic};
use highwater::wire::Message;
use highwater::wire::messages::create_topics::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};
use highwater::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use highwater::wire::messages::metadata::MetadataRequestTopic;
use highwater::wire::messages::offset_fetch::OffsetFetchRequestGroup;
use highwater::wire::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, FindCoordinatorRequest, ListOffsetsRequest, MetadataRequest,
    MetadataResponse, OffsetFetchRequest,
};
use std::thread;
use std::time::{Duration, Instant};

/// For a new topic to have leaders that know it.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// The last version of DeleteTopics that has a list of names.
const DELETE_BY_NAMES: i16 = 5;

impl Session {
    /// Creates a topic and waits until its leaders know that they lead.
    pub fn topic(&mut self, name: &str, partitions: i32, replicas: i16) -> Result<Topic, SessionError> {
        self.topic_with(name, partitions, replicas, &[])
    }

    /// As [`topic`](Self::topic), with settings.
    pub fn topic_with(
        &mut self,
        name: &str,
        num_partitions: i32,
        replication_factor: i16,
        settings: &[(&str, &str)],
    ) -> Result<Topic, SessionError> {
        let setting = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let configs = settings.iter().map(setting).collect();
        self.create(name, CreatableTopic { num_partitions, replication_factor, configs, ..CreatableTopic::default() })?;
        self.known_topic(name, num_partitions)
    }

    /// As [`topic`](Self::topic), each partition with one replica, on one broker.
    pub fn topic_on(&mut self, broker: i32, name: &str, partitions: i32) -> Result<Topic, SessionError> {
        let assignment = |partition_index| CreatableReplicaAssignment { partition_index, broker_ids: vec![broker] };
        let assignments = (0..partitions).map(assignment).collect();
        let topic =
            CreatableTopic { num_partitions: -1, replication_factor: -1, assignments, ..CreatableTopic::default() };
        self.create(name, topic)?;
        self.known_topic(name, partitions)
    }

    fn create(&self, name: &str, topic: CreatableTopic) -> Result<(), SessionError> {
        let topic = CreatableTopic { name: self.name(name), ..topic };
        let create = CreateTopicsRequest { topics: vec![topic], ..CreateTopicsRequest::default() };
        let created = self.call(&self.address(self.any_broker()), CreateTopicsRequest::VERSIONS.max, &create)?;
        match created.topics.first() {
            Some(created) if created.error_code == 0 => Ok(()),
            other => Err(SessionError::SetUp(format!("topic {name} was not created: {other:?}"))),
        }
    }

    /// Waits until a topic's leaders know that they lead, and learns its id.
    pub fn known_topic(&mut self, name: &str, partitions: i32) -> Result<Topic, SessionError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.find(name)?;
            if let Some(topic) = found.filter(|topic| topic.leaders.len() as i32 == partitions)
                && self.leaders_answer(&topic)?
            {
                self.known.topics.insert(topic.id.0, name.to_owned());
                return Ok(topic);
            }
            if Instant::now() > deadline {
                return Err(SessionError::SetUp(format!("topic {name} has no leaders")));
            }
            thread::sleep(POLL);
        }
    }

    /// Waits until someone coordinates a group, and says who. It is the same one as long as nothing fails.
    pub fn coordinator(&mut self, group: &str) -> Result<i32, SessionError> {
        const BATCHED: i16 = 4;
        if let Some(known) = self.coordinators.get(group) {
            return Ok(*known);
        }
        let request = FindCoordinatorRequest { coordinator_keys: vec![group.to_owned()], ..Default::default() };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.call(&self.address(self.any_broker()), BATCHED, &request)?;
            let found = answer.coordinators.first().filter(|found| found.error_code == 0).map(|found| found.node_id);
            if let Some(coordinator) = found
                && self.has_loaded(coordinator, group)?
            {
                self.coordinators.insert(group.to_owned(), coordinator);
                return Ok(coordinator);
            }
            if Instant::now() > deadline {
                return Err(SessionError::SetUp("nobody coordinates groups".to_owned()));
            }
            thread::sleep(POLL);
        }
    }

    fn has_loaded(&self, coordinator: i32, group: &str) -> Result<bool, SessionError> {
        let asked = OffsetFetchRequestGroup { group_id: group.to_owned(), ..Default::default() };
        let request = OffsetFetchRequest { groups: vec![asked], ..Default::default() };
        let answer = self.call(&self.address(coordinator), OffsetFetchRequest::VERSIONS.max, &request)?;
        Ok(answer.groups.iter().all(|group| group.error_code == 0))
    }

    /// Waits until no broker knows the topic.
    pub fn gone(&self, name: &str) -> Result<(), SessionError> {
        let deadline = Instant::now() + PATIENCE;
        for address in self.brokers.values() {
            while self.describe(address, name)?.topics.iter().any(|topic| topic.error_code == 0) {
                if Instant::now() > deadline {
                    return Err(SessionError::SetUp(format!("topic {name} is still there")));
                }
                thread::sleep(POLL);
            }
        }
        Ok(())
    }

    /// The topic, once every broker knows it with its leaders and full ISRs.
    fn find(&self, name: &str) -> Result<Option<Topic>, SessionError> {
        let mut found = None;
        for address in self.brokers.values() {
            let metadata = self.describe(address, name)?;
            let Some(topic) = metadata.topics.into_iter().next().filter(|topic| topic.error_code == 0) else {
                return Ok(None);
            };
            let mut partitions = topic.partitions;
            partitions.sort_by_key(|partition| partition.partition_index);
            if partitions.iter().any(|p| p.leader_id < 0 || p.isr_nodes.len() != p.replica_nodes.len()) {
                return Ok(None);
            }
            let leaders = partitions.iter().map(|partition| partition.leader_id).collect();
            found = Some(Topic { name: self.name(name), id: topic.topic_id, leaders });
        }
        Ok(found)
    }

    fn describe(&self, address: &str, name: &str) -> Result<MetadataResponse, SessionError> {
        let topic = MetadataRequestTopic { name: Some(self.name(name)), ..MetadataRequestTopic::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        self.call(address, METADATA, &request)
    }

    fn leaders_answer(&self, topic: &Topic) -> Result<bool, SessionError> {
        for (partition_index, leader) in (0..).zip(&topic.leaders) {
            let partition = ListOffsetsPartition { partition_index, timestamp: -1, ..ListOffsetsPartition::default() };
            let topic = ListOffsetsTopic { name: topic.name.clone(), partitions: vec![partition] };
            let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..ListOffsetsRequest::default() };
            let answer = self.call(&self.address(*leader), 7, &request)?;
            if answer.topics.iter().flat_map(|topic| &topic.partitions).any(|partition| partition.error_code != 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes the run's topics.
    pub fn tidy(&self) -> Result<(), SessionError> {
        let address = self.address(self.any_broker());
        let all = self.call(&address, METADATA, &MetadataRequest { topics: None, ..MetadataRequest::default() })?;
        let names = all.topics.into_iter().filter_map(|topic| topic.name);
        let topic_names = names.filter(|name| name.ends_with(&self.known.run)).collect();
        let delete = DeleteTopicsRequest { topic_names, timeout_ms: 30_000, ..DeleteTopicsRequest::default() };
        self.call(&address, DELETE_BY_NAMES, &delete).map(drop)
    }
}
