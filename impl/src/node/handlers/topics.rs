//! What a broker does with requests that only the controller can answer: it hands them on.

use super::broker::BrokerService;
use super::errors;
use crate::node::connection::Reply;
use crate::node::group::placement;
use crate::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use crate::wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::wire::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use crate::wire::messages::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use crate::wire::{RequestMessage, Response};

/// The topics that belong to Kafka itself.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];
const NO_ANSWER: &str = "the controller did not answer; whether it did what was asked is not known";

pub use highwater_spec::controller::is_valid_topic_name as is_valid_name;

/// What is said of a name that no topic has.
pub fn missing(name: &str) -> i16 {
    if is_valid_name(name) { errors::UNKNOWN_TOPIC_OR_PARTITION } else { errors::INVALID_TOPIC }
}

/// A request that the controller answers.
pub trait Forwarded: RequestMessage {
    /// The answer when the controller gives none.
    fn unanswered(&self) -> Self::Response;

    /// The same, said as the newest version says it.
    fn in_newest(self) -> Self {
        self
    }
}

/// Asks the controller, and hands back what it says.
pub async fn forward<R: Forwarded>(service: &BrokerService, request: R) -> Reply
where
    Response: From<R::Response>,
{
    let request = request.in_newest();
    let answer = service.controller.call(&request).await;
    let answer = answer.unwrap_or_else(|error| {
        tracing::warn!(%error, "a {} could not be handed to the controller", R::KEY);
        request.unanswered()
    });
    Reply::Response(answer.into())
}

impl Forwarded for CreateTopicsRequest {
    fn unanswered(&self) -> CreateTopicsResponse {
        let topics = self.topics.iter().map(|topic| CreatableTopicResult {
            name: topic.name.clone(),
            error_code: errors::REQUEST_TIMED_OUT,
            error_message: Some(NO_ANSWER.to_owned()),
            ..Default::default()
        });
        CreateTopicsResponse { topics: topics.collect(), ..Default::default() }
    }
}

impl Forwarded for DeleteTopicsRequest {
    fn unanswered(&self) -> DeleteTopicsResponse {
        let responses = self.topics.iter().map(|topic| DeletableTopicResult {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            error_code: errors::REQUEST_TIMED_OUT,
            error_message: Some(NO_ANSWER.to_owned()),
        });
        DeleteTopicsResponse { responses: responses.collect(), ..Default::default() }
    }

    /// Until version 5 names stand in a list of their own.
    fn in_newest(mut self) -> Self {
        let names = std::mem::take(&mut self.topic_names).into_iter();
        self.topics.extend(names.map(|name| DeleteTopicState { name: Some(name), ..Default::default() }));
        self
    }
}

impl Forwarded for ElectLeadersRequest {
    fn unanswered(&self) -> ElectLeadersResponse {
        without_elections(self, errors::REQUEST_TIMED_OUT, Some(NO_ANSWER))
    }
}

/// The answer when nothing is elected, for a reason that concerns the whole request: said of it, and of each partition
/// that it names, because version 0 can say it only there.
pub fn without_elections(
    request: &ElectLeadersRequest,
    error_code: i16,
    message: Option<&str>,
) -> ElectLeadersResponse {
    let named = request.topic_partitions.iter().flatten().map(|topic| {
        let error_message = message.map(str::to_owned);
        let result =
            |index: &i32| PartitionResult { partition_id: *index, error_code, error_message: error_message.clone() };
        let partition_result = topic.partitions.iter().map(result).collect();
        ReplicaElectionResult { topic: topic.topic.clone(), partition_result }
    });
    ElectLeadersResponse { error_code, replica_election_results: named.collect(), ..Default::default() }
}

impl Forwarded for UnregisterBrokerRequest {
    fn unanswered(&self) -> UnregisterBrokerResponse {
        UnregisterBrokerResponse {
            error_code: errors::REQUEST_TIMED_OUT,
            error_message: Some(NO_ANSWER.to_owned()),
            ..Default::default()
        }
    }
}

/// Has topics made as the brokers' defaults say. Who asked for them asks again, and sees whether they were.
pub async fn create_automatically(service: &BrokerService, names: impl Iterator<Item = &String>) {
    let topic = |name: &String| match name.as_str() {
        placement::TOPIC => placement::creatable(&service.config, &service.cluster.read()),
        _ => CreatableTopic { name: name.clone(), num_partitions: -1, replication_factor: -1, ..Default::default() },
    };
    let topics: Vec<_> = names.map(topic).collect();
    if !topics.is_empty() {
        let request = CreateTopicsRequest { topics, timeout_ms: 30_000, ..Default::default() };
        if let Err(error) = service.controller.call(&request).await {
            tracing::warn!(%error, "topics could not be made automatically");
        }
    }
}

/// Whether a topic belongs to Kafka itself.
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}
