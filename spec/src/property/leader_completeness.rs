//! Whoever leads has every committed record.
//!
//! Source: LeaderCompletenessProperty of the KIP-966 TLA+ specification.
//! Verifies: controller.elect.*, replica.truncate.*, replica.lead.begin
//! Can fail: exhibit kip-101-1; exhibit kip-966.

use super::{DURABLE, Property, ensure};
use crate::view::View;

/// P-5
pub const LEADER_COMPLETENESS: Property = Property {
    name: "leader-completeness",
    number: "P-5",
    statement: "the leader in force has every record that was ever committed, and every value acknowledged with acks=all",
    guards: DURABLE,
    check: |view: &View<'_>| {
        let Some((leader, _)) = view.true_leader() else { return Ok(()) };
        ensure(leader.holds(&view.history.committed), || {
            format!("{} leads without a committed record", leader.broker)
        })?;
        let missing =
            view.history.acknowledged.iter().find(|value| !leader.log.iter().any(|entry| entry.value == **value));
        ensure(missing.is_none() || leader.log_start.0 > 0, || {
            format!("{} leads without the acknowledged m{}", leader.broker, missing.unwrap_or(&0))
        })
    },
};
