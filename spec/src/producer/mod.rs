//! Producers with an id: what a partition has of theirs, so that a retry is not written twice.
//!
//! A client numbers its records per partition, and sends a batch again until it hears of it. The leader remembers the
//! last batches of each producer: one that it has already is answered as it was the first time, one that leaves a gap
//! is refused. What it remembers is a fold of the log, so that whoever leads next remembers the same.
//!
//! Not here: who gets which id (`controller`), when a batch is answered (`replica`), transactions. Rules: `producer.*`.
//! Source: KIP-98, KIP-360; Kafka's `ProducerStateManager`, `ProducerAppendInfo`, `ProducerStateEntry`.

mod block;
mod judge;
mod sequence;
mod state;

pub use block::IdBlock;
pub use judge::Verdict;
pub use sequence::Sequence;
pub use state::{Producer, Producers, Written};

use crate::values::{ProducerEpoch, ProducerId, Timestamp};

/// Whose a batch is, and which of that producer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequenced {
    /// Who wrote it.
    pub producer: ProducerId,
    /// In which of its epochs.
    pub epoch: ProducerEpoch,
    /// The number of its first record.
    pub first: Sequence,
    /// The largest timestamp of its records. Handed on, and never compared here.
    pub timestamp: Timestamp,
}
