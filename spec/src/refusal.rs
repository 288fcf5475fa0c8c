//! Why a request is refused, and Kafka's number for it.
//!
//! Source: `org.apache.kafka.common.protocol.Errors`.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $kafka:literal;)*) => {
        /// Why a machine refuses what it was asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// Every refusal, for tables and generators.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The error code on the wire.
            #[must_use]
            pub fn code(self) -> i16 {
                match self { $(Self::$name => $code,)* }
            }

            /// What a code on the wire means; `None` for 0, which is no error. A code that no machine knows is taken for
            /// one that is worth another try.
            #[must_use]
            pub fn from_code(code: i16) -> Option<Self> {
                match code {
                    0 => None,
                    $($code => Some(Self::$name),)*
                    _ => Some(Self::RequestTimedOut),
                }
            }

            /// Kafka's name for the error.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $kafka,)* }
            }
        }
    };
}

refusals! {
    /// What no other error says: all ids for producers have been given out, or a request is one that Kafka's coordinator
    /// throws at.
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR";
    /// The offset lies before the log's start or past its end.
    OffsetOutOfRange = 1, "OFFSET_OUT_OF_RANGE";
    /// No such topic, or no such partition of it.
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION";
    /// This broker does not lead the partition (any more).
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER";
    /// The time that the request allowed has passed.
    RequestTimedOut = 7, "REQUEST_TIMED_OUT";
    /// What is to be kept beside an offset is longer than `offset.metadata.max.bytes`.
    OffsetMetadataTooLarge = 12, "OFFSET_METADATA_TOO_LARGE";
    /// The coordinator still reads its log.
    CoordinatorLoadInProgress = 14, "COORDINATOR_LOAD_IN_PROGRESS";
    /// There is no coordinator, or none that can write.
    CoordinatorNotAvailable = 15, "COORDINATOR_NOT_AVAILABLE";
    /// This broker does not coordinate the group (any more).
    NotCoordinator = 16, "NOT_COORDINATOR";
    /// A topic's name that Kafka does not allow.
    InvalidTopic = 17, "INVALID_TOPIC_EXCEPTION";
    /// Fewer in-sync replicas than `min.insync.replicas`; nothing was appended.
    NotEnoughReplicas = 19, "NOT_ENOUGH_REPLICAS";
    /// Fewer in-sync replicas than `min.insync.replicas` by the time the records were replicated; they stay.
    NotEnoughReplicasAfterAppend = 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
    /// The request names another generation than the group's.
    IllegalGeneration = 22, "ILLEGAL_GENERATION";
    /// The member and the group have no protocol in common.
    InconsistentGroupProtocol = 23, "INCONSISTENT_GROUP_PROTOCOL";
    /// A group's id that may not be empty is.
    InvalidGroupId = 24, "INVALID_GROUP_ID";
    /// The group has no such member.
    UnknownMemberId = 25, "UNKNOWN_MEMBER_ID";
    /// A session timeout that the broker does not allow.
    InvalidSessionTimeout = 26, "INVALID_SESSION_TIMEOUT";
    /// The group rebalances: its members are to join anew.
    RebalanceInProgress = 27, "REBALANCE_IN_PROGRESS";
    /// The request's version can't do what it is about.
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION";
    /// The topic's name is taken.
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS";
    /// A number of partitions below one.
    InvalidPartitions = 37, "INVALID_PARTITIONS";
    /// A replication factor below one, or above the number of brokers.
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR";
    /// A manual assignment with duplicates, unknown brokers, unequal lengths or none alive.
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT";
    /// A configuration that Kafka does not allow.
    InvalidConfig = 40, "INVALID_CONFIG";
    /// The controller knows less than the request: it is probably no longer the active one.
    NotController = 41, "NOT_CONTROLLER";
    /// A request that contradicts itself or its sender's role.
    InvalidRequest = 42, "INVALID_REQUEST";
    /// The sequence number is not the one that comes next, nor of a batch that is remembered.
    OutOfOrderSequenceNumber = 45, "OUT_OF_ORDER_SEQUENCE_NUMBER";
    /// The producer's epoch is older than its latest here.
    InvalidProducerEpoch = 47, "INVALID_PRODUCER_EPOCH";
    /// The disk failed under the replica.
    StorageError = 56, "KAFKA_STORAGE_ERROR";
    /// More than the cluster allows anyone to ask for at once.
    PolicyViolation = 44, "POLICY_VIOLATION";
    /// The group still has members.
    NonEmptyGroup = 68, "NON_EMPTY_GROUP";
    /// There is no such group.
    GroupIdNotFound = 69, "GROUP_ID_NOT_FOUND";
    /// The request's leader epoch is older than the one in force.
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH";
    /// The request's leader epoch is newer than what this broker has learned.
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH";
    /// The broker's epoch is not that of its present registration.
    StaleBrokerEpoch = 77, "STALE_BROKER_EPOCH";
    /// The high watermark of a new leader has not reached the start of its epoch yet.
    OffsetNotAvailable = 78, "OFFSET_NOT_AVAILABLE";
    /// The member is to join once more, with the id in the answer (KIP-394).
    MemberIdRequired = 79, "MEMBER_ID_REQUIRED";
    /// The preferred replica may not lead now.
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE";
    /// The group has as many members as it may have.
    GroupMaxSizeReached = 81, "GROUP_MAX_SIZE_REACHED";
    /// Another life of the same static member has taken over (KIP-345).
    FencedInstanceId = 82, "FENCED_INSTANCE_ID";
    /// No replica may lead now.
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE";
    /// The partition already has the leader that the election would bring.
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED";
    /// Members of the group read the topic.
    GroupSubscribedToTopic = 86, "GROUP_SUBSCRIBED_TO_TOPIC";
    /// A transaction that may still change the offset is open.
    UnstableOffsetCommit = 88, "UNSTABLE_OFFSET_COMMIT";
    /// The proposed ISR was made from an older partition epoch.
    InvalidUpdateVersion = 95, "INVALID_UPDATE_VERSION";
    /// No topic has this id.
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID";
    /// Another incarnation of the broker still has a session.
    DuplicateBrokerRegistration = 101, "DUPLICATE_BROKER_REGISTRATION";
    /// The broker has never registered.
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED";
    /// The proposed ISR has a member that is fenced, shutting down, unknown or of another incarnation.
    IneligibleReplica = 107, "INELIGIBLE_REPLICA";
    /// The member is at another epoch of its group, and is to begin anew (KIP-848).
    FencedMemberEpoch = 110, "FENCED_MEMBER_EPOCH";
    /// Another life of the same static member has not ended yet.
    UnreleasedInstanceId = 111, "UNRELEASED_INSTANCE_ID";
    /// The coordinator knows no assignor of that name.
    UnsupportedAssignor = 112, "UNSUPPORTED_ASSIGNOR";
    /// The member has moved on to another epoch of its group since it asked.
    StaleMemberEpoch = 113, "STALE_MEMBER_EPOCH";
    /// A regular expression that the coordinator can't read.
    InvalidRegularExpression = 128, "INVALID_REGULAR_EXPRESSION";
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
