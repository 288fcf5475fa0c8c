//! Whoever is elected may lead.
//!
//! Source: KIP-631, KIP-966; Kafka's `PartitionChangeBuilder.isValidNewLeader`.
//! Verifies: controller.elect.complete, controller.elect.last-known, controller.elr.unclean-restart
//! Can fail: break fenced-leader-elected.

use super::{Property, ensure};
use crate::view::View;

/// C-4
pub const ELECTION_ACCEPTABLE: Property = Property {
    name: "election-acceptable",
    number: "C-4",
    statement: "whoever is elected is active; and in sync or eligible, unless the election is unclean",
    guards: &[],
    check: |view: &View<'_>| {
        ensure(view.history.bad_election.is_none(), || {
            format!("{} was elected and may not lead", view.history.bad_election.unwrap_or_default())
        })
    },
};
