//! One leader an epoch, and no leader of an earlier epoch exposes what a later one lacks.
//!
//! Source: StrongIsr with Kip320's fencing, hachikuji's TLA+ specification; KIP-320.
//! Verifies: replica.fetch.fence, replica.epoch.current, controller.epochs
//! Can fail: rules KAFKA hw_gate=Open.

use super::{DURABLE, Property, ensure};
use crate::view::View;

/// P-9
pub const ONE_LEADER: Property = Property {
    name: "one-leader",
    number: "P-9",
    statement: "at most one replica leads in an epoch, and a leader of a later epoch has all that one of an earlier epoch exposes",
    guards: DURABLE,
    check: |view: &View<'_>| {
        let leaders = || view.beliefs().filter(|(_, belief)| belief.leads.is_some());
        for (one, belief) in leaders() {
            for (other, later) in leaders().filter(|(other, _)| other.broker != one.broker) {
                let epoch = belief.leader_epoch;
                ensure(epoch != later.leader_epoch, || {
                    format!("{} and {} both lead in {}", one.broker, other.broker, epoch.unwrap_or_default())
                })?;
                let exposed = usize::try_from(belief.high_watermark.0 - one.log_start.0).unwrap_or(0);
                let exposed = &one.log[..exposed.min(one.log.len())];
                let lacks =
                    epoch < later.leader_epoch && one.log_start == other.log_start && !other.log.starts_with(exposed);
                ensure(!lacks, || format!("{} exposes what its successor {} lacks", one.broker, other.broker))?;
            }
        }
        Ok(())
    },
};
