//! What is configured of a broker, and of all of them.

use super::sources::{Candidate, Sources};
use super::{Described, Detail, described, wants};
use crate::config::{self, Key};
use crate::node::handlers::broker::BrokerService;
use crate::node::handlers::errors;
use crate::node::topic_configs::{BOOLEAN, INT, LIST, LONG, STRING, TOPIC_CONFIGS, TopicConfig};
use crate::wire::messages::describe_configs::{DescribeConfigsResource, DescribeConfigsResourceResult};

/// The settings of this broker; those of the cluster where no broker is named.
pub fn describe(service: &BrokerService, resource: &DescribeConfigsResource, detail: Detail) -> Described {
    let cluster = service.cluster.read();
    let sources = Sources::new(&cluster.image.defaults, &service.config);
    if resource.resource_name.is_empty() {
        let set = sources.of_cluster().filter(|candidate| wants(resource, &candidate.name));
        return Ok(set.map(|candidate| of_cluster(candidate, detail)).collect());
    }
    let (own, asked) = (service.me.0, &resource.resource_name);
    if asked.parse() != Ok(own) {
        return Err((
            errors::INVALID_REQUEST,
            format!("this is broker {own}, and the settings of {asked} are asked for"),
        ));
    }
    let known = config::keys().filter(|known| wants(resource, known.name));
    Ok(known.map(|known| of_broker(known, sources.of_broker(known.name, known.default), detail)).collect())
}

fn of_cluster(set: Candidate, detail: Detail) -> DescribeConfigsResourceResult {
    let name = set.name.clone();
    with_kind(described(&name, vec![set], None, detail), detail)
}

fn of_broker(known: &Key, candidates: Vec<Candidate>, detail: Detail) -> DescribeConfigsResourceResult {
    let documentation = detail.documentation.then(|| known.meaning.trim().to_owned());
    let described = described(known.name, candidates, known.default, detail);
    with_kind(DescribeConfigsResourceResult { documentation, ..described }, detail)
}

/// Only what gives topics their defaults can be configured for a cluster that runs.
fn with_kind(setting: DescribeConfigsResourceResult, detail: Detail) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult {
        read_only: of_topics(&setting.name).is_none(),
        config_type: if detail.types { kind(&setting.name) } else { 0 },
        ..setting
    }
}

/// The setting of topics that this one gives its default.
fn of_topics(name: &str) -> Option<&'static TopicConfig> {
    TOPIC_CONFIGS.iter().find(|known| known.broker == Some(name))
}

/// Kafka's number for a setting's type.
fn kind(name: &str) -> i8 {
    if let Some(known) = of_topics(name) {
        return known.kind.code();
    }
    match name {
        "auto.create.topics.enable" | "log.cleaner.enable" => BOOLEAN,
        "broker.rack"
        | "log.dirs"
        | "listeners"
        | "advertised.listeners"
        | "controller.listener.names"
        | "inter.broker.listener.name"
        | "listener.security.protocol.map" => STRING,
        "process.roles" | "controller.quorum.voters" | "controller.quorum.bootstrap.servers" => LIST,
        "log.cleaner.backoff.ms"
        | "log.cleaner.dedupe.buffer.size"
        | "offsets.retention.check.interval.ms"
        | "replica.high.watermark.checkpoint.interval.ms"
        | "replica.lag.time.max.ms" => LONG,
        _ => INT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_text() {
        for known in config::keys() {
            let is_number = known.default.is_some_and(|default| default.parse::<i64>().is_ok());
            let by_kind = [INT, LONG].contains(&kind(known.name));
            assert!(by_kind || !is_number, "{}", known.name);
            assert!(!by_kind || is_number || known.name == "node.id", "{}", known.name);
        }
        assert_eq!(kind("unclean.leader.election.enable"), BOOLEAN);
        assert_eq!(kind("min.insync.replicas"), INT);
    }
}
