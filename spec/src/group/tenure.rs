//! Under which leadership of its log a broker coordinates groups.
//!
//! A broker hears that it leads the log, and that it does so no longer, and it may get to one after the other in any
//! order. Not here: what winning and losing mean for the groups ([`super::Input::Elected`], `Reverted`).
//!
//! Rules: `group.coordinator.epoch`. Source: KAFKA-10614; Kafka's `CoordinatorRuntime.scheduleLoadOperation` and
//! `scheduleUnloadOperation`.

use crate::rules::{CoordinatorEpoch, Rules};
use crate::values::LeaderEpoch;

/// The latest change of leadership that a broker has acted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenure(Option<LeaderEpoch>);

impl Tenure {
    /// The epoch of that change; `None` if there was none.
    #[must_use]
    pub fn epoch(self) -> Option<LeaderEpoch> {
        self.0
    }

    /// `group.coordinator.epoch`: a leadership won or lost in `epoch` is acted on only if it is later than the last one
    /// that was. Says whether to act on it.
    pub fn hears(&mut self, rules: &Rules, epoch: LeaderEpoch) -> bool {
        let is_later = self.0.is_none_or(|known| known < epoch);
        if is_later {
            self.0 = Some(epoch);
        }
        is_later || rules.coordinator_epoch == CoordinatorEpoch::Ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acted_on(rules: &Rules, epochs: [i32; 5]) -> [bool; 5] {
        let mut tenure = Tenure::default();
        epochs.map(|epoch| tenure.hears(rules, LeaderEpoch(epoch)))
    }

    // Verifies: group.coordinator.epoch
    #[test]
    fn what_is_earlier_or_known_changes_nothing() {
        assert_eq!(acted_on(&Rules::KAFKA, [0, 2, 1, 2, 3]), [true, true, false, false, true]);
        let ignored = Rules { coordinator_epoch: CoordinatorEpoch::Ignored, ..Rules::KAFKA };
        assert_eq!(acted_on(&ignored, [0, 2, 1, 2, 3]), [true; 5]);
    }
}
