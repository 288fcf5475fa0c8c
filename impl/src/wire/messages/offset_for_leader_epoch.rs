//! OffsetForLeaderEpoch: where an epoch ends in the leader's log (KIP-101, KIP-320).

use crate::wire::table::message;

message! {
    /// Asks where epochs end.
    OffsetForLeaderEpochRequest, versions 2-4, flexible 4+ {
        /// The broker that follows; −1 from a consumer, −2 from a debugging one.
        replica_id: i32, versions 3+, default -2;
        topics: Vec<OffsetForLeaderTopic>, versions 0+;
    }
    /// One topic.
    OffsetForLeaderTopic {
        topic: String, versions 0+;
        partitions: Vec<OffsetForLeaderPartition>, versions 0+;
    }
    /// One partition.
    OffsetForLeaderPartition {
        partition: i32, versions 0+;
        current_leader_epoch: i32, versions 2+, default -1;
        leader_epoch: i32, versions 0+;
    }
}

message! {
    /// Where epochs end.
    OffsetForLeaderEpochResponse, versions 2-4, flexible 4+ {
        throttle_time_ms: i32, versions 2+;
        topics: Vec<OffsetForLeaderTopicResult>, versions 0+;
    }
    /// One topic.
    OffsetForLeaderTopicResult {
        topic: String, versions 0+;
        partitions: Vec<EpochEndOffset>, versions 0+;
    }
    /// One partition.
    EpochEndOffset {
        error_code: i16, versions 0+;
        partition: i32, versions 0+;
        /// The largest epoch not above the one asked for.
        leader_epoch: i32, versions 1+, default -1;
        /// The first offset after the epoch (exclusive); −1 if unknown.
        end_offset: i64, versions 0+, default -1;
    }
}
