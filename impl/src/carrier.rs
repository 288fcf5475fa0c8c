//! What the machines carry in a broker: slices of network buffers, and readings of the monotonic clock.

use bytes::Bytes;
use highwater_spec::machine::Carrier;
use std::time::Instant;

/// The carrier of a real cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Net {}

impl Carrier for Net {
    /// One record batch, header included.
    type Bytes = Bytes;
    type Stamp = Instant;
}
