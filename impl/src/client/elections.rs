//! Elections that an administrator asks for (KIP-460).

use super::{Client, ClientError, ErrorCode, Partition};
use crate::wire::messages::ElectLeadersRequest;
use crate::wire::messages::elect_leaders::{ReplicaElectionResult, TopicPartitions};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the controller may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Who is to lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionType {
    /// The first of the replicas, if it is in sync.
    Preferred,
    /// Where nobody leads, any replica that is alive: records may be lost.
    Unclean,
}

impl ElectionType {
    /// Kafka's number for it.
    #[must_use]
    pub fn number(self) -> i8 {
        match self {
            Self::Preferred => 0,
            Self::Unclean => 1,
        }
    }
}

/// What came of the election in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectionResult {
    /// The partition.
    pub partition: Partition,
    /// Whether another replica leads now, or why not.
    pub code: ErrorCode,
    /// What the server said about it.
    pub message: Option<String>,
}

impl Client {
    /// Has leaders elected in these partitions, or in all (`None`): then it tells of those that needed it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if the request as such was refused; or why nobody could be asked.
    pub async fn elect_leaders(
        &mut self,
        election: ElectionType,
        partitions: Option<&[Partition]>,
    ) -> Result<Vec<ElectionResult>, ClientError> {
        let request = ElectLeadersRequest {
            election_type: election.number(),
            topic_partitions: partitions.map(by_topic),
            timeout_ms: i32::try_from(WITHIN.as_millis()).unwrap_or(i32::MAX),
        };
        let response = self.ask_any(&request, WITHIN).await?;
        let results: Vec<_> = response.replica_election_results.into_iter().flat_map(results).collect();
        match ErrorCode(response.error_code) {
            ErrorCode::NONE => Ok(results),
            code => {
                let message = results.into_iter().find_map(|result| result.message);
                Err(ClientError::Refused { subject: "the elections".to_owned(), code, message })
            }
        }
    }
}

fn by_topic(partitions: &[Partition]) -> Vec<TopicPartitions> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for Partition { topic, index } in partitions {
        topics.entry(topic).or_default().push(*index);
    }
    let topics = topics.into_iter().map(|(topic, partitions)| TopicPartitions { topic: topic.to_owned(), partitions });
    topics.collect()
}

fn results(topic: ReplicaElectionResult) -> impl Iterator<Item = ElectionResult> {
    let ReplicaElectionResult { topic, partition_result } = topic;
    partition_result.into_iter().map(move |result| ElectionResult {
        partition: Partition { topic: topic.clone(), index: result.partition_id },
        code: ErrorCode(result.error_code),
        message: result.error_message,
    })
}
