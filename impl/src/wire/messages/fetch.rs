//! Fetch: read batches, as a consumer, as a follower, or from the metadata log (KIP-227, KIP-595).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;
use bytes::Bytes;

message! {
    /// Reads from partitions.
    FetchRequest, versions 4-18, flexible 12+ {
        cluster_id: Option<String>, versions 12+, nullable 12+, tag 0, default None;
        /// The broker that follows; −1 from a consumer.
        replica_id: i32, versions 0-14, default -1;
        replica_state: ReplicaState, versions 15+, tag 1;
        /// Milliseconds to wait for `min_bytes`.
        max_wait_ms: i32, versions 0+;
        min_bytes: i32, versions 0+;
        max_bytes: i32, versions 3+, default i32::MAX;
        /// 0: read uncommitted; 1: read committed.
        isolation_level: i8, versions 4+;
        session_id: i32, versions 7+;
        session_epoch: i32, versions 7+, default -1;
        topics: Vec<FetchTopic>, versions 0+;
        /// What leaves the session.
        forgotten_topics_data: Vec<ForgottenTopic>, versions 7+;
        rack_id: String, versions 11+;
    }
    /// Who reads, if it is a broker.
    ReplicaState {
        /// The broker that follows; −1 from a consumer.
        replica_id: i32, versions 15+, default -1;
        replica_epoch: i64, versions 15+, default -1;
    }
    /// What is read of one topic.
    FetchTopic {
        topic: String, versions 0-12;
        topic_id: Uuid, versions 13+;
        partitions: Vec<FetchPartition>, versions 0+;
    }
    /// What is read of one partition.
    FetchPartition {
        partition: i32, versions 0+;
        current_leader_epoch: i32, versions 9+, default -1;
        /// The first offset wanted (inclusive).
        fetch_offset: i64, versions 0+;
        /// The epoch of the follower's last record; −1 if it has none.
        last_fetched_epoch: i32, versions 12+, default -1;
        /// The follower's first offset (inclusive); −1 from a consumer.
        log_start_offset: i64, versions 5+, default -1;
        partition_max_bytes: i32, versions 0+;
        replica_directory_id: Uuid, versions 17+, tag 0;
        /// The high watermark as the follower knows it (exclusive); −1: unknown; `i64::MAX`: it does not say.
        high_watermark: i64, versions 18+, tag 1, default i64::MAX;
    }
    /// Partitions that leave the session.
    ForgottenTopic {
        topic: String, versions 7-12;
        topic_id: Uuid, versions 13+;
        partitions: Vec<i32>, versions 7+;
    }
}

message! {
    /// What was read.
    FetchResponse, versions 4-18, flexible 12+ {
        throttle_time_ms: i32, versions 1+;
        error_code: i16, versions 7+;
        /// 0 if there is no session.
        session_id: i32, versions 7+;
        responses: Vec<FetchableTopicResponse>, versions 0+;
        node_endpoints: Vec<NodeEndpoint>, versions 16+, tag 0;
    }
    /// One topic.
    FetchableTopicResponse {
        topic: String, versions 0-12;
        topic_id: Uuid, versions 13+;
        partitions: Vec<PartitionData>, versions 0+;
    }
    /// One partition.
    PartitionData {
        partition_index: i32, versions 0+;
        error_code: i16, versions 0+;
        /// The first offset not known to be committed (exclusive); −1 if unknown.
        high_watermark: i64, versions 0+;
        /// The first offset of an open transaction (exclusive).
        last_stable_offset: i64, versions 4+, default -1;
        /// The first offset that can be read (inclusive).
        log_start_offset: i64, versions 5+, default -1;
        diverging_epoch: EpochEndOffset, versions 12+, tag 0;
        current_leader: LeaderIdAndEpoch, versions 12+, tag 1;
        snapshot_id: SnapshotId, versions 12+, tag 2;
        aborted_transactions: Option<Vec<AbortedTransaction>>, versions 4+, nullable 4+;
        preferred_read_replica: i32, versions 11+, default -1;
        records: Option<Bytes>, versions 0+, nullable 0+, default None;
    }
    /// Where the follower's log parts from the leader's (KIP-595).
    EpochEndOffset {
        epoch: i32, versions 12+, default -1;
        /// The first offset after the epoch (exclusive).
        end_offset: i64, versions 12+, default -1;
    }
    /// Who leads the partition now.
    LeaderIdAndEpoch {
        leader_id: i32, versions 12+, default -1;
        leader_epoch: i32, versions 12+, default -1;
    }
    /// The snapshot to begin with, if the log no longer reaches back far enough.
    SnapshotId {
        /// The first offset that the snapshot lacks (exclusive).
        end_offset: i64, versions 0+, default -1;
        epoch: i32, versions 0+, default -1;
    }
    /// A transaction whose records are to be skipped.
    AbortedTransaction {
        producer_id: i64, versions 4+;
        /// The first offset of the transaction (inclusive).
        first_offset: i64, versions 4+;
    }
    /// The address of a leader that is named in this response.
    NodeEndpoint {
        node_id: i32, versions 16+;
        host: String, versions 16+;
        port: i32, versions 16+;
        rack: Option<String>, versions 16+, nullable 16+, default None;
    }
}
