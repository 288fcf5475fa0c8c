//! What an event brought about at a group's coordinator, for whoever wants to see the same happen elsewhere.

use super::Model;
use crate::narrated::Narrated;
use highwater_spec::group::{self, FetchedOffsets, NamedPartition, Reader, ReplicatedCoordinator, Timer};
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated;
use std::collections::BTreeSet;

/// What a coordinator says, to its log or to others.
pub type Said = replicated::Output<group::Record<Model>, group::Output<Model>>;

/// One step of the coordinator, or something that a consumer did without it.
#[derive(Clone, Debug)]
pub enum Turn {
    /// The coordinator heard something.
    Coordinator {
        /// The consumer that waits for an answer to it, numbered from 1.
        by: Option<u8>,
        /// What it heard.
        input: replicated::Input<group::Input<Model>>,
        /// What it said.
        outputs: Vec<Said>,
    },
    /// A consumer's connection has ended, with all that was under way on it.
    CutOff(u8),
    /// A consumer has looked up offsets.
    LookedUp {
        /// The consumer, numbered from 1.
        by: u8,
        /// As whom.
        reader: Reader,
        /// Of which partitions.
        partitions: Vec<NamedPartition>,
        /// What it found.
        found: Result<FetchedOffsets<Model>, Refusal>,
    },
}

/// A world with one group, whose coordinator can be watched.
pub trait Coordinated: Narrated {
    /// Lets an event happen. What it brought about comes with the state after it, in order.
    ///
    /// # Errors
    /// Says why it can't happen.
    fn turns(&self, state: &Self::State, event: &Self::Event) -> Result<(Self::State, Vec<Turn>), &'static str>;

    /// The coordinator.
    fn coordinator(state: &Self::State) -> &ReplicatedCoordinator<Model>;

    /// The timers that it has set.
    fn timers(state: &Self::State) -> &BTreeSet<Timer>;

    /// How many partitions the topic has that the group reads.
    fn partitions(&self) -> u8;

    /// Whether the coordinator moves in an event.
    fn moves(event: &Self::Event) -> bool;
}
