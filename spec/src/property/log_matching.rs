//! An offset and an epoch identify a record, and everything before it.
//!
//! Source: Raft's log matching; LogMatchingProperty of the KIP-966 TLA+ specification; KIP-101, KIP-279.
//! Verifies: replica.truncate.*, replica.follow.copy, log.epochs.*
//! Can fail: museum KIP-101/2, KIP-279.

use super::{Property, ensure};
use crate::view::{ReplicaView, View};

/// P-2
pub const LOG_MATCHING: Property = Property {
    name: "log-matching",
    number: "P-2",
    statement: "where two logs have the same epoch at the same offset, they agree on everything up to it",
    guards: &[],
    check: |view: &View<'_>| {
        let pairs = view
            .replicas
            .iter()
            .enumerate()
            .flat_map(|(index, one)| view.replicas[index + 1..].iter().map(move |other| (one, other)));
        pairs.into_iter().try_for_each(|(one, other)| check(one, other))
    },
};

fn check(one: &ReplicaView<'_>, other: &ReplicaView<'_>) -> Result<(), String> {
    let start = one.log_start.max(other.log_start);
    let skip = |replica: &ReplicaView<'_>| usize::try_from(start.0 - replica.log_start.0).unwrap_or(0);
    let pairs = || one.log.iter().skip(skip(one)).zip(other.log.iter().skip(skip(other)));
    let Some(last) = pairs().enumerate().filter(|(_, (a, b))| a.epoch == b.epoch).map(|(index, _)| index).last() else {
        return Ok(());
    };
    let differs = pairs().take(last + 1).position(|(a, b)| a != b);
    ensure(differs.is_none(), || {
        let (at, same) = (start.0 + differs.unwrap_or(0) as i64, start.0 + last as i64);
        format!("{} and {} have the same epoch at {same} and different records at {at}", one.broker, other.broker)
    })
}
