//! What was acknowledged with acks=1 is not lost: which Kafka does not promise.
//!
//! Not among the properties that must hold; it is here to show what acks=1 means.
//! Can fail: exhibit acks-1.

use super::Property;
use super::acknowledged_survives::all_survive;
use crate::view::View;

///
pub const LEADER_ACKNOWLEDGED_SURVIVES: Property = Property {
    name: "leader-acknowledged-survives",
    number: "A-1",
    statement: "a value acknowledged with acks=1 is in the log of some broker",
    guards: &[],
    check: |view: &View<'_>| all_survive(view, &view.history.acknowledged_by_leader),
};
