//! Metadata: by name, by id, all, none, and topics that don't exist.

use super::{NOBODYS_ID, Session, SessionError, ends};
use highwater::wire::messages::MetadataRequest;
use highwater::wire::messages::metadata::MetadataRequestTopic;
use highwater::wire::{Message, Uuid};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let two = session.topic("metadata-two", 2, 3)?;
    let one = session.topic("metadata-one", 1, 1)?;
    for version in MetadataRequest::VERSIONS.iter() {
        session.ask("two topics", version, &of(vec![name(&two.name), name(&one.name)]));
        let every = if version == 0 { Some(Vec::new()) } else { None };
        session.ask("all", version, &MetadataRequest { topics: every, ..MetadataRequest::default() });
        if version > 0 {
            session.ask("none", version, &of(Vec::new()));
        }
        if version >= 4 {
            session.ask("unknown topic", version, &of(vec![name(&session.name("metadata-unknown"))]));
        }
    }
    session.ask("one topic twice", 13, &of(vec![name(&one.name), name(&one.name)]));
    invalid_names(session);
    by_id(session, one.id, &one.name);
    authorized_operations(session, &one.name);
    auto_creation(session)
}

fn invalid_names(session: &mut Session) {
    let longest = "x".repeat(249);
    let too_long = "x".repeat(250);
    for (what, text) in
        [("empty", ""), (".", "."), ("..", ".."), ("slash", "a/b"), ("249", &longest), ("250", &too_long), ("ü", "ü")]
    {
        for version in [4, 13] {
            let request = of(vec![name(text)]);
            session.ask(&format!("name {what}"), version, &request);
            if what != "249" {
                let request = MetadataRequest { allow_auto_topic_creation: true, ..request };
                session.ask(&format!("name {what}, with creation"), version, &request);
            }
        }
    }
}

fn by_id(session: &mut Session, known: Uuid, its_name: &str) {
    let id = |topic_id| MetadataRequestTopic { topic_id, name: None };
    for version in [12, 13] {
        session.ask("id", version, &of(vec![id(known)]));
        session.ask("unknown id", version, &of(vec![id(NOBODYS_ID)]));
        session.ask("no id and no name", version, &of(vec![id(Uuid::ZERO)]));
        session.ask("known and unknown id", version, &of(vec![id(known), id(NOBODYS_ID)]));
        session.ask("id and name in two", version, &of(vec![id(known), name(its_name)]));
    }
    for version in [10, 11, 12, 13] {
        let both = MetadataRequestTopic { topic_id: known, name: Some(its_name.to_owned()) };
        session.ask("id and name in one", version, &of(vec![both]));
    }
}

fn authorized_operations(session: &mut Session, topic: &str) {
    for version in [8, 10, 11, 13] {
        let request = MetadataRequest {
            include_cluster_authorized_operations: version <= 10,
            include_topic_authorized_operations: true,
            ..of(vec![name(topic)])
        };
        session.ask("authorized operations", version, &request);
    }
}

fn auto_creation(session: &mut Session) -> Result<(), SessionError> {
    for version in ends(MetadataRequest::VERSIONS).into_iter().chain([4]) {
        let base = format!("metadata-auto-{version}");
        let request = MetadataRequest { allow_auto_topic_creation: true, ..of(vec![name(&session.name(&base))]) };
        session.ask("unknown topic, with creation", version, &request);
        session.known_topic(&base, 1)?;
        session.ask("topic created so", version, &request);
    }
    let collides = MetadataRequest { allow_auto_topic_creation: true, ..of(vec![name(&session.name("metadata.one"))]) };
    session.known_topic("metadata-one", 1)?;
    session.ask("unknown topic whose name does not collide", 13, &collides);
    session.known_topic("metadata.one", 1)?;
    let collides = MetadataRequest { allow_auto_topic_creation: true, ..of(vec![name(&session.name("metadata_one"))]) };
    session.ask("unknown topic whose name collides", 13, &collides);
    Ok(())
}

fn of(topics: Vec<MetadataRequestTopic>) -> MetadataRequest {
    MetadataRequest { topics: Some(topics), allow_auto_topic_creation: false, ..MetadataRequest::default() }
}

fn name(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic { name: Some(name.to_owned()), ..MetadataRequestTopic::default() }
}
