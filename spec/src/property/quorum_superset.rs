//! A leader waits for everyone who might be elected after it.
//!
//! Source: ReplicationQuorumSupersetProperty of the KIP-966 TLA+ specification; ValidHighWatermark of AsyncIsr (KIP-497).
//! Verifies: replica.isr.maximal, replica.isr.answer, replica.epoch.known, controller.isr.compare
//! Can fail: exhibit known-epoch; break maximal-isr-forgets-joining.

use super::{Property, ensure};
use crate::view::View;

/// P-3
pub const QUORUM_SUPERSET: Property = Property {
    name: "quorum-superset",
    number: "P-3",
    statement: "the maximal ISR of the leader in force contains the controller's ISR and ELR, unless it is below min.insync.replicas",
    guards: &[],
    check: |view: &View<'_>| {
        let Some((leader, belief)) = view.true_leader() else { return Ok(()) };
        let Some((committed, maximal)) = &belief.leads else { return Ok(()) };
        let Some(partition) = view.metadata.partition(view.partition) else { return Ok(()) };
        let candidates = partition.isr.union(&partition.elr);
        ensure(committed.len() < view.min_insync_replicas() || candidates.is_subset(maximal), || {
            format!("{} waits for {maximal}, and any of {candidates} may be elected", leader.broker)
        })
    },
};
