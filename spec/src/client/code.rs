//! Kafka's error codes as a client sees them, and which of them are worth another try.
//!
//! A number and not an enum: servers may answer with codes that no client has heard of.
//!
//! Source: `org.apache.kafka.common.protocol.Errors`, `RetriableException` (4.1).

use crate::refusal::Refusal;

/// Why a server, or the network, did not do what it was asked. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub i16);

impl Code {
    /// Nobody leads the partition, as far as is known.
    pub const LEADER_NOT_AVAILABLE: Self = Self(5);
    /// The server does not lead the partition.
    pub const NOT_LEADER_OR_FOLLOWER: Self = Self(6);
    /// The time allowed has passed.
    pub const REQUEST_TIMED_OUT: Self = Self(7);
    /// The batch is larger than the topic allows.
    pub const MESSAGE_TOO_LARGE: Self = Self(10);
    /// The connection broke, or no answer came in time. No server says it.
    pub const NETWORK_EXCEPTION: Self = Self(13);
    /// Too few replicas in sync, though the records were appended.
    pub const NOT_ENOUGH_REPLICAS_AFTER_APPEND: Self = Self(20);
    /// The client may not do that in this cluster.
    pub const CLUSTER_AUTHORIZATION_FAILED: Self = Self(31);
    /// The server does not know such requests.
    pub const UNSUPPORTED_VERSION: Self = Self(35);
    /// Numbers before those of the batch are missing.
    pub const OUT_OF_ORDER_SEQUENCE_NUMBER: Self = Self(45);
    /// The batch was written so long ago that nobody knows where.
    pub const DUPLICATE_SEQUENCE_NUMBER: Self = Self(46);
    /// The client may not use that transactional id.
    pub const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: Self = Self(53);
    /// The partition knows nothing of the producer (before 2.5).
    pub const UNKNOWN_PRODUCER_ID: Self = Self(59);
    /// Another producer has taken over.
    pub const PRODUCER_FENCED: Self = Self(90);

    /// `client.code.retriable`: those that a client takes for a matter of time.
    const RETRIABLE: [i16; 31] = [
        2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103,
        106, 122, 123,
    ];

    /// Whether the same may succeed a little later, of another server perhaps.
    #[must_use]
    pub fn is_retriable(self) -> bool {
        Self::RETRIABLE.contains(&self.0)
    }

    /// `client.code.doubt`: whether what was asked may have been done all the same. A leader that is deposed while a batch
    /// waits for its followers says that it does not lead, and the batch may stay.
    #[must_use]
    pub fn leaves_doubt(self) -> bool {
        matches!(
            self,
            Self(-1)
                | Self::NOT_LEADER_OR_FOLLOWER
                | Self::REQUEST_TIMED_OUT
                | Self::NETWORK_EXCEPTION
                | Self::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        )
    }
}

impl From<Refusal> for Code {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.code())
    }
}
