//! CreateTopics.

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Creates topics.
    CreateTopicsRequest, versions 2-7, flexible 5+ {
        topics: Vec<CreatableTopic>, versions 0+;
        timeout_ms: i32, versions 0+, default 60000;
        validate_only: bool, versions 1+;
    }
    /// One topic.
    CreatableTopic {
        name: String, versions 0+;
        /// −1: as `assignments` say, or the default.
        num_partitions: i32, versions 0+;
        /// −1: as `assignments` say, or the default.
        replication_factor: i16, versions 0+;
        assignments: Vec<CreatableReplicaAssignment>, versions 0+;
        configs: Vec<CreatableTopicConfig>, versions 0+;
    }
    /// The brokers of one partition, if the client chooses them.
    CreatableReplicaAssignment {
        partition_index: i32, versions 0+;
        broker_ids: Vec<i32>, versions 0+;
    }
    /// One setting.
    CreatableTopicConfig {
        name: String, versions 0+;
        value: Option<String>, versions 0+, nullable 0+;
    }
}

message! {
    /// Which topics were created.
    CreateTopicsResponse, versions 2-7, flexible 5+ {
        throttle_time_ms: i32, versions 2+;
        topics: Vec<CreatableTopicResult>, versions 0+;
    }
    /// One topic.
    CreatableTopicResult {
        name: String, versions 0+;
        topic_id: Uuid, versions 7+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 1+, nullable 0+;
        /// Why `configs` is null, if it is.
        topic_config_error_code: i16, versions 5+, tag 0;
        num_partitions: i32, versions 5+, default -1;
        replication_factor: i16, versions 5+, default -1;
        configs: Option<Vec<CreatableTopicConfigs>>, versions 5+, nullable 5+;
    }
    /// One setting as it is in force.
    CreatableTopicConfigs {
        name: String, versions 5+;
        value: Option<String>, versions 5+, nullable 5+;
        read_only: bool, versions 5+;
        config_source: i8, versions 5+, default -1;
        is_sensitive: bool, versions 5+;
    }
}
