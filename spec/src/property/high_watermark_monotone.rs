//! A leader never takes back what it has exposed.
//!
//! Source: KIP-497; Kafka's `UnifiedLog.maybeIncrementHighWatermark`.
//! Verifies: replica.hw.monotone
//! Can fail: break hw-falls.

use super::{Property, ensure};
use crate::view::View;

/// P-11
pub const HIGH_WATERMARK_MONOTONE: Property = Property {
    name: "high-watermark-monotone",
    number: "P-11",
    statement: "while a leadership lasts its high watermark never goes back",
    guards: &[],
    check: |view: &View<'_>| ensure(!view.history.went_back, || "a leader's high watermark went back".into()),
};
