//! The error codes that no machine gives, because they concern a request as such.
//!
//! Source: Kafka's `org.apache.kafka.common.protocol.Errors`.

/// No error.
pub const NONE: i16 = 0;
/// A batch is damaged.
pub const CORRUPT_MESSAGE: i16 = 2;
/// No such topic or partition.
pub const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
/// Nobody leads the partition, or its leader can't be reached.
pub const LEADER_NOT_AVAILABLE: i16 = 5;
/// This broker does not lead the partition.
pub const NOT_LEADER_OR_FOLLOWER: i16 = 6;
/// The time allowed has passed.
pub const REQUEST_TIMED_OUT: i16 = 7;
/// Whoever knows the answer is not ready yet.
pub const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
/// A topic's name that is not allowed.
pub const INVALID_TOPIC: i16 = 17;
/// acks is neither 0, 1 nor −1.
pub const INVALID_REQUIRED_ACKS: i16 = 21;
/// This version can't do what was asked.
pub const UNSUPPORTED_VERSION: i16 = 35;
/// A timestamp too far from now.
pub const INVALID_TIMESTAMP: i16 = 32;
/// A record that its topic does not take.
pub const INVALID_RECORD: i16 = 87;
/// The request contradicts itself.
pub const INVALID_REQUEST: i16 = 42;
/// Nobody may write as this transactional id, or a transaction's records come without one.
pub const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;
/// The disk failed.
pub const STORAGE_ERROR: i16 = 56;
/// There is no such fetch session.
pub const FETCH_SESSION_ID_NOT_FOUND: i16 = 70;
/// The high watermark lags behind the leader's epoch.
pub const OFFSET_NOT_AVAILABLE: i16 = 78;
/// A compression that this version of the request does not allow.
pub const UNSUPPORTED_COMPRESSION_TYPE: i16 = 76;
/// No topic has this id.
pub const UNKNOWN_TOPIC_ID: i16 = 100;
/// The cluster id is another one.
pub const INCONSISTENT_CLUSTER_ID: i16 = 104;
/// The request went to an endpoint of the other kind.
pub const MISMATCHED_ENDPOINT_TYPE: i16 = 114;
/// No such kind of endpoint.
pub const UNSUPPORTED_ENDPOINT_TYPE: i16 = 115;
