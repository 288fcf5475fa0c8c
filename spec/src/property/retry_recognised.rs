//! Who sends again what is in the log is not told that something is missing.
//!
//! A client takes such an answer for lost records, and gives up. The partition knows as many batches again as a client
//! may have under way.
//!
//! Source: KAFKA-5494.
//! Verifies: producer.sequence.duplicate, producer.sequence.next, producer.sequence.wrap, producer.state.window
//! Can fail: exhibit kafka-5494; break numbers-end.

use super::{Property, ensure};
use crate::view::View;

/// T-3
pub const RETRY_RECOGNISED: Property = Property {
    name: "retry-recognised",
    number: "T-3",
    statement: "no leader refuses as out of order a batch that it has, among the last five of its producer, or the one that comes next",
    guards: &[],
    check: |view: &View<'_>| {
        ensure(view.history.denied.is_none(), || {
            format!(
                "m{} was in the log or came next, and was refused as out of order",
                view.history.denied.unwrap_or_default()
            )
        })
    },
};
