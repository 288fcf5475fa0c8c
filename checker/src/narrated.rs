//! A world whose events and states people can read and write, so that a run of it can be a scenario.

use crate::engine::Explorable;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};

/// An [`Explorable`] that can be told as a story.
pub trait Narrated: Explorable {
    /// The word for this kind of world in a scenario's header.
    const KIND: &'static str;

    /// How decisions are taken.
    fn rules(&self) -> Rules;

    /// How much may happen, by name.
    fn bounds(&self) -> Vec<(String, u64)>;

    /// The state after an event, with what was carried out.
    ///
    /// # Errors
    /// Says why the event can't happen.
    fn narrate(&self, state: &Self::State, event: &Self::Event) -> Result<(Self::State, Vec<String>), &'static str>;

    /// The lines that describe a state.
    fn lines(&self, state: &Self::State) -> Vec<String>;

    /// Why a property does not hold in a state, if it doesn't.
    fn reason(&self, state: &Self::State, property: &str) -> Option<String>;

    /// Reads an event, from a line that has it as its `Display` writes it.
    ///
    /// # Errors
    /// Says where it goes wrong, and what was expected.
    fn read_event(line: &Numbered<'_>) -> Result<Self::Event, ParseError>;
}
