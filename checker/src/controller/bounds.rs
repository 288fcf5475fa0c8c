//! How much may be asked of the controller.

use crate::bounds::{bounds, sensible};

bounds! {
    always ["brokers"];
    /// The brokers, all of which have a copy of the one partition.
    brokers, "brokers", 2;
    /// `min.insync.replicas` at first.
    min_isr, "min-isr", 1;
    /// Flag: `unclean.leader.election.enable`.
    unclean, "unclean", 0;
    /// Registrations of new processes.
    registrations, "registrations", 0;
    /// Sessions that expire.
    fences, "fences", 0;
    /// Heartbeats that change anything.
    beats, "beats", 0;
    /// Proposed ISRs.
    proposals, "proposals", 0;
    /// Elections that someone asks for.
    elections, "elections", 0;
    /// Topics created or deleted.
    topics, "topics", 0;
    /// Changes of `min.insync.replicas`.
    configs, "configs", 0;
    /// Brokers that are unregistered.
    departures, "departures", 0;
    /// Losses of what was not committed.
    reverts, "reverts", 0;
    /// Flag: records are committed some time after they are appended, and not at once.
    late_commits, "late-commits", 0;
}

impl Bounds {
    fn validated(self) -> Result<Self, String> {
        sensible(self.brokers, self.min_isr).map(|()| self)
    }
}
