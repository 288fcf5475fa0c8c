//! A partition whose leaders change and whose log is cut, and a consumer that reads it on.
//!
//! The consumer is the machine of the specification, and so is what leaders answer it. Their logs are abstract: whoever
//! leads next has a part of the last leader's log, or of an earlier one's, and all that a leader has can be read. That is
//! what unclean elections come to; how replicas copy a log is another world's concern (`replication`). The consumer is
//! alone in its group, whose coordinator answers at once.

mod bounds;
mod event;
mod state;
mod step;
mod words;

pub use bounds::Bounds;
pub use event::Event;
pub use state::{Asked, Question, State};

use crate::engine::{Explorable, Verdict};
use crate::narrated::Narrated;
use crate::shared::digest;
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, Consumer, End};
use highwater_spec::group::NamedPartition;
use highwater_spec::property::reading::{OF_READING, ReadingProperty, ReadingView};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};
use step::Step;

/// A log that is read, to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<ReadingProperty>,
    names: Vec<&'static str>,
}

impl World {
    /// A reader of whom every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        Self::judged_by(rules, bounds, OF_READING)
    }

    /// A reader judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[ReadingProperty]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        Self { rules, bounds, properties: properties.to_vec(), names }
    }

    fn partition() -> NamedPartition {
        NamedPartition { topic: "t".into(), index: 0 }
    }

    fn consumer(&self) -> Consumer {
        let (topics, assignors) = ([Self::partition().topic].into(), vec![Assignor::Range]);
        Consumer::new(Config { instance: None, topics, assignors, reset: Some(End::Earliest), auto_commit: false })
    }

    fn perform(&self, state: &State, event: Event, trace: &mut Vec<String>) -> Result<State, &'static str> {
        let mut step = Step { world: self, state: state.clone(), trace };
        step.spend(event)?;
        step.happens(event)?;
        if step.state == *state { Err("nothing would come of it") } else { Ok(step.state) }
    }

    fn reason_for(&self, state: &State, property: &ReadingProperty) -> Option<String> {
        let (logs, read, consumer) = (&state.logs[..], &state.read[..], &state.consumer);
        let known = consumer.leader_epoch(&Self::partition());
        let is_current = known == Some(state.epoch()) && consumer.positions().next().is_some();
        (property.check)(&ReadingView { logs, read, is_current }).err()
    }
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        let state = State {
            logs: vec![Vec::new()],
            written: 0,
            consumer: self.consumer(),
            heard: None,
            questions: Vec::new(),
            read: Vec::new(),
            committed: None,
            kept: Vec::new(),
            budget: self.bounds,
        };
        let mut step = Step { world: self, state, trace: &mut Vec::new() };
        step.joins();
        step.state
    }

    fn candidates(&self, state: &State, out: &mut Vec<Event>) {
        event::candidates(&self.bounds, state.logs.len() as u8, state.questions.len() as u8, out);
    }

    fn apply(&self, state: &State, event: &Event) -> Option<State> {
        self.perform(state, *event, &mut Vec::new()).ok()
    }

    fn fingerprint(&self, state: &State) -> u64 {
        digest(state)
    }

    fn properties(&self) -> &[&'static str] {
        &self.names
    }

    fn judge(&self, state: &State, verdicts: &mut Vec<Verdict>) {
        verdicts.extend(self.properties.iter().map(|property| match self.reason_for(state, property) {
            None => Verdict::Holds,
            Some(_) => Verdict::Violated,
        }));
    }

    fn describe(&self, state: &State) -> String {
        self.lines(state).join("\n")
    }
}

impl Narrated for World {
    const KIND: &'static str = "reading";

    fn rules(&self) -> Rules {
        self.rules
    }

    fn bounds(&self) -> Vec<(String, u64)> {
        self.bounds.named()
    }

    fn narrate(&self, state: &State, event: &Event) -> Result<(State, Vec<String>), &'static str> {
        let mut trace = Vec::new();
        let after = self.perform(state, *event, &mut trace)?;
        Ok((after, trace))
    }

    fn lines(&self, state: &State) -> Vec<String> {
        words::lines(state)
    }

    fn reason(&self, state: &State, property: &str) -> Option<String> {
        let property = self.properties.iter().find(|known| known.name == property)?;
        self.reason_for(state, property)
    }

    fn read_event(line: &Numbered<'_>) -> Result<Event, ParseError> {
        event::read(line)
    }
}
