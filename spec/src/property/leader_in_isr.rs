//! Whoever leads is in sync.
//!
//! Source: LeaderInIsr of hachikuji's TLA+ specification; Kafka's `PartitionChangeBuilder`.
//! Verifies: controller.elect.complete, controller.isr.last
//! Can fail: break leader-dropped-from-isr.

use super::{Property, ensure};
use crate::view::View;

/// C-2
pub const LEADER_IN_ISR: Property = Property {
    name: "leader-in-isr",
    number: "C-2",
    statement: "the leader is in the ISR, and the ISR is empty only where ELRs are kept and no one leads",
    guards: &[],
    check: |view: &View<'_>| {
        view.metadata.partitions().try_for_each(|(_, partition)| {
            let in_sync = partition.leader.is_none_or(|leader| partition.isr.contains(leader));
            ensure(in_sync, || format!("{:?} leads, and the ISR is {}", partition.leader, partition.isr))
        })
    },
};
