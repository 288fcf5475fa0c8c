//! What a broker hears, handed on by another carrier: field by field the same.

use super::Input;
use crate::machine::{Carrier, Recast};
use std::sync::Arc;

impl<C: Carrier> Input<C> {
    /// The same fact.
    #[must_use]
    pub fn recast<D: Recast<C>>(&self) -> Input<D> {
        match self {
            Self::Started => Input::Started,
            Self::RegistrationAnswered { outcome, at } => {
                Input::RegistrationAnswered { outcome: *outcome, at: D::stamp(*at) }
            }
            Self::HeartbeatAnswered(outcome) => Input::HeartbeatAnswered(*outcome),
            Self::SnapshotLoaded { image, end, at } => {
                Input::SnapshotLoaded { image: Arc::clone(image), end: *end, at: D::stamp(*at) }
            }
            Self::MetadataArrived { from, records, at } => {
                Input::MetadataArrived { from: *from, records: records.clone(), at: D::stamp(*at) }
            }
            Self::IsrProposed { partition, proposal } => {
                Input::IsrProposed { partition: *partition, proposal: proposal.clone() }
            }
            Self::AlterPartitionAnswered(outcome) => Input::AlterPartitionAnswered(outcome.clone()),
            Self::ShutdownAsked => Input::ShutdownAsked,
            Self::LogsClosed => Input::LogsClosed,
            Self::ReplicaFailed => Input::ReplicaFailed,
            Self::TimerFired(timer) => Input::TimerFired(*timer),
        }
    }
}
