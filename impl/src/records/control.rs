//! Control records: what brokers write between the data.

use bytes::{BufMut, Bytes, BytesMut};

/// What a control record says, by the number in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlType {
    /// A transaction was aborted.
    Abort,
    /// A transaction was committed.
    Commit,
    /// A quorum has a new leader.
    LeaderChange,
    /// A snapshot begins.
    SnapshotHeader,
    /// A snapshot ends.
    SnapshotFooter,
    /// The version of the quorum's protocol.
    KRaftVersion,
    /// The quorum's voters.
    KRaftVoters,
}

/// The key of a control record: version 0, and its type.
#[must_use]
pub fn control_key(kind: ControlType) -> Bytes {
    let mut key = BytesMut::with_capacity(4);
    key.put_i16(0);
    key.put_i16(kind as i16);
    key.freeze()
}
