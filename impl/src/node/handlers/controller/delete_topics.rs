//! DeleteTopics, as the controller answers it.
//!
//! Source: KIP-516; Kafka's `ControllerApis.deleteTopics`.

use super::{ControllerService, code_of};
use crate::node::handlers::errors;
use crate::node::handlers::topics::Forwarded;
use crate::wire::Uuid;
use crate::wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use highwater_spec::controller::{Image, Input};
use highwater_spec::values::TopicId;
use std::collections::BTreeMap;

impl ControllerService {
    pub(super) async fn delete_topics(&self, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
        if request.timeout_ms <= 0 {
            return too_late(request.in_newest().topics);
        }
        let (mut responses, found) = sorted(request.in_newest().topics, &self.committed.read().image);
        for (topic, name) in found {
            let answer = self.ask(None, move |ticket| Input::DeleteTopic { ticket, topic }).await;
            responses.push(DeletableTopicResult {
                name: Some(name),
                topic_id: topic.into(),
                error_code: code_of(&answer),
                error_message: None,
            });
        }
        DeleteTopicsResponse { responses, ..Default::default() }
    }
}

/// The request allows no time at all.
fn too_late(topics: Vec<DeleteTopicState>) -> DeleteTopicsResponse {
    let responses = topics.into_iter().map(|topic| DeletableTopicResult {
        name: topic.name,
        topic_id: topic.topic_id,
        error_code: errors::REQUEST_TIMED_OUT,
        error_message: None,
    });
    DeleteTopicsResponse { responses: responses.collect(), ..Default::default() }
}

/// What must be refused, and the names of the topics that are to go. A topic goes if it is named once, in one way.
fn sorted(topics: Vec<DeleteTopicState>, image: &Image) -> (Vec<DeletableTopicResult>, BTreeMap<TopicId, String>) {
    let (mut responses, mut found) = (Vec::new(), BTreeMap::new());
    let (mut names, mut ids) = (BTreeMap::<String, usize>::new(), BTreeMap::<TopicId, usize>::new());
    let mut refuse = |name, id: Uuid, error_code, message: &str| {
        let error_message = Some(message.to_owned());
        responses.push(DeletableTopicResult { name, topic_id: id, error_code, error_message });
    };
    for topic in topics {
        match (topic.name, topic.topic_id) {
            (None, Uuid::ZERO) => {
                refuse(None, Uuid::ZERO, errors::INVALID_REQUEST, "there is neither a name nor an id")
            }
            (Some(name), Uuid::ZERO) => *names.entry(name).or_default() += 1,
            (None, id) => *ids.entry(id.into()).or_default() += 1,
            (name, id) => refuse(name, id, errors::INVALID_REQUEST, "there is a name and an id: one of them will do"),
        }
    }
    for (id, times) in &ids {
        match image.topics.get(id) {
            _ if *times > 1 => refuse(None, (*id).into(), errors::INVALID_REQUEST, "this id is named more than once"),
            None => refuse(None, (*id).into(), errors::UNKNOWN_TOPIC_ID, "no topic has this id"),
            Some(topic) => drop(found.insert(*id, topic.name.clone())),
        }
    }
    for (name, times) in names {
        let id = image.topics.iter().find(|(_, topic)| topic.name == name).map(|(id, _)| *id);
        let message = "this topic is named by its id as well";
        match id {
            _ if times > 1 => {
                refuse(Some(name), Uuid::ZERO, errors::INVALID_REQUEST, "this name is said more than once")
            }
            None => refuse(Some(name), Uuid::ZERO, errors::UNKNOWN_TOPIC_OR_PARTITION, "no topic has this name"),
            Some(id) if ids.contains_key(&id) => {
                found.remove(&id);
                refuse(Some(name), id.into(), errors::INVALID_REQUEST, message);
            }
            Some(id) => drop(found.insert(id, name)),
        }
    }
    (responses, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_spec::controller::{Config, Topic};

    const HERE: TopicId = TopicId([1; 16]);
    const NOT_HERE: TopicId = TopicId([2; 16]);

    /// The codes of what is refused, and what is to go, where a topic `here` is.
    fn outcome(topics: &[(Option<&str>, TopicId)]) -> (Vec<i16>, Vec<TopicId>) {
        let mut image = Image::default();
        let topic = Topic { name: "here".to_owned(), partitions: Vec::new(), config: Config::default() };
        image.topics.insert(HERE, topic);
        let state = |(name, id): &(Option<&str>, TopicId)| DeleteTopicState {
            name: name.map(str::to_owned),
            topic_id: (*id).into(),
        };
        let (refused, found) = sorted(topics.iter().map(state).collect(), &image);
        (refused.iter().map(|refused| refused.error_code).collect(), found.into_keys().collect())
    }

    #[test]
    fn a_topic_goes_by_its_name_or_its_id() {
        let none = TopicId::default();
        assert_eq!(outcome(&[(Some("here"), none)]), (vec![], vec![HERE]));
        assert_eq!(outcome(&[(None, HERE)]), (vec![], vec![HERE]));
        assert_eq!(outcome(&[(Some("gone"), none)]), (vec![errors::UNKNOWN_TOPIC_OR_PARTITION], vec![]));
        assert_eq!(outcome(&[(None, NOT_HERE)]), (vec![errors::UNKNOWN_TOPIC_ID], vec![]));
    }

    #[test]
    fn what_is_named_twice_stays_in_whichever_way_it_is_named() {
        let (none, refused) = (TopicId::default(), (vec![errors::INVALID_REQUEST], vec![]));
        assert_eq!(outcome(&[(Some("here"), none), (Some("here"), none)]), refused);
        assert_eq!(outcome(&[(None, HERE), (None, HERE)]), refused);
        assert_eq!(outcome(&[(None, HERE), (Some("here"), none)]), refused);
        assert_eq!(outcome(&[(Some("here"), HERE)]), refused);
        assert_eq!(outcome(&[(None, none)]), refused);
    }
}
