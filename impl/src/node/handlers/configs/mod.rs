//! DescribeConfigs: what is configured of topics and brokers, and what holds where nothing is.
//!
//! Source: KIP-133, KIP-226, KIP-569; Kafka's `ConfigHelper`.

mod broker;
mod sources;

use self::sources::{Candidate, FROM_DEFAULT, Sources};
use super::broker::BrokerService;
use super::{errors, topics};
use crate::config::NodeConfig;
use crate::node::topic_configs::TOPIC_CONFIGS;
use crate::wire::messages::create_topics::CreatableTopicConfigs;
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use highwater_spec::controller::Config;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// From this version on, types of settings are told.
const WITH_TYPES: i16 = 3;

/// What an answer tells of each setting.
#[derive(Clone, Copy, Debug)]
struct Detail {
    synonyms: bool,
    documentation: bool,
    types: bool,
}

/// Why a resource can't be described: Kafka's code, and what is wrong.
type Fault = (i16, String);
type Described = Result<Vec<DescribeConfigsResourceResult>, Fault>;

/// Answers.
pub fn answer(service: &BrokerService, version: i16, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let detail = Detail {
        synonyms: request.include_synonyms,
        documentation: request.include_documentation,
        types: version >= WITH_TYPES,
    };
    let results = request.resources.into_iter().map(|resource| {
        let described = match resource.resource_type {
            TOPIC => of_topic(service, &resource, detail),
            BROKER => broker::describe(service, &resource, detail),
            other => Err((errors::INVALID_REQUEST, format!("resources of type {other} are not described"))),
        };
        let (error_code, message, configs) = match described {
            // Empty rather than null, as Kafka has it.
            Ok(configs) => (errors::NONE, String::new(), configs),
            Err((code, message)) => (code, message, Vec::new()),
        };
        DescribeConfigsResult {
            error_code,
            error_message: Some(message),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            configs,
        }
    });
    DescribeConfigsResponse { results: results.collect(), ..Default::default() }
}

fn of_topic(service: &BrokerService, resource: &DescribeConfigsResource, detail: Detail) -> Described {
    let cluster = service.cluster.read();
    let Some((_, topic)) = cluster.topic_named(&resource.resource_name) else {
        return Err((topics::missing(&resource.resource_name), "this topic does not exist".to_owned()));
    };
    let sources = Sources::new(&cluster.image.defaults, &service.config);
    let set = topic.config.entries();
    let known = TOPIC_CONFIGS.iter().filter(|known| wants(resource, known.name));
    let described = known.map(|known| DescribeConfigsResourceResult {
        config_type: if detail.types { known.kind.code() } else { 0 },
        ..described(known.name, sources.of_topic(known, &set), Some(known.default), detail)
    });
    Ok(described.collect())
}

/// Whether a setting is asked for. No list, or an empty one, asks for all.
fn wants(resource: &DescribeConfigsResource, name: &str) -> bool {
    let keys = resource.configuration_keys.as_deref().unwrap_or_default();
    keys.is_empty() || keys.iter().any(|key| key == name)
}

/// A setting whose value is the first candidate's, or else the default.
fn described(
    name: &str,
    candidates: Vec<Candidate>,
    default: Option<&str>,
    detail: Detail,
) -> DescribeConfigsResourceResult {
    let (value, config_source) = in_force(&candidates, default);
    let listed = candidates.into_iter().filter(|_| detail.synonyms).map(|candidate| DescribeConfigsSynonym {
        name: candidate.name,
        value: Some(candidate.value),
        source: candidate.source,
    });
    DescribeConfigsResourceResult {
        name: name.to_owned(),
        value,
        config_source,
        synonyms: listed.collect(),
        documentation: None,
        ..Default::default()
    }
}

fn in_force(candidates: &[Candidate], default: Option<&str>) -> (Option<String>, i8) {
    match candidates.first() {
        Some(first) => (Some(first.value.clone()), first.source),
        None => (default.map(str::to_owned), FROM_DEFAULT),
    }
}

/// What CreateTopics says of a topic's configuration: every value in force, as `node` was started and by the cluster's
/// `defaults`.
pub fn of_created(config: &Config, defaults: &Config, node: &NodeConfig) -> Vec<CreatableTopicConfigs> {
    let (set, sources) = (config.entries(), Sources::new(defaults, node));
    let described = TOPIC_CONFIGS.iter().map(|known| {
        let (value, config_source) = in_force(&sources.of_topic(known, &set), Some(known.default));
        CreatableTopicConfigs { name: known.name.to_owned(), value, config_source, ..Default::default() }
    });
    described.collect()
}
