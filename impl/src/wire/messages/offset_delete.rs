//! OffsetDelete: some of a group's offsets go (KIP-496).

use crate::wire::table::message;

message! {
    /// Deletes offsets.
    OffsetDeleteRequest, versions 0-0, flexible never {
        group_id: String, versions 0+;
        topics: Vec<OffsetDeleteRequestTopic>, versions 0+;
    }
    /// One topic.
    OffsetDeleteRequestTopic {
        name: String, versions 0+;
        partitions: Vec<OffsetDeleteRequestPartition>, versions 0+;
    }
    /// One partition.
    OffsetDeleteRequestPartition {
        partition_index: i32, versions 0+;
    }
}

message! {
    /// Which were deleted.
    OffsetDeleteResponse, versions 0-0, flexible never {
        error_code: i16, versions 0+;
        throttle_time_ms: i32, versions 0+;
        topics: Vec<OffsetDeleteResponseTopic>, versions 0+;
    }
    /// One topic.
    OffsetDeleteResponseTopic {
        name: String, versions 0+;
        partitions: Vec<OffsetDeleteResponsePartition>, versions 0+;
    }
    /// One partition.
    OffsetDeleteResponsePartition {
        partition_index: i32, versions 0+;
        error_code: i16, versions 0+;
    }
}
