//! Produce: append batches.

use crate::wire::table::message;
use crate::wire::uuid::Uuid;
use bytes::Bytes;

message! {
    /// Appends batches to partitions.
    ProduceRequest, versions 3-13, flexible 9+ {
        transactional_id: Option<String>, versions 3+, nullable 3+, default None;
        /// 0: none; 1: the leader; −1: the whole ISR.
        acks: i16, versions 0+;
        /// Milliseconds to wait for the ISR.
        timeout_ms: i32, versions 0+;
        topic_data: Vec<TopicProduceData>, versions 0+;
    }
    /// What goes to one topic.
    TopicProduceData {
        name: String, versions 0-12;
        topic_id: Uuid, versions 13+;
        partition_data: Vec<PartitionProduceData>, versions 0+;
    }
    /// What goes to one partition: exactly one batch.
    PartitionProduceData {
        index: i32, versions 0+;
        records: Option<Bytes>, versions 0+, nullable 0+, default None;
    }
}

message! {
    /// Where the batches were appended.
    ProduceResponse, versions 3-13, flexible 9+ {
        responses: Vec<TopicProduceResponse>, versions 0+;
        throttle_time_ms: i32, versions 1+;
        node_endpoints: Vec<NodeEndpoint>, versions 10+, tag 0;
    }
    /// One topic.
    TopicProduceResponse {
        name: String, versions 0-12;
        topic_id: Uuid, versions 13+;
        partition_responses: Vec<PartitionProduceResponse>, versions 0+;
    }
    /// One partition.
    PartitionProduceResponse {
        index: i32, versions 0+;
        error_code: i16, versions 0+;
        /// The offset of the first record; −1 if nothing was appended.
        base_offset: i64, versions 0+;
        /// Milliseconds since 1970; −1 if the records keep their own times.
        log_append_time_ms: i64, versions 2+, default -1;
        /// The first offset that can be read (inclusive).
        log_start_offset: i64, versions 5+, default -1;
        record_errors: Vec<BatchIndexAndErrorMessage>, versions 8+;
        error_message: Option<String>, versions 8+, nullable 8+, default None;
        current_leader: LeaderIdAndEpoch, versions 10+, tag 0;
    }
    /// One record for which its batch was refused.
    BatchIndexAndErrorMessage {
        batch_index: i32, versions 8+;
        batch_index_error_message: Option<String>, versions 8+, nullable 8+, default None;
    }
    /// Who leads the partition now.
    LeaderIdAndEpoch {
        leader_id: i32, versions 10+, default -1;
        leader_epoch: i32, versions 10+, default -1;
    }
    /// The address of a leader that is named in this response.
    NodeEndpoint {
        node_id: i32, versions 10+;
        host: String, versions 10+;
        port: i32, versions 10+;
        rack: Option<String>, versions 10+, nullable 10+, default None;
    }
}
