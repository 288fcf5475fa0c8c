//! What the machines carry in a broker: slices of network buffers, and readings of a clock.

use bytes::Bytes;
use highwater_spec::machine::Carrier;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The carrier of a real cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Net {}

impl Carrier for Net {
    /// One record batch, header included.
    type Bytes = Bytes;
    type Stamp = Instant;
}

/// The carrier of group coordinators. Their times go into the log, so that they are the wall clock's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durable {}

impl Carrier for Durable {
    /// What a client stores as it is: subscriptions, assignments, what stands beside an offset.
    type Bytes = Bytes;
    type Stamp = Timestamp;
}

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
