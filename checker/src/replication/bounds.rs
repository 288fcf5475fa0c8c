//! How much may happen in a replication world.

use crate::bounds::{bounds, sensible};
use std::fmt;

bounds! {
    always ["brokers"];
    /// The brokers, all of which have a copy of the one partition.
    brokers, "brokers", 2;
    /// `min.insync.replicas`.
    min_isr, "min-isr", 1;
    /// The records that clients produce.
    records, "records", 1;
    /// Flag: the producer has an id, and numbers its records.
    idempotent, "idempotent", 0;
    /// Records that are sent again: an answer was lost, or came too late.
    retries, "retries", 0;
    /// What producers ask for: 0 is acks=all, 1 is acks=1, 2 is either.
    acks, "acks", 0;
    /// Processes killed.
    kills, "kills", 0;
    /// Machines that lose power.
    power_losses, "power-losses", 0;
    /// Disks replaced by empty ones.
    disk_losses, "disk-losses", 0;
    /// Writes that fail.
    disk_failures, "disk-failures", 0;
    /// Brokers fenced though they run.
    fences, "fences", 0;
    /// Clean shutdowns.
    stops, "stops", 0;
    /// Lag timers that fire.
    lags, "lags", 0;
    /// Preferred leader elections.
    elections, "elections", 0;
    /// Fetches that arrive after their connection broke.
    delays, "delays", 0;
    /// Views that are published late.
    late_views, "late-views", 0;
    /// Producers that stop waiting.
    timeouts, "timeouts", 0;
    /// The high watermark on disk: 1 if it may be any that the replica ever had, 0 if it is the latest.
    checkpoints, "checkpoints", 0;
    /// Flag: `unclean.leader.election.enable`.
    unclean, "unclean", 0;
    /// Flag: a fetch, its handling and its answer are one step.
    atomic_fetches, "atomic-fetches", 0;
    /// Flag: a proposed ISR, its handling and its answer are one step.
    atomic_proposals, "atomic-proposals", 0;
    /// Flag: a kill may come between two writes of one step.
    interrupts, "interrupts", 0;
    /// Flag: the controller elects any of those that may lead, and states that differ only in names are one.
    symmetric, "symmetric", 0;
    /// Flag: variables that nothing can read any more are kept.
    raw, "raw", 0;
}

impl Bounds {
    fn validated(self) -> Result<Self, String> {
        sensible(self.brokers, self.min_isr)?;
        match self {
            Self { acks: 3.., .. } => Err("acks is 0 for acks=all, 1 for acks=1, or 2 for either".into()),
            Self { retries: 1.., idempotent: 0, .. } => {
                Err("records sent again are told apart from new ones by their numbers: retries go with idempotent=1"
                    .into())
            }
            Self { checkpoints: 2.., .. } => Err("checkpoints is 0 or 1".into()),
            Self { symmetric: 1, brokers: 4.., .. } => Err("symmetric=1 is for at most 3 brokers".into()),
            Self { symmetric: 1, elections: 1.., .. } => {
                Err("a preferred leader is told apart by its name: elections go with symmetric=0 only".into())
            }
            _ => Ok(self),
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self.named().iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&named.join(" "))
    }
}
