//! CreateTopics, as the controller answers it.
//!
//! Source: Kafka's `ControllerApis.createTopics`, `ReplicationControlManager.createTopics`.

use super::{ControllerService, code_of, random};
use crate::node::handlers::{configs, errors};
use crate::node::topic_configs;
use crate::wire::Uuid;
use crate::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use highwater_spec::controller::{Config, CreateTopic, Input, MAX_PARTITIONS, Reply as Answer, Setting};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{BrokerId, TopicId};
use std::collections::{BTreeMap, BTreeSet};

/// Nobody may have a topic of the metadata log's name.
const METADATA_TOPIC: &str = "__cluster_metadata";

impl ControllerService {
    pub(super) async fn create_topics(&self, version: i16, request: CreateTopicsRequest) -> CreateTopicsResponse {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        request.topics.iter().for_each(|topic| *times.entry(topic.name.clone()).or_default() += 1);
        let mut topics = Vec::with_capacity(request.topics.len());
        let mut answered = BTreeSet::new();
        let too_many = self.partitions_of(&request) > MAX_PARTITIONS;
        for topic in request.topics {
            let name = topic.name.clone();
            if !answered.insert(name.clone()) {
                continue;
            }
            let outcome = match times.get(&name) {
                _ if request.timeout_ms <= 0 => Err((errors::REQUEST_TIMED_OUT, None)),
                _ if too_many => {
                    refused(Refusal::PolicyViolation.code(), "at most 10000 partitions can be made at once")
                }
                Some(2..) => refused(errors::INVALID_REQUEST, "the request names this topic more than once"),
                _ if name == METADATA_TOPIC => {
                    refused(errors::INVALID_REQUEST, "this name belongs to the cluster's metadata log")
                }
                _ => self.create_topic(topic, request.validate_only).await,
            };
            topics.push(self.created(version, name, outcome));
        }
        CreateTopicsResponse { topics, ..Default::default() }
    }

    /// How many partitions a request would bring, all topics together.
    fn partitions_of(&self, request: &CreateTopicsRequest) -> usize {
        let of = |topic: &CreatableTopic| match topic.num_partitions {
            -1 if topic.assignments.is_empty() => usize::try_from(self.config.num_partitions).unwrap_or(0),
            given => topic.assignments.len().max(usize::try_from(given).unwrap_or(0)),
        };
        request.topics.iter().map(of).fold(0, usize::saturating_add)
    }

    async fn create_topic(&self, topic: CreatableTopic, validate_only: bool) -> Result<Created, Fault> {
        let assignment = assignment(&topic)?;
        let mut config = Config::default();
        for given in &topic.configs {
            if let Some(fault) = topic_configs::fault(&given.name, given.value.as_deref()) {
                return refused(Refusal::InvalidConfig.code(), fault);
            }
            let setting = Setting::from_text(&given.name, given.value.as_deref());
            setting.iter().for_each(|setting| config.apply(setting));
        }
        let partitions = if topic.num_partitions == -1 { self.config.num_partitions } else { topic.num_partitions };
        let replication_factor = match topic.replication_factor {
            -1 => self.config.default_replication_factor,
            given => given,
        };
        let (partitions, replication_factor) = match assignment.first() {
            Some(replicas) => (assignment.len() as i32, replicas.len() as i16),
            None => (partitions, replication_factor),
        };
        let name = topic.name.clone();
        let (id, first) = (random_topic_id(), u32::from_be_bytes(random()));
        let wanted = CreateTopic {
            id,
            name: topic.name,
            partitions,
            replication_factor,
            first,
            assignment,
            config: config.clone(),
            validate_only,
        };
        match self.ask(None, move |ticket| Input::CreateTopic { ticket, topic: wanted.clone() }).await {
            Answer::Created(id) => {
                let id = if validate_only { TopicId::default() } else { id };
                Ok(Created { id, partitions, replication_factor, config })
            }
            other => refused(code_of(&other), refusal_message(&other, &name)),
        }
    }

    fn configs_of(&self, topic: &Config) -> Vec<CreatableTopicConfigs> {
        configs::of_created(topic, &self.committed.read().image.defaults, &self.config)
    }

    fn created(&self, version: i16, name: String, outcome: Result<Created, Fault>) -> CreatableTopicResult {
        let unknown = CreatableTopicResult { name, num_partitions: -1, replication_factor: -1, ..Default::default() };
        match outcome {
            Ok(created) => CreatableTopicResult {
                topic_id: created.id.into(),
                num_partitions: created.partitions,
                replication_factor: created.replication_factor,
                configs: (version >= 5).then(|| self.configs_of(&created.config)),
                error_message: None,
                ..unknown
            },
            Err((error_code, error_message)) => {
                CreatableTopicResult { error_code, error_message, configs: Some(Vec::new()), ..unknown }
            }
        }
    }
}

/// Kafka's code, and what is wrong.
type Fault = (i16, Option<String>);

fn refused<T>(code: i16, message: impl Into<String>) -> Result<T, Fault> {
    Err((code, Some(message.into())))
}

/// A topic that was made.
struct Created {
    id: TopicId,
    partitions: i32,
    replication_factor: i16,
    config: Config,
}

/// The replicas that a request places by itself, by partition.
fn assignment(topic: &CreatableTopic) -> Result<Vec<Vec<BrokerId>>, Fault> {
    if topic.assignments.is_empty() {
        return Ok(Vec::new());
    }
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        let message = "with an assignment of replicas, numbers of partitions and replicas must be -1";
        return refused(errors::INVALID_REQUEST, message);
    }
    let mut placed: BTreeMap<i32, Vec<BrokerId>> = BTreeMap::new();
    for given in &topic.assignments {
        let replicas = given.broker_ids.iter().copied().map(BrokerId).collect();
        if placed.insert(given.partition_index, replicas).is_some() {
            let message = format!("replicas are assigned to partition {} more than once", given.partition_index);
            return refused(Refusal::InvalidReplicaAssignment.code(), message);
        }
    }
    if !placed.keys().copied().eq(0..placed.len() as i32) {
        let message = "the assignment must name the partitions from 0 on, without a gap";
        return refused(Refusal::InvalidReplicaAssignment.code(), message);
    }
    Ok(placed.into_values().collect())
}

fn refusal_message(answer: &Answer, topic: &str) -> String {
    let Answer::Refused(refusal) = answer else { return String::new() };
    match refusal {
        Refusal::TopicAlreadyExists => format!("there is a topic {topic}"),
        Refusal::InvalidTopic => format!(
            "{topic:?} is no topic's name: it is empty, `.`, `..`, longer than 249 characters, has a character other than \
             ASCII letters, digits, `.`, `_` and `-`, or differs from another topic's only in `.` and `_`"
        ),
        Refusal::PolicyViolation => "at most 10000 partitions can be made at once".to_owned(),
        Refusal::InvalidPartitions => "a topic has at least 1 partition".to_owned(),
        Refusal::InvalidReplicationFactor => {
            "there are fewer registered brokers than replicas wanted, none is alive, or the number is below 1".to_owned()
        }
        Refusal::InvalidReplicaAssignment => {
            "the assignment names a broker twice or one that is not registered, differs in length between partitions, or \
             has a partition without a broker that is alive"
                .to_owned()
        }
        refusal => refusal.to_string(),
    }
}

/// Never one of Kafka's own, nor one that a flag could be mistaken for.
fn random_topic_id() -> TopicId {
    loop {
        let id = Uuid(random());
        if id != Uuid::ZERO && id != Uuid::METADATA_TOPIC && !id.to_string().starts_with('-') {
            return id.into();
        }
    }
}
