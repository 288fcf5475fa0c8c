//! The ISR and the ELR of every partition have the shape that KIP-966 gives them.
//!
//! Source: ValidControllerIsrAndElr of the KIP-966 TLA+ specification.
//! Verifies: controller.elr.*
//! Can fail: break elr-kept-above-min-isr.

use super::{Property, ensure};
use crate::values::Brokers;
use crate::view::View;

/// C-1
pub const ISR_SHAPE: Property = Property {
    name: "isr-shape",
    number: "C-1",
    statement: "ISR and ELR are disjoint sets of replicas, and there is no ELR while the ISR has min.insync.replicas members",
    guards: &[],
    check: |view: &View<'_>| {
        view.metadata.partitions().try_for_each(|(id, partition)| {
            let replicas: Brokers = partition.replicas.iter().copied().collect();
            let (isr, elr) = (&partition.isr, &partition.elr);
            let inside = isr.is_subset(&replicas) && elr.is_subset(&replicas);
            ensure(inside && isr.minus(elr) == *isr, || format!("ISR {isr} and ELR {elr} of replicas {replicas}"))?;
            let enough = isr.len() >= view.metadata.min_insync_replicas(id.topic);
            ensure(!enough || elr.is_empty(), || format!("ISR {isr} is large enough, and there is an ELR {elr}"))
        })
    },
};
