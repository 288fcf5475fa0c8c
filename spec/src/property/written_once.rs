//! What a producer with an id sends is in a log once, and in the order in which it was numbered.
//!
//! Gaps are allowed: a partition that knows nothing of a producer, because its log has lost all that it wrote, takes
//! whatever number comes.
//!
//! Source: KIP-98, "Idempotent producer guarantees".
//! Verifies: producer.sequence.*, producer.state.*, replica.produce.sequence, replica.producers.*
//! Can fail: exhibit kip-98.

use super::{Property, ensure};
use crate::view::{ReplicaView, View};

/// T-3
pub const WRITTEN_ONCE: Property = Property {
    name: "written-once",
    number: "T-3",
    statement: "no log has a record of a producer with an id twice, or before one that the producer sent earlier",
    guards: &[],
    check: |view: &View<'_>| view.replicas.iter().try_for_each(|replica| check(view, replica)),
};

fn check(view: &View<'_>, replica: &ReplicaView<'_>) -> Result<(), String> {
    let numbered = |value: u64| view.sequenced.iter().position(|(sent, _)| *sent == value);
    let mut last = None;
    for entry in replica.log {
        let Some(place) = numbered(entry.value) else { continue };
        ensure(last < Some(place), || format!("{} has m{} again, or too late", replica.broker, entry.value))?;
        last = Some(place);
    }
    Ok(())
}
