//! ElectLeaders: every kind of election, of partitions that have their leaders and of those that aren't there.
//!
//! Not here: elections that change something. They need a broker that was away: see the failures.

use super::{Session, SessionError, ends};
use highwater::wire::Message;
use highwater::wire::messages::ElectLeadersRequest;
use highwater::wire::messages::elect_leaders::TopicPartitions;

const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let name = session.topic("elect", 3, 3)?.name;
    for version in ElectLeadersRequest::VERSIONS.iter() {
        for (case, kind) in [("preferred", PREFERRED), ("unclean", UNCLEAN)] {
            session.ask(&format!("{case}: one partition"), version, &of(kind, &[(&name, &[1])]));
            session.ask(&format!("{case}: all of a topic"), version, &of(kind, &[(&name, &[2, 0, 1])]));
            session.ask(&format!("{case}: all that there are"), version, &of_all(kind));
        }
    }
    for version in ends(ElectLeadersRequest::VERSIONS) {
        not_there(session, version, &name);
        hasty(session, version, &name);
        unknown_kinds(session, version, &name);
    }
    Ok(())
}

fn not_there(session: &mut Session, version: i16, name: &str) {
    for index in [3, -1, i32::MAX, i32::MIN] {
        session.ask(&format!("partition {index}"), version, &of(PREFERRED, &[(name, &[index])]));
    }
    for topic in ["", "a/b", ".", "__cluster_metadata", "unknown"] {
        session.ask(&format!("topic {topic:?}"), version, &of(UNCLEAN, &[(topic, &[0, 1])]));
    }
    session.ask("no topic", version, &of(PREFERRED, &[]));
    session.ask("no partition", version, &of(PREFERRED, &[(name, &[])]));
    session.ask("one partition twice", version, &of(PREFERRED, &[(name, &[0, 0, 9, 9])]));
    session.ask("one topic twice", version, &of(PREFERRED, &[(name, &[0]), (name, &[0, 1])]));
    session.ask("unknown ones among others", version, &of(UNCLEAN, &[("unknown", &[0]), (name, &[7, 2])]));
}

fn hasty(session: &mut Session, version: i16, name: &str) {
    for timeout_ms in [0, -1, i32::MIN] {
        let in_time = |request| ElectLeadersRequest { timeout_ms, ..request };
        let case = |what| format!("timeout {timeout_ms}: {what}");
        session.ask(&case("named"), version, &in_time(of(PREFERRED, &[(name, &[0, 9]), ("unknown", &[0])])));
        session.ask(&case("all"), version, &in_time(of_all(PREFERRED)));
        session.ask(&case("none"), version, &in_time(of(PREFERRED, &[])));
        session.ask(&case("of no known kind"), version, &in_time(of(2, &[(name, &[0])])));
    }
    let patient = ElectLeadersRequest { timeout_ms: i32::MAX, ..of(PREFERRED, &[(name, &[0])]) };
    session.ask("timeout of 24 days", version, &patient);
}

fn unknown_kinds(session: &mut Session, version: i16, name: &str) {
    for kind in [2, -1, i8::MAX, i8::MIN] {
        session.ask(&format!("kind {kind}: named"), version, &of(kind, &[(name, &[0, 9]), ("unknown", &[0])]));
        session.ask(&format!("kind {kind}: all"), version, &of_all(kind));
        session.ask(&format!("kind {kind}: none"), version, &of(kind, &[]));
    }
}

fn of(election_type: i8, named: &[(&str, &[i32])]) -> ElectLeadersRequest {
    let topic = |(topic, partitions): &(&str, &[i32])| TopicPartitions {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    let topic_partitions = Some(named.iter().map(topic).collect());
    ElectLeadersRequest { election_type, topic_partitions, timeout_ms: 30_000 }
}

fn of_all(election_type: i8) -> ElectLeadersRequest {
    ElectLeadersRequest { topic_partitions: None, ..of(election_type, &[]) }
}
