//! DescribeConfigs: what is configured of topics and brokers, and what holds where nothing is.
//!
//! Source: KIP-133, KIP-226; Kafka's `ConfigHelper`.

use super::broker::BrokerService;
use super::{errors, topics};
use crate::config;
use crate::node::topic_configs::{TOPIC_CONFIGS, TopicConfig};
use crate::wire::messages::create_topics::CreatableTopicConfigs;
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use highwater_spec::controller::Config;
use std::collections::BTreeMap;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Where a value comes from: the topic's own configuration.
const FROM_TOPIC: i8 = 1;
/// The cluster's configuration.
const FROM_CLUSTER: i8 = 3;
/// What the broker was started with.
const FROM_START: i8 = 4;
/// Nobody set it.
const FROM_DEFAULT: i8 = 5;

/// One value and where it comes from.
struct Value {
    value: String,
    source: i8,
    synonyms: Vec<(String, String, i8)>,
}

/// Answers.
pub fn answer(service: &BrokerService, version: i16, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let synonyms = request.include_synonyms;
    let results = request.resources.into_iter().map(|resource| match resource.resource_type {
        TOPIC => of_topic(service, version, resource, synonyms),
        BROKER => of_broker(service, resource, synonyms),
        other => failed(resource, errors::INVALID_REQUEST, format!("Unsupported resource type: {other}")),
    });
    DescribeConfigsResponse { results: results.collect(), ..Default::default() }
}

fn of_topic(
    service: &BrokerService,
    version: i16,
    resource: DescribeConfigsResource,
    synonyms: bool,
) -> DescribeConfigsResult {
    let cluster = service.cluster.read();
    let Some((_, topic)) = cluster.topic_named(&resource.resource_name) else {
        let code = match topics::is_valid_name(&resource.resource_name) {
            true => errors::UNKNOWN_TOPIC_OR_PARTITION,
            false => errors::INVALID_TOPIC,
        };
        return failed(resource, code, "this topic does not exist".to_owned());
    };
    let (set, of_cluster) = (topic.config.entries(), cluster.image.defaults.entries());
    let wanted =
        |name: &str| resource.configuration_keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key == name));
    let known = TOPIC_CONFIGS.iter().filter(|known| wanted(known.name));
    let configs = known.map(|known| {
        let value = value_of(service, known, &set, &of_cluster);
        let listed = value.synonyms.into_iter().map(|(name, value, source)| DescribeConfigsSynonym {
            name,
            value: Some(value),
            source,
        });
        DescribeConfigsResourceResult {
            name: known.name.to_owned(),
            value: Some(value.value),
            read_only: false,
            config_source: value.source,
            is_sensitive: false,
            synonyms: if synonyms { listed.collect() } else { Vec::new() },
            config_type: if version >= 3 { known.kind.code() } else { 0 },
            documentation: None,
        }
    });
    let configs = configs.collect();
    described(resource, configs)
}

fn described(resource: DescribeConfigsResource, configs: Vec<DescribeConfigsResourceResult>) -> DescribeConfigsResult {
    DescribeConfigsResult {
        // Empty rather than null, as Kafka has it.
        error_message: Some(String::new()),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        configs,
        ..Default::default()
    }
}

/// The value in force, and every one that would be if those before it were not.
fn value_of(
    service: &BrokerService,
    known: &TopicConfig,
    set: &BTreeMap<String, String>,
    of_cluster: &BTreeMap<String, String>,
) -> Value {
    let mut synonyms = Vec::new();
    if let Some(value) = set.get(known.name) {
        synonyms.push((known.name.to_owned(), value.clone(), FROM_TOPIC));
    }
    if let Some(broker) = known.broker {
        if let Some(value) = of_cluster.get(broker) {
            synonyms.push((broker.to_owned(), value.clone(), FROM_CLUSTER));
        }
        if let Some(value) = service.config.given(broker) {
            synonyms.push((broker.to_owned(), value.to_owned(), FROM_START));
        }
        synonyms.push((broker.to_owned(), known.default.to_owned(), FROM_DEFAULT));
    }
    let first = synonyms.first().map(|(_, value, source)| (value.clone(), *source));
    let (value, source) = first.unwrap_or_else(|| (known.default.to_owned(), FROM_DEFAULT));
    Value { value, source, synonyms }
}

fn of_broker(service: &BrokerService, resource: DescribeConfigsResource, synonyms: bool) -> DescribeConfigsResult {
    let own = service.me.0.to_string();
    if resource.resource_name != own {
        let message = format!("Unexpected broker id, expected {own} but received {}", resource.resource_name);
        return failed(resource, errors::INVALID_REQUEST, message);
    }
    let wanted =
        |name: &str| resource.configuration_keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key == name));
    let known = config::keys().filter(|known| wanted(known.name));
    let configs = known.map(|known| {
        let given = service.config.given(known.name);
        let source = if given.is_some() { FROM_START } else { FROM_DEFAULT };
        let value = given.or(known.default).map(str::to_owned);
        let synonym = DescribeConfigsSynonym { name: known.name.to_owned(), value: value.clone(), source };
        DescribeConfigsResourceResult {
            name: known.name.to_owned(),
            value,
            read_only: true,
            config_source: source,
            synonyms: if synonyms { vec![synonym] } else { Vec::new() },
            ..Default::default()
        }
    });
    let configs = configs.collect();
    described(resource, configs)
}

fn failed(resource: DescribeConfigsResource, error_code: i16, message: String) -> DescribeConfigsResult {
    DescribeConfigsResult {
        error_code,
        error_message: Some(message),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        ..Default::default()
    }
}

/// What CreateTopics says of a topic's configuration: every value in force.
pub fn of_created(config: &Config, defaults: &Config) -> Vec<CreatableTopicConfigs> {
    let (set, of_cluster) = (config.entries(), defaults.entries());
    let described = TOPIC_CONFIGS.iter().map(|known| {
        let of_topic = set.get(known.name).map(|value| (value.clone(), FROM_TOPIC));
        let cluster = known.broker.and_then(|name| of_cluster.get(name)).map(|value| (value.clone(), FROM_CLUSTER));
        let (value, config_source) = of_topic.or(cluster).unwrap_or((known.default.to_owned(), FROM_DEFAULT));
        CreatableTopicConfigs {
            name: known.name.to_owned(),
            value: Some(value),
            read_only: false,
            config_source,
            is_sensitive: false,
        }
    });
    described.collect()
}
