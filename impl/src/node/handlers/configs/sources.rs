//! Where the value of a setting comes from: the topic, the cluster, the node's start, or nobody.
//!
//! Source: KIP-226; Kafka's `ConfigHelper.configSynonyms`.

use crate::config::NodeConfig;
use crate::node::topic_configs::TopicConfig;
use highwater_spec::controller::Config;
use std::collections::BTreeMap;

/// The topic's own configuration.
pub const FROM_TOPIC: i8 = 1;
/// The cluster's configuration.
pub const FROM_CLUSTER: i8 = 3;
/// What the node was started with.
pub const FROM_START: i8 = 4;
/// Nobody set it.
pub const FROM_DEFAULT: i8 = 5;

/// A value that holds unless a stronger one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The setting that gives it.
    pub name: String,
    /// The value.
    pub value: String,
    /// Kafka's number for where it is set.
    pub source: i8,
}

/// What is set beside a topic.
pub struct Sources<'a> {
    cluster: BTreeMap<String, String>,
    node: &'a NodeConfig,
}

impl<'a> Sources<'a> {
    /// What the cluster's `defaults` say, and what `node` was started with.
    pub fn new(defaults: &Config, node: &'a NodeConfig) -> Self {
        Self { cluster: defaults.entries(), node }
    }

    /// What the cluster's configuration says.
    pub fn of_cluster(&self) -> impl Iterator<Item = Candidate> {
        self.cluster.iter().map(|(name, value)| candidate(name, value, FROM_CLUSTER))
    }

    /// The values of a broker's setting, the strongest first.
    pub fn of_broker(&self, name: &str, default: Option<&str>) -> Vec<Candidate> {
        let cluster = self.cluster.get(name).map(|value| candidate(name, value, FROM_CLUSTER));
        let start = self.node.given(name).map(|value| candidate(name, value, FROM_START));
        let default = default.map(|value| candidate(name, value, FROM_DEFAULT));
        cluster.into_iter().chain(start).chain(default).collect()
    }

    /// The values of a topic's setting, the strongest first, when `set` is what is configured for that topic.
    pub fn of_topic(&self, known: &TopicConfig, set: &BTreeMap<String, String>) -> Vec<Candidate> {
        let own = set.get(known.name).map(|value| candidate(known.name, value, FROM_TOPIC));
        let broker = known.broker.map(|name| self.of_broker(name, known.broker_default()));
        own.into_iter().chain(broker.into_iter().flatten()).collect()
    }
}

fn candidate(name: &str, value: &str, source: i8) -> Candidate {
    Candidate { name: name.to_owned(), value: value.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::node::topic_configs::TOPIC_CONFIGS;

    fn node() -> NodeConfig {
        let mut settings = Settings::default();
        for (name, value) in [
            ("node.id", "1"),
            ("process.roles", "broker,controller"),
            ("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0"),
            ("controller.quorum.voters", "1@127.0.0.1:0"),
            ("min.insync.replicas", "2"),
            ("unclean.leader.election.enable", "true"),
        ] {
            settings.add_flag(name, value);
        }
        NodeConfig::read(&settings).expect("a valid configuration")
    }

    fn of_topic(name: &str, set: &[(&str, &str)]) -> Vec<(String, i8)> {
        let (node, defaults) = (node(), Config { min_insync_replicas: Some(3), ..Config::default() });
        let known = TOPIC_CONFIGS.iter().find(|known| known.name == name).expect("a setting of topics");
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let candidates = Sources::new(&defaults, &node).of_topic(known, &set);
        candidates.into_iter().map(|candidate| (candidate.value, candidate.source)).collect()
    }

    fn values(all: &[(&str, i8)]) -> Vec<(String, i8)> {
        all.iter().map(|(value, source)| ((*value).to_owned(), *source)).collect()
    }

    #[test]
    fn a_topic_s_value_is_stronger_than_the_cluster_s_and_that_than_the_node_s() {
        let own = [("min.insync.replicas", "4")];
        let expected = [("4", FROM_TOPIC), ("3", FROM_CLUSTER), ("2", FROM_START), ("1", FROM_DEFAULT)];
        assert_eq!(of_topic("min.insync.replicas", &own), values(&expected));
        let unclean = of_topic("unclean.leader.election.enable", &[]);
        assert_eq!(unclean, values(&[("true", FROM_START), ("false", FROM_DEFAULT)]));
    }

    #[test]
    fn what_has_no_default_at_brokers_has_no_synonym() {
        assert_eq!(of_topic("retention.ms", &[]), []);
        assert_eq!(of_topic("retention.ms", &[("retention.ms", "5")]), values(&[("5", FROM_TOPIC)]));
    }
}
