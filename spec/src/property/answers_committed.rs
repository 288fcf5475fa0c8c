//! Whoever is told something by the controller can rely on it.
//!
//! Source: Kafka's `QuorumController`: a reply is released once its records are committed.
//! Verifies: log-backed.answer, log-backed.revert
//! Can fail: break answer-before-commit.

use super::{Property, ensure};
use crate::view::View;

/// No number of its own: it is what makes the other controller properties meaningful to brokers.
pub const ANSWERS_COMMITTED: Property = Property {
    name: "answers-committed",
    number: "",
    statement: "an answer of the controller speaks of what is committed",
    guards: &[],
    check: |view: &View<'_>| {
        ensure(!view.history.unfounded_answer, || "an answer spoke of what was not committed".into())
    },
};
