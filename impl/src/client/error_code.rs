//! Kafka's error codes by name, and which of them pass by themselves.
//!
//! Source: `org.apache.kafka.common.protocol.Errors` (4.1).

use super::ClientError;
use std::fmt;

/// The error code in an answer; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i16);

impl ErrorCode {
    /// No error.
    pub const NONE: Self = Self(0);
    /// The offset lies before the log's start or past its end.
    pub const OFFSET_OUT_OF_RANGE: Self = Self(1);
    /// No such topic or partition, as far as this broker knows.
    pub const UNKNOWN_TOPIC_OR_PARTITION: Self = Self(3);
    /// Nobody leads the partition.
    pub const LEADER_NOT_AVAILABLE: Self = Self(5);
    /// This broker does not lead the partition.
    pub const NOT_LEADER_OR_FOLLOWER: Self = Self(6);
    /// The time allowed has passed. What was asked for may happen all the same.
    pub const REQUEST_TIMED_OUT: Self = Self(7);
    /// The coordinator still reads its log.
    pub const COORDINATOR_LOAD_IN_PROGRESS: Self = Self(14);
    /// Nobody coordinates the group, or whoever does can't write.
    pub const COORDINATOR_NOT_AVAILABLE: Self = Self(15);
    /// This broker does not coordinate the group.
    pub const NOT_COORDINATOR: Self = Self(16);
    /// Too few replicas in sync; nothing was appended.
    pub const NOT_ENOUGH_REPLICAS: Self = Self(19);
    /// Too few replicas in sync by the time the records were replicated; they stay.
    pub const NOT_ENOUGH_REPLICAS_AFTER_APPEND: Self = Self(20);
    /// The group has no such member, or has members where none may be.
    pub const UNKNOWN_MEMBER_ID: Self = Self(25);
    /// The server does not speak this version of the request.
    pub const UNSUPPORTED_VERSION: Self = Self(35);
    /// A topic of this name exists.
    pub const TOPIC_ALREADY_EXISTS: Self = Self(36);
    /// The group has members.
    pub const NON_EMPTY_GROUP: Self = Self(68);
    /// There is no such group, or none of that kind.
    pub const GROUP_ID_NOT_FOUND: Self = Self(69);
    /// The client's leader epoch is older than the broker's.
    pub const FENCED_LEADER_EPOCH: Self = Self(74);
    /// The client's leader epoch is newer than the broker's.
    pub const UNKNOWN_LEADER_EPOCH: Self = Self(75);
    /// The leader's high watermark is not up to its epoch yet.
    pub const OFFSET_NOT_AVAILABLE: Self = Self(78);
    /// The preferred replica is not alive, or not in sync.
    pub const PREFERRED_LEADER_NOT_AVAILABLE: Self = Self(80);
    /// No replica may lead.
    pub const ELIGIBLE_LEADERS_NOT_AVAILABLE: Self = Self(83);
    /// The leader is already the one that the election would bring.
    pub const ELECTION_NOT_NEEDED: Self = Self(84);
    /// No topic has this id, as far as this broker knows.
    pub const UNKNOWN_TOPIC_ID: Self = Self(100);

    /// Success, or that `subject` was refused with this error.
    ///
    /// # Errors
    /// [`ClientError::Refused`], unless it is 0.
    pub fn of(self, subject: impl FnOnce() -> String) -> Result<(), ClientError> {
        if self == Self::NONE { Ok(()) } else { Err(ClientError::refused(subject(), self)) }
    }

    /// Kafka's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let index = usize::try_from(self.0).ok();
        match index.and_then(|index| NAMES.get(index)) {
            Some(name) => name,
            None if self.0 == -1 => "UNKNOWN_SERVER_ERROR",
            None => "unknown error",
        }
    }

    /// Whether the request may have had its effect in spite of the error.
    #[must_use]
    pub fn leaves_doubt(self) -> bool {
        matches!(self, Self::REQUEST_TIMED_OUT | Self::NOT_ENOUGH_REPLICAS_AFTER_APPEND) || self.0 == -1
    }

    /// Whether the request was refused without effect, for a reason that passes once metadata have caught up or
    /// replicas are back: asking again, the leader of then, is right.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(
            self,
            Self::UNKNOWN_TOPIC_OR_PARTITION
                | Self::LEADER_NOT_AVAILABLE
                | Self::NOT_LEADER_OR_FOLLOWER
                | Self::NOT_ENOUGH_REPLICAS
                | Self::FENCED_LEADER_EPOCH
                | Self::UNKNOWN_LEADER_EPOCH
                | Self::OFFSET_NOT_AVAILABLE
                | Self::UNKNOWN_TOPIC_ID
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

/// By code, from 0.
#[rustfmt::skip]
const NAMES: [&str; 134] = [
    "NONE",
    "OFFSET_OUT_OF_RANGE",
    "CORRUPT_MESSAGE",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "INVALID_FETCH_SIZE",
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_OR_FOLLOWER",
    "REQUEST_TIMED_OUT",
    "BROKER_NOT_AVAILABLE",
    "REPLICA_NOT_AVAILABLE",
    "MESSAGE_TOO_LARGE",
    "STALE_CONTROLLER_EPOCH",
    "OFFSET_METADATA_TOO_LARGE",
    "NETWORK_EXCEPTION",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "INVALID_TOPIC_EXCEPTION",
    "RECORD_LIST_TOO_LARGE",
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "INVALID_REQUIRED_ACKS",
    "ILLEGAL_GENERATION",
    "INCONSISTENT_GROUP_PROTOCOL",
    "INVALID_GROUP_ID",
    "UNKNOWN_MEMBER_ID",
    "INVALID_SESSION_TIMEOUT",
    "REBALANCE_IN_PROGRESS",
    "INVALID_COMMIT_OFFSET_SIZE",
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "INVALID_TIMESTAMP",
    "UNSUPPORTED_SASL_MECHANISM",
    "ILLEGAL_SASL_STATE",
    "UNSUPPORTED_VERSION",
    "TOPIC_ALREADY_EXISTS",
    "INVALID_PARTITIONS",
    "INVALID_REPLICATION_FACTOR",
    "INVALID_REPLICA_ASSIGNMENT",
    "INVALID_CONFIG",
    "NOT_CONTROLLER",
    "INVALID_REQUEST",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "POLICY_VIOLATION",
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
    "DUPLICATE_SEQUENCE_NUMBER",
    "INVALID_PRODUCER_EPOCH",
    "INVALID_TXN_STATE",
    "INVALID_PRODUCER_ID_MAPPING",
    "INVALID_TRANSACTION_TIMEOUT",
    "CONCURRENT_TRANSACTIONS",
    "TRANSACTION_COORDINATOR_FENCED",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "SECURITY_DISABLED",
    "OPERATION_NOT_ATTEMPTED",
    "KAFKA_STORAGE_ERROR",
    "LOG_DIR_NOT_FOUND",
    "SASL_AUTHENTICATION_FAILED",
    "UNKNOWN_PRODUCER_ID",
    "REASSIGNMENT_IN_PROGRESS",
    "DELEGATION_TOKEN_AUTH_DISABLED",
    "DELEGATION_TOKEN_NOT_FOUND",
    "DELEGATION_TOKEN_OWNER_MISMATCH",
    "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
    "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
    "DELEGATION_TOKEN_EXPIRED",
    "INVALID_PRINCIPAL_TYPE",
    "NON_EMPTY_GROUP",
    "GROUP_ID_NOT_FOUND",
    "FETCH_SESSION_ID_NOT_FOUND",
    "INVALID_FETCH_SESSION_EPOCH",
    "LISTENER_NOT_FOUND",
    "TOPIC_DELETION_DISABLED",
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "UNSUPPORTED_COMPRESSION_TYPE",
    "STALE_BROKER_EPOCH",
    "OFFSET_NOT_AVAILABLE",
    "MEMBER_ID_REQUIRED",
    "PREFERRED_LEADER_NOT_AVAILABLE",
    "GROUP_MAX_SIZE_REACHED",
    "FENCED_INSTANCE_ID",
    "ELIGIBLE_LEADERS_NOT_AVAILABLE",
    "ELECTION_NOT_NEEDED",
    "NO_REASSIGNMENT_IN_PROGRESS",
    "GROUP_SUBSCRIBED_TO_TOPIC",
    "INVALID_RECORD",
    "UNSTABLE_OFFSET_COMMIT",
    "THROTTLING_QUOTA_EXCEEDED",
    "PRODUCER_FENCED",
    "RESOURCE_NOT_FOUND",
    "DUPLICATE_RESOURCE",
    "UNACCEPTABLE_CREDENTIAL",
    "INCONSISTENT_VOTER_SET",
    "INVALID_UPDATE_VERSION",
    "FEATURE_UPDATE_FAILED",
    "PRINCIPAL_DESERIALIZATION_FAILURE",
    "SNAPSHOT_NOT_FOUND",
    "POSITION_OUT_OF_RANGE",
    "UNKNOWN_TOPIC_ID",
    "DUPLICATE_BROKER_REGISTRATION",
    "BROKER_ID_NOT_REGISTERED",
    "INCONSISTENT_TOPIC_ID",
    "INCONSISTENT_CLUSTER_ID",
    "TRANSACTIONAL_ID_NOT_FOUND",
    "FETCH_SESSION_TOPIC_ID_ERROR",
    "INELIGIBLE_REPLICA",
    "NEW_LEADER_ELECTED",
    "OFFSET_MOVED_TO_TIERED_STORAGE",
    "FENCED_MEMBER_EPOCH",
    "UNRELEASED_INSTANCE_ID",
    "UNSUPPORTED_ASSIGNOR",
    "STALE_MEMBER_EPOCH",
    "MISMATCHED_ENDPOINT_TYPE",
    "UNSUPPORTED_ENDPOINT_TYPE",
    "UNKNOWN_CONTROLLER_ID",
    "UNKNOWN_SUBSCRIPTION_ID",
    "TELEMETRY_TOO_LARGE",
    "INVALID_REGISTRATION",
    "TRANSACTION_ABORTABLE",
    "INVALID_RECORD_STATE",
    "SHARE_SESSION_NOT_FOUND",
    "INVALID_SHARE_SESSION_EPOCH",
    "FENCED_STATE_EPOCH",
    "INVALID_VOTER_KEY",
    "DUPLICATE_VOTER",
    "VOTER_NOT_FOUND",
    "INVALID_REGULAR_EXPRESSION",
    "REBOOTSTRAP_REQUIRED",
    "STREAMS_INVALID_TOPOLOGY",
    "STREAMS_INVALID_TOPOLOGY_EPOCH",
    "STREAMS_TOPOLOGY_FENCED",
    "SHARE_SESSION_LIMIT_REACHED",
];

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_spec::refusal::Refusal;

    #[test]
    fn names_stand_at_their_codes() {
        for refusal in Refusal::ALL {
            assert_eq!(ErrorCode(refusal.code()).name(), refusal.name());
        }
        assert_eq!(ErrorCode(133).to_string(), "SHARE_SESSION_LIMIT_REACHED (133)");
        assert_eq!(ErrorCode(-1).to_string(), "UNKNOWN_SERVER_ERROR (-1)");
        assert_eq!(ErrorCode(i16::MAX).to_string(), "unknown error (32767)");
        assert_eq!(ErrorCode(i16::MIN).to_string(), "unknown error (-32768)");
    }
}
