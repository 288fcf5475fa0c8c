//! DeleteTopics: by name, by id, by both, and what isn't there.

use super::{NOBODYS_ID, Session, SessionError, ends};
use highwater::wire::messages::DeleteTopicsRequest;
use highwater::wire::messages::delete_topics::DeleteTopicState;
use highwater::wire::{Message, Uuid};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    for version in DeleteTopicsRequest::VERSIONS.iter() {
        let base = format!("delete-{version}");
        let name = session.topic(&base, 2, 3)?.name;
        session.ask("deleted", version, &by_names(&[&name]));
        session.gone(&base)?;
        session.ask("deleted before", version, &by_names(&[&name]));
    }
    for version in ends(DeleteTopicsRequest::VERSIONS).into_iter().chain([5]) {
        not_there(session, version)?;
    }
    by_id(session)
}

fn not_there(session: &mut Session, version: i16) -> Result<(), SessionError> {
    for name in ["", "a/b", ".", "__cluster_metadata"] {
        session.ask(&format!("name {name:?}"), version, &by_names(&[name]));
    }
    session.ask("no topic", version, &by_names(&[]));
    let base = format!("delete-twice-{version}");
    let twice = session.topic(&base, 1, 1)?.name;
    session.ask("one name twice", version, &by_names(&[&twice, &twice]));
    session.ask("one name twice, and an unknown one", version, &by_names(&[&twice, &twice, "unknown"]));
    let timeout = DeleteTopicsRequest { timeout_ms: 0, ..by_names(&["unknown"]) };
    session.ask("timeout 0", version, &timeout);
    Ok(())
}

fn by_id(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic("delete-by-id", 1, 1)?;
    let id = |topic_id| DeleteTopicState { name: None, topic_id };
    let both = DeleteTopicState { name: Some(topic.name.clone()), topic_id: topic.id };
    session.ask("unknown id", 6, &of(vec![id(NOBODYS_ID)]));
    session.ask("neither name nor id", 6, &of(vec![id(Uuid::ZERO)]));
    session.ask("name and id in one", 6, &of(vec![both.clone()]));
    session.ask("name and id in two", 6, &of(vec![id(topic.id), named(&topic.name)]));
    session.ask("id twice", 6, &of(vec![id(topic.id), id(topic.id)]));
    session.ask("metadata's id", 6, &of(vec![id(Uuid::METADATA_TOPIC)]));
    let other = session.topic("delete-by-id-too", 1, 1)?;
    session.ask("id", 6, &of(vec![id(other.id)]));
    session.gone("delete-by-id-too")?;
    session.ask("id deleted before", 6, &of(vec![id(other.id)]));
    Ok(())
}

/// By names, in both ways; each version writes one.
fn by_names(names: &[&str]) -> DeleteTopicsRequest {
    let topic_names = names.iter().map(|name| (*name).to_owned()).collect();
    DeleteTopicsRequest { topic_names, ..of(names.iter().map(|name| named(name)).collect()) }
}

fn named(name: &str) -> DeleteTopicState {
    DeleteTopicState { name: Some(name.to_owned()), topic_id: Uuid::ZERO }
}

fn of(topics: Vec<DeleteTopicState>) -> DeleteTopicsRequest {
    DeleteTopicsRequest { topics, topic_names: Vec::new(), timeout_ms: 30_000 }
}
