//! OffsetCommit: how far a group has come.

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Commits offsets.
    OffsetCommitRequest, versions 2-9, flexible 8+ {
        group_id: String, versions 0+;
        /// −1 from whoever is no member.
        generation_id_or_member_epoch: i32, versions 1+, default -1;
        member_id: String, versions 1+;
        group_instance_id: Option<String>, versions 7+, nullable 7+, default None;
        retention_time_ms: i64, versions 2-4, default -1;
        topics: Vec<OffsetCommitRequestTopic>, versions 0+;
    }
    /// One topic.
    OffsetCommitRequestTopic {
        name: String, versions 0-9;
        topic_id: Uuid, versions 10+;
        partitions: Vec<OffsetCommitRequestPartition>, versions 0+;
    }
    /// One partition.
    OffsetCommitRequestPartition {
        partition_index: i32, versions 0+;
        /// The next offset to read.
        committed_offset: i64, versions 0+;
        committed_leader_epoch: i32, versions 6+, default -1;
        committed_metadata: Option<String>, versions 0+, nullable 0+;
    }
}

message! {
    /// Which offsets were committed.
    OffsetCommitResponse, versions 2-9, flexible 8+ {
        throttle_time_ms: i32, versions 3+;
        topics: Vec<OffsetCommitResponseTopic>, versions 0+;
    }
    /// One topic.
    OffsetCommitResponseTopic {
        name: String, versions 0-9;
        topic_id: Uuid, versions 10+;
        partitions: Vec<OffsetCommitResponsePartition>, versions 0+;
    }
    /// One partition.
    OffsetCommitResponsePartition {
        partition_index: i32, versions 0+;
        error_code: i16, versions 0+;
    }
}
