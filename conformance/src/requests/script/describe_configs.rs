//! DescribeConfigs: topics, brokers, and resources that aren't there.

use super::{Session, SessionError, ends};
use highwater::wire::Message;
use highwater::wire::messages::DescribeConfigsRequest;
use highwater::wire::messages::describe_configs::DescribeConfigsResource;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Settings of a topic that clients ask for, and that a broker obeys.
const TOPIC_KEYS: [&str; 6] =
    ["cleanup.policy", "segment.bytes", "retention.ms", "min.insync.replicas", "max.message.bytes", "compression.type"];
const BROKER_KEYS: [&str; 6] = [
    "num.partitions",
    "default.replication.factor",
    "auto.create.topics.enable",
    "message.max.bytes",
    "log.segment.bytes",
    "unclean.leader.election.enable",
];

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let name = session.topic_with("configs", 1, 1, &[("segment.bytes", "1048576")])?.name;
    let broker = session.any_broker();
    let own = broker.to_string();
    for version in DescribeConfigsRequest::VERSIONS.iter() {
        session.ask("topic", version, &of(TOPIC, &name, Some(&TOPIC_KEYS)));
        let synonyms = DescribeConfigsRequest { include_synonyms: true, ..of(TOPIC, &name, Some(&TOPIC_KEYS)) };
        session.ask("topic, with synonyms", version, &synonyms);
        session.ask("broker", version, &of(BROKER, &own, Some(&BROKER_KEYS)));
        let synonyms = DescribeConfigsRequest { include_synonyms: true, ..of(BROKER, &own, Some(&BROKER_KEYS)) };
        session.ask("broker, with synonyms", version, &synonyms);
    }
    for version in ends(DescribeConfigsRequest::VERSIONS) {
        unusual(session, version, &name);
    }
    session.ask("topic, all settings", 4, &of(TOPIC, &name, None));
    let documented = of(TOPIC, &name, Some(&["segment.bytes"]));
    session.ask("with documentation", 4, &DescribeConfigsRequest { include_documentation: true, ..documented });
    Ok(())
}

fn unusual(session: &mut Session, version: i16, topic: &str) {
    session.ask("no setting", version, &of(TOPIC, topic, Some(&[])));
    session.ask("unknown setting", version, &of(TOPIC, topic, Some(&["no.such.setting"])));
    session.ask("setting twice", version, &of(TOPIC, topic, Some(&["segment.bytes", "segment.bytes"])));
    for name in ["unknown", "", "a/b", "."] {
        session.ask(&format!("topic {name:?}"), version, &of(TOPIC, name, Some(&["segment.bytes"])));
    }
    let other = session.other_broker(session.any_broker()).to_string();
    for (what, name) in [("another", other.as_str()), ("99", "99"), ("x", "x"), ("-1", "-1"), ("all", "")] {
        session.ask(&format!("broker {what}"), version, &of(BROKER, name, Some(&["num.partitions"])));
    }
    for kind in [0, 1, 3, 5, 64, -1] {
        session.ask(&format!("resource of kind {kind}"), version, &of(kind, topic, None));
    }
    let none = DescribeConfigsRequest { resources: Vec::new(), ..of(TOPIC, topic, None) };
    session.ask("no resource", version, &none);
    let mut twice = of(TOPIC, topic, Some(&["segment.bytes"]));
    twice.resources.push(twice.resources[0].clone());
    session.ask("resource twice", version, &twice);
}

fn of(resource_type: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsRequest {
    let resource = DescribeConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
    };
    DescribeConfigsRequest { resources: vec![resource], ..DescribeConfigsRequest::default() }
}
