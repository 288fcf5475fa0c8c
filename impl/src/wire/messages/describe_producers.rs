//! DescribeProducers: what partitions know of their producers (KIP-664).

use crate::wire::table::message;

message! {
    /// Asks about partitions.
    DescribeProducersRequest, versions 0-0, flexible 0+ {
        topics: Vec<TopicRequest>, versions 0+;
    }
    /// One topic.
    TopicRequest {
        name: String, versions 0+;
        partition_indexes: Vec<i32>, versions 0+;
    }
}

message! {
    /// The producers of each.
    DescribeProducersResponse, versions 0-0, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        topics: Vec<TopicResponse>, versions 0+;
    }
    /// One topic.
    TopicResponse {
        name: String, versions 0+;
        partitions: Vec<PartitionResponse>, versions 0+;
    }
    /// One partition.
    PartitionResponse {
        partition_index: i32, versions 0+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+, default None;
        active_producers: Vec<ProducerState>, versions 0+;
    }
    /// One producer.
    ProducerState {
        producer_id: i64, versions 0+;
        producer_epoch: i32, versions 0+;
        /// The number of its last record (inclusive).
        last_sequence: i32, versions 0+, default -1;
        last_timestamp: i64, versions 0+, default -1;
        coordinator_epoch: i32, versions 0+;
        /// −1: no transaction is open.
        current_txn_start_offset: i64, versions 0+, default -1;
    }
}
