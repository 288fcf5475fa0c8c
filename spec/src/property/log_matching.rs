//! An offset and an epoch identify a record, and everything before it.
//!
//! Source: Raft's log matching; LogMatchingProperty of the KIP-966 TLA+ specification; KIP-101, KIP-279.
//! Verifies: replica.truncate.*, replica.follow.copy, replica.fetch.diverging, log.epochs.*
//! Can fail: exhibit kip-101-2; exhibit kip-279.

use super::{Property, ensure};
use crate::view::{ReplicaView, View};

/// P-2
pub const LOG_MATCHING: Property = Property {
    name: "log-matching",
    number: "P-2",
    statement: "where two logs have the same epoch at the same offset, they agree on everything up to it",
    guards: &[],
    check: |view: &View<'_>| {
        let after = |place: usize| view.replicas.iter().skip(place + 1);
        let mut pairs =
            (view.replicas.iter().enumerate()).flat_map(|(place, one)| after(place).map(move |other| (one, other)));
        pairs.try_for_each(|(one, other)| check(one, other))
    },
};

fn check(one: &ReplicaView<'_>, other: &ReplicaView<'_>) -> Result<(), String> {
    let start = one.log_start.max(other.log_start);
    let skip = |replica: &ReplicaView<'_>| usize::try_from(start.0 - replica.log_start.0).unwrap_or(0);
    let (one_log, other_log) = (one.log.get(skip(one)..).unwrap_or(&[]), other.log.get(skip(other)..).unwrap_or(&[]));
    let common = one_log.len().min(other_log.len());
    let Some(same) = (0..common).rfind(|place| one_log[*place].epoch == other_log[*place].epoch) else { return Ok(()) };
    let differs = (0..=same).find(|place| one_log[*place] != other_log[*place]);
    ensure(differs.is_none(), || {
        let (at, same) = (start.0 + differs.unwrap_or(0) as i64, start.0 + same as i64);
        format!("{} and {} have the same epoch at {same} and different records at {at}", one.broker, other.broker)
    })
}
