//! Where groups are kept: `__consumer_offsets`, and which of its partitions has a group.
//!
//! Source: Kafka's `GroupCoordinatorService.partitionFor`, `AutoTopicCreationManager`.

use crate::config::NodeConfig;
use crate::node::cluster::Cluster;
use crate::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use highwater_spec::group::GroupId;
use highwater_spec::values::TopicPartition;

/// The topic's name.
pub const TOPIC: &str = "__consumer_offsets";

/// Replicas where nobody says how many.
const REPLICAS: i16 = 3;

/// The partition that has a group; `None` while there is no such topic.
pub fn partition_of(cluster: &Cluster, group: &GroupId) -> Option<TopicPartition> {
    let (topic, found) = cluster.topic_named(TOPIC)?;
    let count = u32::try_from(found.partitions.len()).ok().filter(|count| *count > 0)?;
    let index = i32::try_from(magnitude(hash(&group.0)) % count).ok()?;
    Some(TopicPartition { topic, index })
}

/// What has the topic made as Kafka makes it. (Where nobody sets the number of replicas, Kafka wants 3 and waits until
/// there are as many brokers; here a smaller cluster gets as many as it has.)
pub fn creatable(config: &NodeConfig, cluster: &Cluster) -> CreatableTopic {
    let replicas = match config.offsets_topic_replication_factor {
        -1 => i16::try_from(cluster.image.brokers.len()).unwrap_or(REPLICAS).clamp(1, REPLICAS),
        given => given,
    };
    let set = |name: &str, value: &str| CreatableTopicConfig { name: name.to_owned(), value: Some(value.to_owned()) };
    CreatableTopic {
        name: TOPIC.to_owned(),
        num_partitions: config.offsets_topic_num_partitions,
        replication_factor: replicas,
        configs: vec![
            set("cleanup.policy", "compact"),
            set("compression.type", "producer"),
            set("segment.bytes", &config.offsets_topic_segment_bytes.to_string()),
        ],
        ..Default::default()
    }
}

/// Java's `String.hashCode`: over UTF-16.
fn hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

/// Kafka's `Utils.abs`: the one number without a positive counterpart counts as 0.
fn magnitude(hash: i32) -> u32 {
    if hash == i32::MIN { 0 } else { hash.unsigned_abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_java_s() {
        assert_eq!(hash(""), 0);
        assert_eq!(hash("a"), 97);
        assert_eq!(hash("console-consumer-1"), 35_782_224);
        assert_eq!(hash("gruppe-ü-🌊"), -1_164_021_231);
        assert_eq!(hash("polygenelubricants"), i32::MIN);
    }

    #[test]
    fn the_least_number_has_no_magnitude() {
        assert_eq!([magnitude(i32::MIN), magnitude(-7), magnitude(7)], [0, 7, 7]);
    }
}
