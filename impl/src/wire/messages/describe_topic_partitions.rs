//! DescribeTopicPartitions: topics page by page, with their eligible leader replicas (KIP-966).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Asks for topics, from a position on.
    DescribeTopicPartitionsRequest, versions 0-0, flexible 0+ {
        topics: Vec<TopicRequest>, versions 0+;
        response_partition_limit: i32, versions 0+, default 2000;
        cursor: Option<Cursor>, versions 0+, nullable 0+, default None;
    }
    /// One topic.
    TopicRequest {
        name: String, versions 0+;
    }
    /// Where to begin (inclusive). A response names where to go on in the same way.
    Cursor {
        topic_name: String, versions 0+;
        partition_index: i32, versions 0+;
    }
}

message! {
    /// Topics, as many as the limit allows.
    DescribeTopicPartitionsResponse, versions 0-0, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        topics: Vec<DescribeTopicPartitionsResponseTopic>, versions 0+;
        next_cursor: Option<Cursor>, versions 0+, nullable 0+, default None;
    }
    /// One topic.
    DescribeTopicPartitionsResponseTopic {
        error_code: i16, versions 0+;
        name: Option<String>, versions 0+, nullable 0+;
        topic_id: Uuid, versions 0+;
        is_internal: bool, versions 0+;
        partitions: Vec<DescribeTopicPartitionsResponsePartition>, versions 0+;
        /// A bit set; `i32::MIN` if not asked for.
        topic_authorized_operations: i32, versions 0+, default i32::MIN;
    }
    /// One partition.
    DescribeTopicPartitionsResponsePartition {
        error_code: i16, versions 0+;
        partition_index: i32, versions 0+;
        leader_id: i32, versions 0+;
        leader_epoch: i32, versions 0+, default -1;
        replica_nodes: Vec<i32>, versions 0+;
        isr_nodes: Vec<i32>, versions 0+;
        eligible_leader_replicas: Option<Vec<i32>>, versions 0+, nullable 0+, default None;
        last_known_elr: Option<Vec<i32>>, versions 0+, nullable 0+, default None;
        offline_replicas: Vec<i32>, versions 0+;
    }
}
