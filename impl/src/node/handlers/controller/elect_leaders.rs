//! ElectLeaders, as the controller answers it: one partition after another, each by itself.
//!
//! Here it is settled which partitions are meant. Whether one gets another leader is the machine's to decide. Source:
//! KIP-460; Kafka's `QuorumController.electLeaders`, `ReplicationControlManager.electLeaders`.

use super::{ControllerService, code_of};
use crate::node::handlers::errors;
use crate::node::handlers::topics::without_elections;
use crate::wire::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult, TopicPartitions,
};
use highwater_spec::controller::{Election, Image, Input, Reply as Answer};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{TopicId, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};

/// How many elections are asked for before the first is awaited. They share what it takes to commit them.
const AT_ONCE: usize = 1000;

/// The partitions of one topic, as the request has them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meant {
    name: String,
    /// `None`: no topic has this name.
    id: Option<TopicId>,
    partitions: Vec<i32>,
}

impl ControllerService {
    pub(super) async fn elect_leaders(&self, request: ElectLeadersRequest) -> ElectLeadersResponse {
        if request.topic_partitions.as_ref().is_some_and(Vec::is_empty) {
            return ElectLeadersResponse::default(); // as Kafka: no partition, no fault
        }
        if request.timeout_ms <= 0 {
            return without_elections(&request, errors::REQUEST_TIMED_OUT, None);
        }
        let Some(election) = election(request.election_type) else {
            let message = "there are elections of the preferred replica (0) and unclean ones (1)";
            return without_elections(&request, errors::INVALID_REQUEST, Some(message));
        };
        let asked_for_all = request.topic_partitions.is_none();
        let meant = meant(request.topic_partitions, &self.committed.read().image);
        let answers = self.elections(election, meant.iter().flat_map(Meant::known).collect()).await;
        let mut results: Vec<_> = meant.into_iter().map(|topic| topic.results(election, &answers)).collect();
        if asked_for_all {
            results.iter_mut().for_each(keep_the_needed);
        }
        ElectLeadersResponse { replica_election_results: results, ..Default::default() }
    }

    /// What comes of an election in each of these partitions.
    async fn elections(
        &self,
        election: Election,
        partitions: BTreeSet<TopicPartition>,
    ) -> BTreeMap<TopicPartition, Answer> {
        let mut answers = BTreeMap::new();
        let mut rest = partitions.into_iter();
        loop {
            let asked = rest.by_ref().take(AT_ONCE).map(|partition| {
                let input = move |ticket| Input::ElectLeader { ticket, partition, election, choice: None };
                (partition, self.ask(None, input))
            });
            let asked: Vec<_> = asked.collect();
            if asked.is_empty() {
                return answers;
            }
            for (partition, answer) in asked {
                answers.insert(partition, answer.await);
            }
        }
    }
}

/// Kafka's number for a kind of election.
fn election(number: i8) -> Option<Election> {
    match number {
        0 => Some(Election::Preferred),
        1 => Some(Election::Unclean),
        _ => None,
    }
}

/// The partitions that a request names; every one that there is, if it names none, by the topics' names.
fn meant(named: Option<Vec<TopicPartitions>>, image: &Image) -> Vec<Meant> {
    let ids: BTreeMap<&str, TopicId> = image.topics.iter().map(|(id, topic)| (topic.name.as_str(), *id)).collect();
    let Some(named) = named else {
        let all = ids.into_iter().map(|(name, id)| Meant {
            name: name.to_owned(),
            id: Some(id),
            partitions: (0..).zip(image.topics[&id].partitions.iter()).map(|(index, _)| index).collect(),
        });
        return all.collect();
    };
    let known = |TopicPartitions { topic, partitions }| {
        let id = ids.get(topic.as_str()).copied();
        Meant { name: topic, id, partitions }
    };
    named.into_iter().map(known).collect()
}

impl Meant {
    /// The partitions that the machine can be asked about.
    fn known(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        self.id
            .into_iter()
            .flat_map(|topic| self.partitions.iter().map(move |index| TopicPartition { topic, index: *index }))
    }

    /// What is told. A partition that is named twice is told twice.
    fn results(self, election: Election, answers: &BTreeMap<TopicPartition, Answer>) -> ReplicaElectionResult {
        let Self { name, id, partitions } = self;
        let unknown = Answer::Refused(Refusal::UnknownTopicOrPartition);
        let result = |index| {
            let answer = id.and_then(|topic| answers.get(&TopicPartition { topic, index })).unwrap_or(&unknown);
            PartitionResult {
                partition_id: index,
                error_code: code_of(answer),
                error_message: refusal_message(answer, election),
            }
        };
        ReplicaElectionResult { topic: name, partition_result: partitions.into_iter().map(result).collect() }
    }
}

/// Who asks about all partitions hears of those whose leader is not the wanted one, or was not.
fn keep_the_needed(topic: &mut ReplicaElectionResult) {
    topic.partition_result.retain(|result| result.error_code != Refusal::ElectionNotNeeded.code());
}

fn refusal_message(answer: &Answer, election: Election) -> Option<String> {
    let Answer::Refused(refusal) = answer else { return None };
    let message = match (refusal, election) {
        (Refusal::UnknownTopicOrPartition, _) => "there is no such partition",
        (Refusal::ElectionNotNeeded, Election::Preferred) => "the preferred replica leads already",
        (Refusal::ElectionNotNeeded, _) => "the partition has a leader",
        (Refusal::PreferredLeaderNotAvailable, _) => "the preferred replica is not alive, or not in sync",
        (Refusal::EligibleLeadersNotAvailable, _) => "no replica is alive",
        (refusal, _) => return Some(refusal.to_string()),
    };
    Some(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_spec::controller::{Config, Topic};

    const A: TopicId = TopicId([2; 16]);
    const B: TopicId = TopicId([1; 16]);

    fn image() -> Image {
        let mut image = Image::default();
        for (id, name) in [(A, "a"), (B, "b")] {
            let topic = Topic { name: name.to_owned(), partitions: Vec::new(), config: Config::default() };
            image.topics.insert(id, topic);
        }
        image
    }

    #[test]
    fn all_topics_are_meant_by_name() {
        let found: Vec<_> = meant(None, &image()).into_iter().map(|topic| (topic.name, topic.id)).collect();
        assert_eq!(found, [("a".to_owned(), Some(A)), ("b".to_owned(), Some(B))]);
    }

    #[test]
    fn one_election_answers_as_often_as_the_partition_is_named() {
        let named = |topic: &str, partitions: &[i32]| TopicPartitions {
            topic: topic.to_owned(),
            partitions: partitions.to_vec(),
        };
        let meant = meant(Some(vec![named("a", &[0, 1, 0]), named("c", &[0]), named("a", &[0])]), &image());
        let asked: BTreeSet<_> = meant.iter().flat_map(Meant::known).collect();
        assert_eq!(asked, BTreeSet::from([0, 1].map(|index| TopicPartition { topic: A, index })));
        let answer = |index| match index {
            0 => Answer::Elected,
            _ => Answer::Refused(Refusal::PreferredLeaderNotAvailable),
        };
        let answers = asked.into_iter().map(|partition| (partition, answer(partition.index))).collect();
        let codes = meant.into_iter().map(|topic| {
            let results = topic.results(Election::Preferred, &answers).partition_result;
            results.iter().map(|result| result.error_code).collect::<Vec<_>>()
        });
        assert_eq!(codes.collect::<Vec<_>>(), [vec![0, 80, 0], vec![3], vec![0]]);
    }

    #[test]
    fn only_what_is_as_it_should_be_is_kept_from_who_asks_about_all() {
        let result = |error_code| PartitionResult { error_code, ..PartitionResult::default() };
        let partition_result = [84, 0, 80, 83, 84].map(result).into();
        let mut topic = ReplicaElectionResult { topic: "a".to_owned(), partition_result };
        keep_the_needed(&mut topic);
        assert_eq!(topic.partition_result, [0, 80, 83].map(result));
    }
}
