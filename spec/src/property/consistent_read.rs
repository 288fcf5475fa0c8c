//! What a consumer has read never changes.
//!
//! Source: ConsistentReadProperty of the KIP-966 TLA+ specification.
//! Verifies: replica.read.bound, replica.hw.*, replica.isr.admit
//! Can fail: rules KAFKA hw_gate=Open; break consumer-reads-to-the-end.

use super::{DURABLE, Property, ensure};
use crate::view::View;

/// P-7
pub const CONSISTENT_READ: Property = Property {
    name: "consistent-read",
    number: "P-7",
    statement: "an offset that a leader once exposed below its high watermark maps to the same record for ever",
    guards: DURABLE,
    check: |view: &View<'_>| {
        ensure(view.history.rewritten.is_none(), || {
            format!("two records were readable at {}", view.history.rewritten.unwrap_or_default())
        })
    },
};
