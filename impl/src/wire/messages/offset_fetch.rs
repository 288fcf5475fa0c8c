//! OffsetFetch: how far groups have come; several groups at once since KIP-709.

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Asks for committed offsets.
    OffsetFetchRequest, versions 1-9, flexible 6+ {
        group_id: String, versions 0-7;
        topics: Option<Vec<OffsetFetchRequestTopic>>, versions 0-7, nullable 2-7;
        groups: Vec<OffsetFetchRequestGroup>, versions 8+;
        /// Whether to refuse where a transaction's offsets are undecided (KIP-447).
        require_stable: bool, versions 7+;
    }
    /// One topic, where there is one group.
    OffsetFetchRequestTopic {
        name: String, versions 0-7;
        partition_indexes: Vec<i32>, versions 0-7;
    }
    /// One group.
    OffsetFetchRequestGroup {
        group_id: String, versions 8+;
        member_id: Option<String>, versions 9+, nullable 9+, default None;
        member_epoch: i32, versions 9+, default -1;
        topics: Option<Vec<OffsetFetchRequestTopics>>, versions 8+, nullable 8+;
    }
    /// One topic.
    OffsetFetchRequestTopics {
        name: String, versions 8-9;
        topic_id: Uuid, versions 10+;
        partition_indexes: Vec<i32>, versions 8+;
    }
}

message! {
    /// Committed offsets.
    OffsetFetchResponse, versions 1-9, flexible 6+ {
        throttle_time_ms: i32, versions 3+;
        topics: Vec<OffsetFetchResponseTopic>, versions 0-7;
        error_code: i16, versions 2-7;
        groups: Vec<OffsetFetchResponseGroup>, versions 8+;
    }
    /// One topic, where there is one group.
    OffsetFetchResponseTopic {
        name: String, versions 0-7;
        partitions: Vec<OffsetFetchResponsePartition>, versions 0-7;
    }
    /// One partition, where there is one group.
    OffsetFetchResponsePartition {
        partition_index: i32, versions 0-7;
        /// The next offset to read; −1: none.
        committed_offset: i64, versions 0-7;
        committed_leader_epoch: i32, versions 5-7, default -1;
        metadata: Option<String>, versions 0-7, nullable 0-7;
        error_code: i16, versions 0-7;
    }
    /// One group.
    OffsetFetchResponseGroup {
        group_id: String, versions 8+;
        topics: Vec<OffsetFetchResponseTopics>, versions 8+;
        error_code: i16, versions 8+;
    }
    /// One topic.
    OffsetFetchResponseTopics {
        name: String, versions 8-9;
        topic_id: Uuid, versions 10+;
        partitions: Vec<OffsetFetchResponsePartitions>, versions 8+;
    }
    /// One partition.
    OffsetFetchResponsePartitions {
        partition_index: i32, versions 8+;
        committed_offset: i64, versions 8+;
        committed_leader_epoch: i32, versions 8+, default -1;
        metadata: Option<String>, versions 8+, nullable 8+;
        error_code: i16, versions 8+;
    }
}
