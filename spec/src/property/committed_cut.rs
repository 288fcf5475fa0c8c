//! No one who may be elected cuts what is committed.
//!
//! A replica that is neither in sync nor eligible may cut one: a fenced leader that does not know it yet may have told it
//! to, and whoever leads will give it the record again.
//!
//! Source: follows from candidate completeness; Kafka logs a warning when a follower truncates below its high watermark.
//! Verifies: replica.truncate.*
//! Can fail: exhibit kip-101-1.

use super::{DURABLE, Property, ensure};
use crate::view::View;

/// P-6
pub const COMMITTED_CUT: Property = Property {
    name: "committed-cut",
    number: "P-6",
    statement: "no replica that may be elected truncates a record that was ever committed",
    guards: DURABLE,
    check: |view: &View<'_>| {
        ensure(view.history.cut.is_none(), || {
            format!("the committed record at {} was cut", view.history.cut.unwrap_or_default())
        })
    },
};
