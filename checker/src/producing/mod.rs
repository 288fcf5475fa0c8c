//! A producer and one partition's leader, with connections that break, leaders that change and patience that ends.
//!
//! The producer is the machine of the specification, and so is what the leader makes of numbers. The leader's log is
//! abstract: what is committed stays, and whoever leads next has it and perhaps more. Each record is a batch. How
//! replicas copy a log is another world's concern (`replication`).

mod bounds;
mod event;
mod state;
mod step;
mod words;

pub use bounds::Bounds;
pub use event::Event;
pub use state::{Answer, Leader, State, Taken};

use crate::engine::{Explorable, Verdict};
use crate::narrated::Narrated;
use crate::shared::digest;
use highwater_spec::client::producer::{Config, Producer};
use highwater_spec::group::NamedPartition;
use highwater_spec::property::producing::{OF_PRODUCING, ProducingProperty, ProducingView};
use highwater_spec::replica::Acks;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use step::Step;

/// A producer to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<ProducingProperty>,
    names: Vec<&'static str>,
}

impl World {
    /// A producer of which every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        Self::judged_by(rules, bounds, OF_PRODUCING)
    }

    /// A producer judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[ProducingProperty]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        Self { rules, bounds, properties: properties.to_vec(), names }
    }

    fn partition() -> NamedPartition {
        NamedPartition { topic: "t".into(), index: 0 }
    }

    fn config(&self) -> Config {
        let acks = if self.bounds.leader_acks == 1 { Acks::Leader } else { Acks::All };
        let (idempotent, max_in_flight) = (self.bounds.idempotent == 1, usize::from(self.bounds.in_flight));
        Config { acks, idempotent, max_in_flight, batch_bytes: 1, retries: self.bounds.retries.into() }
    }

    fn perform(&self, state: &State, event: Event, trace: &mut Vec<String>) -> Result<State, &'static str> {
        let mut step = Step { world: self, state: state.clone(), trace };
        step.spend(event)?;
        step.happens(event)?;
        Ok(step.state)
    }

    fn reason_for(&self, state: &State, property: &ProducingProperty) -> Option<String> {
        let log = state.leader.log.iter().map(|(record, _)| *record).collect();
        (property.check)(&ProducingView { log, told: &state.told }).err()
    }
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        State {
            producer: Producer::new(self.config()),
            timers: BTreeSet::new(),
            asked: VecDeque::new(),
            late: Vec::new(),
            taken: VecDeque::new(),
            leader: Leader::default(),
            given: 0,
            told: BTreeMap::new(),
            budget: self.bounds,
        }
    }

    fn candidates(&self, _state: &State, out: &mut Vec<Event>) {
        event::candidates(&self.bounds, out);
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
    const KIND: &'static str = "producing";

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
