//! ElectLeaders (KIP-460).

use crate::wire::table::message;

message! {
    /// Has leaders elected.
    ElectLeadersRequest, versions 0-2, flexible 2+ {
        /// 0: the preferred replica. 1: any replica that is alive, if there is no better one.
        election_type: i8, versions 1+;
        /// Null: every partition that there is.
        topic_partitions: Option<Vec<TopicPartitions>>, versions 0+, nullable 0+;
        timeout_ms: i32, versions 0+, default 60000;
    }
    /// One topic.
    TopicPartitions {
        topic: String, versions 0+;
        partitions: Vec<i32>, versions 0+;
    }
}

message! {
    /// Which leaders were elected.
    ElectLeadersResponse, versions 0-2, flexible 2+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 1+;
        replica_election_results: Vec<ReplicaElectionResult>, versions 0+;
    }
    /// One topic.
    ReplicaElectionResult {
        topic: String, versions 0+;
        partition_result: Vec<PartitionResult>, versions 0+;
    }
    /// One partition.
    PartitionResult {
        partition_id: i32, versions 0+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+;
    }
}
