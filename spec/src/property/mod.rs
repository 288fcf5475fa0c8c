//! What must hold of a cluster, one property a file.
//!
//! A [`Property`] is a statement about a [`View`], with the conditions under which Kafka promises it. Each names the
//! exhibit that shows that it can fail.

mod acknowledged_survives;
mod answers_committed;
mod broker_epochs;
mod candidate_completeness;
pub mod cleaning;
mod committed_cut;
mod consistent_read;
pub mod consumer_group;
mod controller_epochs;
mod election_acceptable;
pub mod group;
mod high_watermark_monotone;
mod isr_fenced;
mod isr_shape;
mod leader_acknowledged_survives;
mod leader_completeness;
mod leader_in_isr;
mod log_matching;
mod metadata_prefix;
mod one_leader;
mod producer_state;
pub mod producing;
mod quorum_superset;
pub mod reading;
mod replica_state;
mod retry_recognised;
mod written_once;

use crate::view::View;

pub use acknowledged_survives::ACKNOWLEDGED_SURVIVES;
pub use answers_committed::ANSWERS_COMMITTED;
pub use broker_epochs::BROKER_EPOCHS;
pub use candidate_completeness::CANDIDATE_COMPLETENESS;
pub use committed_cut::COMMITTED_CUT;
pub use consistent_read::CONSISTENT_READ;
pub use controller_epochs::CONTROLLER_EPOCHS;
pub use election_acceptable::ELECTION_ACCEPTABLE;
pub use high_watermark_monotone::HIGH_WATERMARK_MONOTONE;
pub use isr_fenced::ISR_FENCED;
pub use isr_shape::ISR_SHAPE;
pub use leader_acknowledged_survives::LEADER_ACKNOWLEDGED_SURVIVES;
pub use leader_completeness::LEADER_COMPLETENESS;
pub use leader_in_isr::LEADER_IN_ISR;
pub use log_matching::LOG_MATCHING;
pub use metadata_prefix::METADATA_PREFIX;
pub use one_leader::ONE_LEADER;
pub use producer_state::PRODUCER_STATE;
pub use quorum_superset::QUORUM_SUPERSET;
pub use replica_state::REPLICA_STATE;
pub use retry_recognised::RETRY_RECOGNISED;
pub use written_once::WRITTEN_ONCE;

/// Something that must hold in every state of a cluster.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name, as reports and scenarios have it.
    pub name: &'static str,
    /// Its number in the list of invariants, for whoever compares with other specifications.
    pub number: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// Under which conditions Kafka promises it; all must be met.
    pub guards: &'static [Guard],
    /// Whether it holds; if not, what is wrong.
    pub check: fn(&View<'_>) -> Result<(), String>,
}

/// A condition under which a property is promised.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// Its name.
    pub name: &'static str,
    /// Whether it is met.
    pub is_met: fn(&View<'_>) -> bool,
}

/// No leader has been elected that was neither in sync nor eligible, the last known leader included.
pub const CLEAN_ELECTIONS: Guard =
    Guard { name: "clean-elections", is_met: |view| view.history.unclean_elections == 0 };

/// Fewer brokers have lost written records than `min.insync.replicas`.
pub const FEW_LOSSY_CRASHES: Guard = Guard {
    name: "few-lossy-crashes",
    is_met: |view| usize::from(view.history.lossy_crashes) < view.min_insync_replicas(),
};

/// No condition at all.
const ALWAYS: Guard = Guard { name: "always", is_met: |_| true };

/// What committed records rest on.
const DURABLE: &[Guard] = &[CLEAN_ELECTIONS, FEW_LOSSY_CRASHES];

/// What a property says of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// Nothing is promised in this state.
    Unguarded,
    /// It does not hold, and this is why.
    Violated(String),
}

impl Property {
    /// Judges one state.
    #[must_use]
    pub fn judge(&self, view: &View<'_>) -> Verdict {
        if !self.guards.iter().all(|guard| (guard.is_met)(view)) {
            return Verdict::Unguarded;
        }
        match (self.check)(view) {
            Ok(()) => Verdict::Holds,
            Err(reason) => Verdict::Violated(reason),
        }
    }

    /// The same statement, promised always: for showing what happens where Kafka promises nothing.
    #[must_use]
    pub const fn unconditional(self) -> Self {
        if self.guards.is_empty() { self } else { Self { guards: &[ALWAYS], ..self } }
    }

    /// Whether it is promised always though Kafka does not: see [`Property::unconditional`].
    #[must_use]
    pub fn is_unconditional(&self) -> bool {
        self.guards.iter().any(|guard| guard.name == ALWAYS.name)
    }
}

/// Every property that must hold.
pub const ALL: &[Property] = &[
    REPLICA_STATE,
    LOG_MATCHING,
    QUORUM_SUPERSET,
    CANDIDATE_COMPLETENESS,
    LEADER_COMPLETENESS,
    COMMITTED_CUT,
    CONSISTENT_READ,
    ACKNOWLEDGED_SURVIVES,
    ONE_LEADER,
    HIGH_WATERMARK_MONOTONE,
    ISR_SHAPE,
    LEADER_IN_ISR,
    ISR_FENCED,
    ELECTION_ACCEPTABLE,
    CONTROLLER_EPOCHS,
    BROKER_EPOCHS,
    METADATA_PREFIX,
];

/// Every property that there is, those that need not hold included.
pub fn every() -> Vec<Property> {
    let mut every: Vec<Property> = ALL.to_vec();
    every.extend([ANSWERS_COMMITTED, LEADER_ACKNOWLEDGED_SURVIVES]);
    every.extend(OF_PRODUCERS);
    every
}

/// The properties that speak of the controller alone.
pub const OF_THE_CONTROLLER: &[Property] =
    &[ISR_SHAPE, LEADER_IN_ISR, ISR_FENCED, ELECTION_ACCEPTABLE, CONTROLLER_EPOCHS, BROKER_EPOCHS, ANSWERS_COMMITTED];

/// The properties that speak of producers with ids.
pub const OF_PRODUCERS: &[Property] = &[PRODUCER_STATE, WRITTEN_ONCE, RETRY_RECOGNISED];

/// Fails with a reason unless a condition holds.
fn ensure(condition: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(reason()) }
}
