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
pub use replay::{Diverged, Divergence, Effort, Outcome, Replayer, replay};
pub use report::{Covered, Report};

use highwater_checker::group::{self, members};
use highwater_checker::replication::{Bounds, World};
use highwater_spec::rules::Rules;

/// A world that is walked.
#[derive(Clone, Copy, Debug)]
pub struct Ground<B = Bounds> {
    /// Its name.
    pub name: &'static str,
    /// How much may happen in it.
    pub bounds: B,
}

/// What is walked, with two brokers and one record: each pair of a kill, a false fence and an ISR change (all three at
/// once have several times the edges), and each other fault in a world of its own. Then a producer with an id that sends
/// again what it has sent, two records of it where its leader is killed.
pub const GROUNDS: [Ground; 11] = [
    Ground { name: "kill-and-lag", bounds: Bounds { min_isr: 2, kills: 1, lags: 1, ..Bounds::QUIET } },
    Ground { name: "fence-and-lag", bounds: Bounds { fences: 1, lags: 1, ..Bounds::QUIET } },
    Ground { name: "kill-and-fence", bounds: Bounds { kills: 1, fences: 1, atomic_fetches: 1, ..Bounds::QUIET } },
    Ground { name: "stop", bounds: Bounds { min_isr: 2, stops: 1, ..Bounds::QUIET } },
    Ground { name: "power-loss", bounds: Bounds { min_isr: 2, power_losses: 1, ..Bounds::QUIET } },
    Ground { name: "disk-failure", bounds: Bounds { disk_failures: 1, ..Bounds::QUIET } },
    Ground { name: "timeout-and-lag", bounds: Bounds { min_isr: 2, acks: 2, timeouts: 1, lags: 1, ..Bounds::QUIET } },
    Ground { name: "interrupted", bounds: Bounds { kills: 1, interrupts: 1, acks: 2, ..Bounds::QUIET } },
    Ground {
        name: "retry-and-kill",
        bounds: Bounds { records: 2, kills: 1, retries: 1, idempotent: 1, ..Bounds::QUIET },
    },
    Ground {
        name: "retry-and-lag",
        bounds: Bounds { min_isr: 2, lags: 1, retries: 1, idempotent: 1, ..Bounds::QUIET },
    },
    Ground { name: "election", bounds: Bounds { kills: 1, elections: 1, ..Bounds::QUIET } },
];

/// Groups of the classic protocol that are walked, of two consumers that share a partition, or two of them: each fault
/// in a world of its own.
pub const GROUP_GROUNDS: [Ground<group::Bounds>; 12] = [
    Ground { name: "group-crash", bounds: group::Bounds { partitions: 1, crashes: 1, ..group::Bounds::QUIET } },
    Ground { name: "group-cooperative", bounds: group::Bounds { cooperative: 1, ..group::Bounds::QUIET } },
    Ground {
        name: "group-static",
        bounds: group::Bounds { partitions: 1, fixed: 1, crashes: 1, ..group::Bounds::QUIET },
    },
    Ground {
        name: "group-instance",
        bounds: group::Bounds { partitions: 1, same_instance: 1, ..group::Bounds::QUIET },
    },
    Ground { name: "group-move", bounds: group::Bounds { partitions: 1, moves: 1, ..group::Bounds::QUIET } },
    Ground { name: "group-close", bounds: group::Bounds { partitions: 1, closes: 1, ..group::Bounds::QUIET } },
    Ground {
        name: "group-late-move",
        bounds: group::Bounds { partitions: 1, late_commits: 1, moves: 1, ..group::Bounds::QUIET },
    },
    Ground { name: "group-break", bounds: group::Bounds { partitions: 1, breaks: 1, ..group::Bounds::QUIET } },
    Ground { name: "group-expiry", bounds: group::Bounds { partitions: 1, expiries: 1, ..group::Bounds::QUIET } },
    Ground { name: "group-impatience", bounds: group::Bounds { partitions: 1, impatience: 1, ..group::Bounds::QUIET } },
    Ground {
        name: "group-slow",
        bounds: group::Bounds { partitions: 1, records: 0, slow_polls: 1, ..group::Bounds::QUIET },
    },
    Ground { name: "group-commit", bounds: group::Bounds { partitions: 1, commits: 1, ..group::Bounds::QUIET } },
];

/// Groups of the consumer protocol that are walked, in the same way.
pub const CONSUMER_GROUNDS: [Ground<members::Bounds>; 9] = [
    Ground { name: "consumers-crash", bounds: members::Bounds { crashes: 1, ..members::Bounds::QUIET } },
    Ground { name: "consumers-leave", bounds: members::Bounds { leaves: 1, ..members::Bounds::QUIET } },
    Ground { name: "consumers-static", bounds: members::Bounds { fixed: 1, leaves: 1, ..members::Bounds::QUIET } },
    Ground { name: "consumers-expiry", bounds: members::Bounds { expiries: 1, ..members::Bounds::QUIET } },
    Ground { name: "consumers-slow", bounds: members::Bounds { slow: 1, ..members::Bounds::QUIET } },
    Ground { name: "consumers-break", bounds: members::Bounds { breaks: 1, ..members::Bounds::QUIET } },
    Ground {
        name: "consumers-commit",
        bounds: members::Bounds { partitions: 1, records: 1, expiries: 1, ..members::Bounds::QUIET },
    },
    Ground { name: "consumers-move", bounds: members::Bounds { moves: 1, ..members::Bounds::QUIET } },
    Ground {
        name: "consumers-late-move",
        bounds: members::Bounds { partitions: 1, late_commits: 1, moves: 1, ..members::Bounds::QUIET },
    },
];

impl Ground<group::Bounds> {
    /// The world, by today's rules.
    #[must_use]
    pub fn world(&self) -> group::World {
        group::World::new(Rules::KAFKA, self.bounds)
    }
}

impl Ground<members::Bounds> {
    /// The world, by today's rules.
    #[must_use]
    pub fn world(&self) -> members::World {
        members::World::new(Rules::KAFKA, self.bounds)
    }
}

impl Ground {
    /// The world, by today's rules.
    #[must_use]
    pub fn world(&self) -> World {
        World::new(Rules::KAFKA, self.bounds)
    }
}
