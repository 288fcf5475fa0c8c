//! Walks: runs of small worlds that together take every edge, so that a replayer has met everything that can happen.
//!
//! [`Graph::explore`] finds what can happen, [`Graph::cover`] the walks, [`replay`] hands them to [`Replayer`]s: the
//! model itself here, a real cluster in lockstep. Not here: what a real cluster is held against.

pub mod cover;
mod flow;
pub mod graph;
mod model;
pub mod replay;
pub mod report;
pub mod sample;

#[cfg(test)]
mod tests;

pub use cover::Walk;
pub use graph::{Edge, Graph};
pub use model::OnModel;
pub use replay::{Diverged, Divergence, Outcome, Replayer, replay};
pub use report::Report;

use highwater_checker::replication::{Bounds, World};
use highwater_spec::rules::Rules;

/// A world that is walked.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// Its name.
    pub name: &'static str,
    /// How much may happen in it.
    pub bounds: Bounds,
}

/// What is walked: two brokers, one record, and each pair of a kill, a false fence and an ISR change. All three at once
/// have ten times the edges.
pub const GROUNDS: [Ground; 2] = [
    Ground { name: "kill-and-lag", bounds: Bounds { min_isr: 2, kills: 1, lags: 1, ..Bounds::QUIET } },
    Ground { name: "fence-and-lag", bounds: Bounds { fences: 1, lags: 1, ..Bounds::QUIET } },
];

/// As many steps as starting a cluster for one more walk is worth.
pub const START: u32 = 5;

impl Ground {
    /// The world, by today's rules.
    #[must_use]
    pub fn world(&self) -> World {
        World::new(Rules::KAFKA, self.bounds)
    }
}
