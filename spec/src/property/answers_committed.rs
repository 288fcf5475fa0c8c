//! Whoever is told something by the controller can rely on it.
//!
//! Source: Kafka's `QuorumController`: a reply is released once its records are committed.
//! Verifies: log-backed.answer, log-backed.revert
//! Can fail: break answer-before-commit.

use super::{Property, ensure};
use crate::view::View;

/// L-1: it is what makes the other controller properties meaningful to brokers.
pub const ANSWERS_COMMITTED: Property = Property {
    name: "answers-committed",
    number: "L-1",
    statement: "an answer of the controller speaks of what is committed",
    guards: &[],
    check: |view: &View<'_>| {
        ensure(!view.history.unfounded_answer, || "an answer spoke of what was not committed".into())
    },
};
