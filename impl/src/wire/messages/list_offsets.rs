//! ListOffsets: the offset at a time, or at either end of a log.

use crate::wire::table::message;

message! {
    /// Asks for offsets by time.
    ListOffsetsRequest, versions 1-10, flexible 6+ {
        /// −1 from a consumer, −2 from a debugging one.
        replica_id: i32, versions 0+;
        isolation_level: i8, versions 2+;
        topics: Vec<ListOffsetsTopic>, versions 0+;
        timeout_ms: i32, versions 10+;
    }
    /// One topic.
    ListOffsetsTopic {
        name: String, versions 0+;
        partitions: Vec<ListOffsetsPartition>, versions 0+;
    }
    /// One partition.
    ListOffsetsPartition {
        partition_index: i32, versions 0+;
        current_leader_epoch: i32, versions 4+, default -1;
        /// Milliseconds since 1970; −1: the log end; −2: the log start; −3: the record with the largest timestamp.
        timestamp: i64, versions 0+;
    }
}

message! {
    /// Offsets by time.
    ListOffsetsResponse, versions 1-10, flexible 6+ {
        throttle_time_ms: i32, versions 2+;
        topics: Vec<ListOffsetsTopicResponse>, versions 0+;
    }
    /// One topic.
    ListOffsetsTopicResponse {
        name: String, versions 0+;
        partitions: Vec<ListOffsetsPartitionResponse>, versions 0+;
    }
    /// One partition.
    ListOffsetsPartitionResponse {
        partition_index: i32, versions 0+;
        error_code: i16, versions 0+;
        /// Milliseconds since 1970.
        timestamp: i64, versions 1+, default -1;
        offset: i64, versions 1+, default -1;
        leader_epoch: i32, versions 4+, default -1;
    }
}
