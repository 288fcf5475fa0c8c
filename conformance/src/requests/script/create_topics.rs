//! CreateTopics: names, numbers, assignments and settings that are accepted or refused.

use super::{Session, SessionError, ends};
use highwater::wire::Message;
use highwater::wire::messages::CreateTopicsRequest;
use highwater::wire::messages::create_topics::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};

/// A partition and its brokers.
type Assigned<'a> = (i32, &'a [i32]);

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    for version in CreateTopicsRequest::VERSIONS.iter() {
        let topic = plain(&session.name(&format!("create-{version}")), 2, 3);
        session.ask("validated only", version, &CreateTopicsRequest { validate_only: true, ..of(topic.clone()) });
        session.ask("created", version, &of(topic.clone()));
        session.ask("created before", version, &of(topic.clone()));
        session.ask(
            "created before, validated only",
            version,
            &CreateTopicsRequest { validate_only: true, ..of(topic) },
        );
    }
    for version in ends(CreateTopicsRequest::VERSIONS) {
        names(session, version);
        numbers(session, version);
        assignments(session, version);
        settings(session, version);
        several(session, version);
    }
    collisions(session)
}

fn names(session: &mut Session, version: i16) {
    let too_long = "x".repeat(250);
    let all =
        [("empty", ""), (".", "."), ("..", ".."), ("slash", "a/b"), ("ü", "ü"), ("space", "a b"), ("250", &too_long)];
    for (what, name) in all {
        session.ask(&format!("name {what}"), version, &of(plain(name, 1, 1)));
    }
    let filler = 249 - session.name("").len();
    let longest = session.name(&"x".repeat(filler));
    session.ask("name of 249", version, &validated(plain(&longest, 1, 1)));
    session.ask("name of the metadata log", version, &validated(plain("__cluster_metadata", 1, 1)));
}

fn numbers(session: &mut Session, version: i16) {
    let name = session.name("create-numbers");
    for partitions in [0, -1, -2, i32::MIN, 10_001, i32::MAX] {
        session.ask(&format!("{partitions} partitions"), version, &validated(plain(&name, partitions, 1)));
    }
    for replicas in [0, -1, -2, 4, 100, i16::MAX] {
        session.ask(&format!("{replicas} replicas"), version, &validated(plain(&name, 1, replicas)));
    }
    session.ask("the default of both", version, &validated(plain(&name, -1, -1)));
    for timeout_ms in [0, -1] {
        let request = CreateTopicsRequest { timeout_ms, ..validated(plain(&name, 1, 1)) };
        session.ask(&format!("timeout {timeout_ms}"), version, &request);
    }
}

/// Brokers of the partitions, by index. Broker ids begin with 1.
fn assignments(session: &mut Session, version: i16) {
    let name = session.name("create-assigned");
    let cases: [(&str, &[Assigned]); 12] = [
        ("one partition", &[(0, &[1])]),
        ("three partitions of three", &[(0, &[1, 2, 3]), (1, &[2, 3, 1]), (2, &[3, 1, 2])]),
        ("in another order", &[(1, &[2]), (0, &[1])]),
        ("not from 0", &[(1, &[1])]),
        ("with a gap", &[(0, &[1]), (2, &[1])]),
        ("negative", &[(-1, &[1])]),
        ("partition twice", &[(0, &[1]), (0, &[2])]),
        ("broker twice", &[(0, &[1, 1])]),
        ("unknown broker", &[(0, &[99])]),
        ("broker -1", &[(0, &[-1])]),
        ("no broker", &[(0, &[])]),
        ("of different size", &[(0, &[1]), (1, &[1, 2])]),
    ];
    for (case, partitions) in cases {
        session.ask(&format!("assigned: {case}"), version, &validated(assigned(&name, -1, -1, partitions)));
    }
    for (partitions, replicas) in [(1, 1), (2, -1), (-1, 1), (1, -1)] {
        let topic = assigned(&name, partitions, replicas, &[(0, &[1])]);
        let case = format!("assigned, and {partitions} partitions of {replicas} replicas");
        session.ask(&case, version, &validated(topic));
    }
}

fn settings(session: &mut Session, version: i16) {
    let name = session.name("create-settings");
    let cases = [
        ("no.such.setting", Some("1")),
        ("", Some("1")),
        ("num.partitions", Some("1")),
        ("cleanup.policy", Some("delete")),
        ("cleanup.policy", Some("compact,delete")),
        ("cleanup.policy", Some("shred")),
        ("cleanup.policy", Some("")),
        ("cleanup.policy", None),
        ("segment.bytes", Some("1048576")),
        ("segment.bytes", Some("1048575")),
        ("segment.bytes", Some("1")),
        ("segment.bytes", Some("many")),
        ("segment.bytes", Some("99999999999")),
        ("segment.ms", Some("0")),
        ("retention.ms", Some("-1")),
        ("retention.ms", Some("-2")),
        ("retention.bytes", Some("-2")),
        ("min.insync.replicas", Some("1")),
        ("min.insync.replicas", Some("0")),
        ("min.insync.replicas", Some("100")),
        ("max.message.bytes", Some("-1")),
        ("max.message.bytes", Some("0")),
        ("compression.type", Some("zstd")),
        ("compression.type", Some("zip")),
        ("message.timestamp.type", Some("LogAppendTime")),
        ("message.timestamp.type", Some("logappendtime")),
        ("unclean.leader.election.enable", Some("true")),
        ("unclean.leader.election.enable", Some("yes")),
        ("index.interval.bytes", Some("-1")),
        ("local.retention.ms", Some("5")),
        ("remote.storage.enable", Some("true")),
        ("message.format.version", Some("2.0")),
        (" segment.bytes", Some("1048576")),
    ];
    for (key, value) in cases {
        session.ask(&format!("{key}={value:?}"), version, &validated(with_settings(&name, &[(key, value)])));
    }
    let twice = [("segment.bytes", Some("2097152")), ("segment.bytes", Some("1048576"))];
    session.ask("one setting twice", version, &validated(with_settings(&name, &twice)));
}

fn several(session: &mut Session, version: i16) {
    let name = session.name("create-several");
    let none = CreateTopicsRequest { topics: Vec::new(), ..of(plain("", 1, 1)) };
    session.ask("no topic", version, &none);
    let two = vec![plain(&name, 1, 1), plain(&name, 2, 1)];
    session.ask("one name twice", version, &CreateTopicsRequest { topics: two, ..validated(plain("", 1, 1)) });
    let partly =
        vec![plain(&name, 1, 1), plain("a/b", 1, 1), plain(&name, 1, 1), plain(&session.name("other"), 1, 100)];
    session.ask("good and bad", version, &CreateTopicsRequest { topics: partly, ..validated(plain("", 1, 1)) });
}

/// Names that differ only in `.` and `_` would be one metric.
fn collisions(session: &mut Session) -> Result<(), SessionError> {
    session.topic("create.a_b", 1, 1)?;
    for name in ["create.a.b", "create_a_b", "create_a.b"] {
        session.ask(&format!("collides: {name}"), 7, &validated(plain(&session.name(name), 1, 1)));
    }
    let both = vec![plain(&session.name("create.c"), 1, 1), plain(&session.name("create_c"), 1, 1)];
    let request = CreateTopicsRequest { topics: both, ..validated(plain("", 1, 1)) };
    session.ask("collide with one another", 7, &request);
    Ok(())
}

fn of(topic: CreatableTopic) -> CreateTopicsRequest {
    CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, validate_only: false }
}

fn validated(topic: CreatableTopic) -> CreateTopicsRequest {
    CreateTopicsRequest { validate_only: true, ..of(topic) }
}

fn plain(name: &str, num_partitions: i32, replication_factor: i16) -> CreatableTopic {
    CreatableTopic { name: name.to_owned(), num_partitions, replication_factor, ..CreatableTopic::default() }
}

fn assigned(name: &str, partitions: i32, replicas: i16, brokers: &[Assigned]) -> CreatableTopic {
    let assignment = |(partition_index, broker_ids): &Assigned| CreatableReplicaAssignment {
        partition_index: *partition_index,
        broker_ids: broker_ids.to_vec(),
    };
    CreatableTopic { assignments: brokers.iter().map(assignment).collect(), ..plain(name, partitions, replicas) }
}

fn with_settings(name: &str, settings: &[(&str, Option<&str>)]) -> CreatableTopic {
    let setting = |(name, value): &(&str, Option<&str>)| CreatableTopicConfig {
        name: (*name).to_owned(),
        value: value.map(str::to_owned),
    };
    CreatableTopic { configs: settings.iter().map(setting).collect(), ..plain(name, 1, 1) }
}
