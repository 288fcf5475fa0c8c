//! What became of the properties: in how many states each claimed something, and where it was wrong.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Explorable, Verdict};

/// What is known of one property, by all workers together.
#[derive(Default)]
pub(super) struct Tally {
    judged: AtomicU64,
    violation: Mutex<Option<Violation>>,
}

/// A state that violates a property. Ordered by depth first: the least is what a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) depth: u64,
    pub(super) fingerprint: u64,
}

impl Tally {
    /// In how many states the property's guard was met.
    pub(super) fn judged(&self) -> u64 {
        self.judged.load(Ordering::Relaxed)
    }

    /// The nearest violation; among equally near ones the one with the smallest fingerprint.
    pub(super) fn violation(&self) -> Option<Violation> {
        *self.violation.lock().unwrap()
    }
}

/// One worker's verdicts, until it tells everyone.
pub(super) struct Judge<'a, E> {
    model: &'a E,
    judged: Vec<u64>,
    violations: Vec<Option<Violation>>,
    verdicts: Vec<Verdict>,
}

impl<'a, E: Explorable> Judge<'a, E> {
    /// A judge that has seen nothing.
    pub(super) fn new(model: &'a E) -> Self {
        let properties = model.properties().len();
        Judge {
            model,
            judged: vec![0; properties],
            violations: vec![None; properties],
            verdicts: Vec::with_capacity(properties),
        }
    }

    /// Judges one state, `depth` events away from the initial one.
    pub(super) fn judge(&mut self, state: &E::State, depth: u64, fingerprint: u64) {
        self.verdicts.clear();
        self.model.judge(state, &mut self.verdicts);
        let named = self.judged.len();
        assert_eq!(self.verdicts.len(), named, "one verdict per property");
        for (property, verdict) in self.verdicts.iter().enumerate() {
            self.judged[property] += u64::from(*verdict != Verdict::Unguarded);
            if *verdict == Verdict::Violated {
                nearest(&mut self.violations[property], Violation { depth, fingerprint });
            }
        }
    }

    /// Adds what it has seen to `tallies`.
    pub(super) fn tell(self, tallies: &[Tally]) {
        let seen = self.judged.into_iter().zip(self.violations);
        for (tally, (judged, violation)) in tallies.iter().zip(seen) {
            tally.judged.fetch_add(judged, Ordering::Relaxed);
            if let Some(violation) = violation {
                nearest(&mut tally.violation.lock().unwrap(), violation);
            }
        }
    }
}

fn nearest(known: &mut Option<Violation>, other: Violation) {
    *known = Some(known.map_or(other, |known| known.min(other)));
}
