//! Topics: created, deleted, described.

use super::{Client, ClientError, ErrorCode};
use crate::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use crate::wire::messages::delete_topics::DeleteTopicState;
use crate::wire::messages::describe_topic_partitions::{DescribeTopicPartitionsResponseTopic, TopicRequest};
use crate::wire::messages::{CreateTopicsRequest, DeleteTopicsRequest, DescribeTopicPartitionsRequest};
use std::time::Duration;

/// How long the controller may take.
const WITHIN: Duration = Duration::from_secs(30);

/// A topic to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; none: as many as the cluster gives.
    pub partitions: Option<i32>,
    /// How many replicas of each; none: as many as the cluster gives.
    pub replication_factor: Option<i16>,
    /// Settings, by name.
    pub configs: Vec<(String, String)>,
}

impl Client {
    /// Creates a topic, and waits until brokers know it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if the controller would not; or why nobody could be asked.
    pub async fn create_topic(&mut self, topic: NewTopic) -> Result<(), ClientError> {
        let name = topic.name.clone();
        let config = |(name, value)| CreatableTopicConfig { name, value: Some(value) };
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: topic.name,
                num_partitions: topic.partitions.unwrap_or(-1),
                replication_factor: topic.replication_factor.unwrap_or(-1),
                configs: topic.configs.into_iter().map(config).collect(),
                ..Default::default()
            }],
            timeout_ms: 30_000,
            ..Default::default()
        };
        let response = self.ask_any(&request, WITHIN).await?;
        let Some(result) = response.topics.into_iter().next() else {
            return Err(incomplete(&name));
        };
        refused(&name, result.error_code, result.error_message)?;
        // The controller has it; however late, this broker will hear of it.
        self.topic_within(&name, Duration::MAX).await.map(|_| ())
    }

    /// Deletes a topic.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`], [`ClientError::Refused`], or why nobody could be asked.
    pub async fn delete_topic(&mut self, name: &str) -> Result<(), ClientError> {
        let request = DeleteTopicsRequest {
            topics: vec![DeleteTopicState { name: Some(name.to_owned()), ..Default::default() }],
            topic_names: vec![name.to_owned()],
            timeout_ms: 30_000,
        };
        let response = self.ask_any(&request, WITHIN).await?;
        let Some(result) = response.responses.into_iter().next() else {
            return Err(incomplete(name));
        };
        refused(name, result.error_code, result.error_message)
    }

    /// Topics with all that is known about their partitions; none named: all topics. By name.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`], [`ClientError::Refused`], or why nobody could be asked.
    pub async fn describe_topics(
        &mut self,
        names: &[String],
    ) -> Result<Vec<DescribeTopicPartitionsResponseTopic>, ClientError> {
        let named = |name: &String| TopicRequest { name: name.clone() };
        let mut request =
            DescribeTopicPartitionsRequest { topics: names.iter().map(named).collect(), ..Default::default() };
        let mut topics: Vec<DescribeTopicPartitionsResponseTopic> = Vec::new();
        loop {
            let response = self.ask_any(&request, Duration::ZERO).await?;
            for topic in response.topics {
                let name = topic.name.clone().unwrap_or_default();
                refused(&name, topic.error_code, None)?;
                // A page may end within a topic.
                match topics.last_mut() {
                    Some(last) if last.name == topic.name => last.partitions.extend(topic.partitions),
                    _ => topics.push(topic),
                }
            }
            if response.next_cursor.is_none() || response.next_cursor == request.cursor {
                return Ok(topics);
            }
            request.cursor = response.next_cursor;
        }
    }
}

fn refused(topic: &str, code: i16, message: Option<String>) -> Result<(), ClientError> {
    match ErrorCode(code) {
        ErrorCode::NONE => Ok(()),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => Err(ClientError::UnknownTopic(topic.to_owned())),
        code => Err(ClientError::Refused { subject: format!("topic {topic}"), code, message }),
    }
}

fn incomplete(topic: &str) -> ClientError {
    ClientError::Incomplete { address: "the server".to_owned(), subject: format!("topic {topic}") }
}
