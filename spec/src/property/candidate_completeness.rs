//! Whoever may be elected has every committed record.
//!
//! Source: LeaderCandidateCompletenessProperty of the KIP-966 TLA+ specification; StrongIsr of hachikuji's.
//! Verifies: replica.hw.advance, replica.hw.gate, replica.isr.admit, replica.fetch.fence, controller.elr.*
//! Can fail: exhibit kip-101-1; exhibit kip-320; exhibit kip-966; rules KAFKA hw_gate=Open.

use super::{DURABLE, Property, ensure};
use crate::view::View;

/// P-4
pub const CANDIDATE_COMPLETENESS: Property = Property {
    name: "candidate-completeness",
    number: "P-4",
    statement: "every running member of the ISR or the ELR, of the incarnation registered, has every record that was ever committed",
    guards: DURABLE,
    check: |view: &View<'_>| {
        let Some(partition) = view.metadata.partition(view.partition) else { return Ok(()) };
        let candidates = partition.isr.union(&partition.elr);
        view.replicas.iter().filter(|replica| candidates.contains(replica.broker)).try_for_each(|replica| {
            let registered = view.metadata.brokers.get(&replica.broker).map(|found| found.epoch);
            let runs = replica.running.as_ref().is_some_and(|running| running.broker_epoch == registered);
            ensure(!runs || replica.holds(&view.history.committed), || {
                format!("{} may be elected and lacks a committed record", replica.broker)
            })
        })
    },
};
