//! What a search says: while it runs, and when it is done.
//!
//! Not here: how it looks on a terminal.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::limits::Limit;

/// How far a running search is, for another thread to look at.
#[derive(Debug, Default)]
pub struct Progress {
    pub(super) distinct: AtomicU64,
    pub(super) generated: AtomicU64,
    pub(super) depth: AtomicU64,
    pub(super) frontier: AtomicU64,
}

impl Progress {
    /// Distinct states found so far.
    pub fn distinct(&self) -> u64 {
        self.distinct.load(Ordering::Relaxed)
    }

    /// States reached so far, each as often as it was reached.
    pub fn generated(&self) -> u64 {
        self.generated.load(Ordering::Relaxed)
    }

    /// The greatest distance from the initial state so far.
    pub fn depth(&self) -> u64 {
        self.depth.load(Ordering::Relaxed)
    }

    /// States found but not explored yet.
    pub fn frontier(&self) -> u64 {
        self.frontier.load(Ordering::Relaxed)
    }

    pub(super) fn reset(&self) {
        for counter in [&self.distinct, &self.generated, &self.depth, &self.frontier] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Report<Event> {
    /// Distinct states found, the initial one included.
    pub distinct: u64,
    /// States reached, each as often as it was reached, the initial one once more.
    pub generated: u64,
    /// The greatest distance from the initial state, in events.
    pub depth: u64,
    /// States found but left unexplored: 0 if and only if every reachable state was found.
    pub frontier: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The largest resident set of the whole process seen meanwhile, in bytes; `None` where it can't be
    /// read. It includes what the process held before.
    pub peak_memory: Option<u64>,
    /// The limit that cut the search short.
    pub stopped_by: Option<Limit>,
    /// What became of each property, in the model's order.
    pub properties: Vec<PropertyReport<Event>>,
}

/// What became of one property.
#[derive(Clone, Debug)]
pub struct PropertyReport<Event> {
    /// The property's name.
    pub name: &'static str,
    /// In how many states its guard was met. 0 means that nothing was checked.
    pub judged: u64,
    /// The events of a shortest way from the initial state to a state that violates it.
    pub violation: Option<Vec<Event>>,
}

impl<Event> Report<Event> {
    /// Whether every reachable state was found, and every property holds in all of them.
    ///
    /// A search that was cut short has not shown that, whatever it saw.
    pub fn proves_all(&self) -> bool {
        self.is_exhaustive() && self.violated().next().is_none()
    }

    /// Whether every reachable state was found and explored.
    pub fn is_exhaustive(&self) -> bool {
        self.stopped_by.is_none() && self.frontier == 0
    }

    /// The properties that are violated somewhere.
    pub fn violated(&self) -> impl Iterator<Item = &PropertyReport<Event>> {
        (self.properties.iter()).filter(|property| property.violation.is_some())
    }

    /// The chance, about, that two distinct states shared a fingerprint and one went unseen.
    pub fn collision_probability(&self) -> f64 {
        (self.distinct as f64).powi(2) / 2f64.powi(65)
    }
}
