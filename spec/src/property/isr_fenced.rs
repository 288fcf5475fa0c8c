//! No one is in sync who is fenced.
//!
//! Source: ValidControllerState of the KIP-966 TLA+ specification; KIP-841.
//! Verifies: controller.broker.fence, controller.isr.eligible, controller.isr.last
//! Can fail: break fenced-member-accepted.

use super::{Property, ensure};
use crate::view::View;

/// C-3
pub const ISR_FENCED: Property = Property {
    name: "isr-fenced",
    number: "C-3",
    statement: "every member of an ISR is active, but for the last one of a partition that no one leads",
    guards: &[],
    check: |view: &View<'_>| {
        view.metadata.partitions().try_for_each(|(_, partition)| {
            let kept = partition.isr.len() == 1 && partition.leader.is_none();
            let inactive = partition.isr.iter().find(|member| !view.metadata.is_active(*member));
            ensure(kept || inactive.is_none(), || {
                format!("{} is in the ISR {} and not active", inactive.unwrap_or_default(), partition.isr)
            })
        })
    },
};
