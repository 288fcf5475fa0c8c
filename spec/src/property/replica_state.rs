//! A replica's own state makes sense.
//!
//! Source: TypeOK and ValidReplicaState of the replication TLA+ specifications.
//! Verifies: log.epochs.*, replica.hw.*, replica.truncate.*
//! Can fail: break epoch-not-assigned; break hw-not-clamped.

use super::{Property, ensure};
use crate::view::{Belief, ReplicaView, View};

/// P-1
pub const REPLICA_STATE: Property = Property {
    name: "replica-state",
    number: "P-1",
    statement: "log start ≤ high watermark ≤ log end; epochs never fall along a log; the epoch cache tells where each began",
    guards: &[],
    check: |view: &View<'_>| view.beliefs().try_for_each(|(replica, belief)| check(replica, belief)),
};

fn check(replica: &ReplicaView<'_>, belief: &Belief<'_>) -> Result<(), String> {
    let broker = replica.broker;
    let (start, hw, end) = (belief.log_start, belief.high_watermark, belief.log_end);
    ensure(start <= hw && hw <= end, || format!("{broker} has log start {start}, high watermark {hw}, log end {end}"))?;
    let on_disk = replica.log_start.0 + replica.log.len() as i64;
    ensure(on_disk == end.0, || format!("{broker} believes in log end {end}, and its log ends at {on_disk}"))?;
    ensure(replica.log.is_sorted_by_key(|entry| entry.epoch), || format!("epochs fall along the log of {broker}"))?;
    let entries = belief.epochs.entries();
    let increasing = entries.windows(2).all(|pair| pair[0].epoch < pair[1].epoch && pair[0].start < pair[1].start);
    ensure(increasing, || format!("the epoch cache of {broker} is out of order: {entries:?}"))?;
    for (offset, entry) in (start.0..).zip(replica.log) {
        let cached = entries.iter().rfind(|cached| cached.start.0 <= offset).map(|cached| cached.epoch);
        ensure(cached == Some(entry.epoch), || {
            format!("{broker} has a record of {} at {offset}, and its epoch cache says {cached:?}", entry.epoch)
        })?;
    }
    Ok(())
}
