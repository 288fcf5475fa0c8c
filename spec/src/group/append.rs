//! What follows for a coordinator from how an append to its log ended.
//!
//! Kafka takes back a batch that its own replica refused and goes on from there, since it appends one at a time and asks
//! for no more than the leader; only when a batch lies elsewhere than expected does it read the log again. Here the next
//! append does not wait for the one before, and rests on it: whatever follows one that failed is elsewhere than expected
//! too. So every failure has it begin anew.
//!
//! Not here: what becomes of whoever waited (`Reverted`), or reading the log. Rules: `group.coordinator.append`. Source:
//! Kafka's `CoordinatorRuntime.flushCurrentBatch`, `CoordinatorPartitionWriter`.

use crate::marks::guard;
use crate::replica::ProduceOutcome;
use crate::values::Offset;

/// Records that a coordinator has handed to its log, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Appended {
    /// The offset that the first of them is to have.
    pub base: Offset,
    /// One past the last (exclusive).
    pub upto: Offset,
}

/// What a coordinator does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aftermath {
    /// It hears that everything below this is committed (exclusive).
    Committed(Offset),
    /// It resigns, reads the log once more and begins with that.
    BeginAnew,
    /// It resigns, and its broker waits for the next leadership.
    Resign,
}

impl Appended {
    /// `group.coordinator.append`: records are committed when they are below the high watermark at the offset that was
    /// expected, even if too few replicas have them by then. After any other end, or none (`None`: nobody will ever say),
    /// nobody knows what is in the log but the log: a broker that still `leads` it reads it again.
    #[must_use]
    pub fn ended(self, outcome: Option<ProduceOutcome>, leads: bool) -> Aftermath {
        let is_committed = match outcome {
            Some(ProduceOutcome::Acked { base } | ProduceOutcome::Undersized { base }) => base == self.base,
            _ => false,
        };
        match guard!("group.coordinator.append", is_committed) {
            true => Aftermath::Committed(self.upto),
            false if guard!("group.coordinator.append/leads", leads) => Aftermath::BeginAnew,
            false => Aftermath::Resign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;
    use crate::values::Timestamp;

    const APPENDED: Appended = Appended { base: Offset(3), upto: Offset(5) };

    // Verifies: group.coordinator.append
    #[test]
    fn what_the_isr_has_is_committed() {
        for leads in [false, true] {
            for outcome in [ProduceOutcome::Acked { base: Offset(3) }, ProduceOutcome::Undersized { base: Offset(3) }] {
                assert_eq!(APPENDED.ended(Some(outcome), leads), Aftermath::Committed(Offset(5)), "{outcome:?}");
            }
        }
    }

    // Verifies: group.coordinator.append
    #[test]
    fn after_any_other_end_only_the_log_knows() {
        let others = [
            None,
            Some(ProduceOutcome::Acked { base: Offset(2) }),
            Some(ProduceOutcome::Acked { base: Offset(5) }),
            Some(ProduceOutcome::Duplicate { base: Offset(3), timestamp: Timestamp(0) }),
            Some(ProduceOutcome::Refused(Refusal::NotEnoughReplicas)),
            Some(ProduceOutcome::Undersized { base: Offset(2) }),
            Some(ProduceOutcome::Unknown(Refusal::NotLeaderOrFollower)),
            Some(ProduceOutcome::Unknown(Refusal::RequestTimedOut)),
        ];
        for outcome in others {
            assert_eq!(APPENDED.ended(outcome, true), Aftermath::BeginAnew, "{outcome:?}");
            assert_eq!(APPENDED.ended(outcome, false), Aftermath::Resign, "{outcome:?}");
        }
    }
}
