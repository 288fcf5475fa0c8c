//! The engine: explores every state that an [`Explorable`] can reach, and judges its properties in each.
//!
//! Breadth first and level by level, so a counterexample is as short as any, and every number and every
//! counterexample is the same with any number of workers. It knows nothing of Kafka, of terminals or of
//! files; what a state is belongs to the worlds. [`stateright`] runs the same model on a second,
//! independent engine, which must agree.

mod level;
mod limits;
mod report;
mod search;
pub mod stateright;
mod tally;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toys;
mod visited;

use std::fmt::{Debug, Display};

pub use limits::{Limit, LimitUnknown};
pub use report::{Progress, PropertyReport, Report};
pub use search::{Search, StopOn};

/// What an engine explores: one initial state, and events that lead from state to state.
///
/// Every method is a function of its arguments: asked twice, it answers the same.
pub trait Explorable: Send + Sync + 'static {
    /// A state of the model.
    type State: Clone + Send + Sync + Debug + 'static;
    /// What leads from one state to the next; its `Display` is what people read.
    type Event: Clone + Send + Sync + PartialEq + Display + Debug + 'static;

    /// The state in which everything starts.
    fn initial(&self) -> Self::State;

    /// Adds to `out` the events worth trying in `state`; [`apply`](Self::apply) has the last word.
    fn candidates(&self, state: &Self::State, out: &mut Vec<Self::Event>);

    /// The state after `event`, or `None` where it isn't possible. It may equal the old state.
    fn apply(&self, state: &Self::State, event: &Self::Event) -> Option<Self::State>;

    /// A fingerprint of the state's canonical form: equal for states that symmetry makes equal.
    ///
    /// All 64 bits must be well mixed: they are used as a hash as they are.
    fn fingerprint(&self, state: &Self::State) -> u64;

    /// The names of the properties, in the order in which [`judge`](Self::judge) answers.
    fn properties(&self) -> &[&'static str];

    /// Adds to `verdicts` one verdict per property, in order.
    fn judge(&self, state: &Self::State, verdicts: &mut Vec<Verdict>);

    /// The state as people read it, in any number of lines.
    fn describe(&self, state: &Self::State) -> String;
}

/// What a property says about one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The property holds here.
    Holds,
    /// The property's guard isn't met here: nothing is claimed.
    Unguarded,
    /// The property claims something here that isn't so.
    Violated,
}
