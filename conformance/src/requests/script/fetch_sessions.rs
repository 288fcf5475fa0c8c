//! Fetch sessions (KIP-227): opened, continued, spoken to wrongly, closed.

use super::fetch::{of, partition};
use super::{Batch, Session, SessionError, Topic, append, produce_request};
use highwater::wire::messages::FetchRequest;
use highwater::wire::messages::fetch::ForgottenTopic;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let wrongly = session.topic_on(session.any_broker(), "sessions-wrong", 1)?;
    append(session, &wrongly, 0, &[Batch::of(&["a", "b"])]);
    for version in [7, 12, 17] {
        spoken_to_wrongly(session, version, &wrongly);
        // All partitions of one broker, so that one session holds them.
        let topic = session.topic_on(session.any_broker(), &format!("sessions-{version}"), 2)?;
        append(session, &topic, 0, &[Batch::of(&["a", "b"])]);
        a_session(session, version, &topic);
    }
    Ok(())
}

fn a_session(session: &mut Session, version: i16, topic: &Topic) {
    let leader = topic.leaders[0];
    let mut open = FetchRequest { session_id: 0, session_epoch: 0, ..of(topic, 0, 0) };
    let opened = session.ask_broker(leader, "opens a session", version, &open);
    let Some(id) = opened.map(|answer| answer.session_id).filter(|id| *id != 0) else { return };
    let next = |session_epoch| FetchRequest { session_id: id, session_epoch, topics: Vec::new(), ..of(topic, 0, 0) };
    session.ask_broker(leader, "goes on, nothing read yet", version, &next(1));
    let moved = FetchRequest { session_id: id, session_epoch: 2, ..of(topic, 0, 2) };
    session.ask_broker(leader, "goes on, read to the end", version, &moved);
    session.ask_broker(leader, "goes on, nothing new", version, &next(3));
    let more = produce_request(topic, 0, 1, Some(Batch::of(&["c"]).encode()));
    session.ask_broker(leader, "a record while the session lasts", 12, &more);
    session.ask_broker(leader, "goes on, one new record", version, &next(4));
    let mut added = FetchRequest { session_id: id, session_epoch: 5, ..of(topic, 1, 0) };
    added.topics[0].partitions.push(partition(9, 0));
    session.ask_broker(leader, "adds a partition and an unknown one", version, &added);
    let forgotten = ForgottenTopic { topic: topic.name.clone(), topic_id: topic.id, partitions: vec![0, 9] };
    let forgets = FetchRequest { forgotten_topics_data: vec![forgotten], ..next(6) };
    session.ask_broker(leader, "forgets partitions", version, &forgets);
    session.ask_broker(leader, "skips an epoch", version, &next(8));
    session.ask_broker(leader, "goes on after a wrong epoch", version, &next(7));
    open.session_id = id;
    session.ask_broker(leader, "opens again in place of the old one", version, &open);
    session.ask_broker(leader, "goes on in the old one", version, &next(1));
}

fn spoken_to_wrongly(session: &mut Session, version: i16, topic: &Topic) {
    for (session_id, session_epoch) in [(12345, 1), (12345, 0), (12345, -1), (0, 1), (-1, 1), (0, -1), (0, -2)] {
        let request = FetchRequest { session_id, session_epoch, ..of(topic, 0, 2) };
        let case = format!("session {session_id} epoch {session_epoch}");
        session.ask_broker(topic.leaders[0], &case, version, &request);
    }
}
