//! What was acknowledged with acks=all is not lost.
//!
//! Source: NoCommittedRecordLostGlobally of the KIP-966 TLA+ specification.
//! Verifies: replica.produce.commit, replica.produce.min-isr, replica.hw.*, controller.elr.*
//! Can fail: exhibit kip-101-1; exhibit kip-966; exhibit unclean-election; break acks-all-at-append.

use super::{DURABLE, Property, ensure};
use crate::view::View;

/// P-8
pub const ACKNOWLEDGED_SURVIVES: Property = Property {
    name: "acknowledged-survives",
    number: "P-8",
    statement: "a value acknowledged with acks=all is in the log of some broker",
    guards: DURABLE,
    check: |view: &View<'_>| all_survive(view, &view.history.acknowledged),
};

pub(super) fn all_survive(view: &View<'_>, values: &[u64]) -> Result<(), String> {
    let in_some_log =
        |value: &u64| view.replicas.iter().any(|replica| replica.log.iter().any(|entry| entry.value == *value));
    let lost = values.iter().find(|value| !in_some_log(value));
    ensure(lost.is_none(), || format!("m{} was acknowledged and is in no log", lost.unwrap_or(&0)))
}
