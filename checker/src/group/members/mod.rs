//! Consumers of one group of the consumer protocol, its coordinator, and what may go wrong between them.
//!
//! The coordinator is the machine of the specification, over an abstract log. The consumers are as small as can be: each
//! sends a heartbeat, does what the answer says, gives up before it takes, and forgets everything when it is refused.
//! Where there are records they process them in turn and commit how far they are (`reading`).

mod bounds;
mod event;
mod fair;
mod reading;
mod state;
mod step;
mod words;

pub use bounds::Bounds;
pub use event::Event;
pub use fair::FairMembers;
pub use state::{Answer, Commit, Life, Node, Position, State, Waiting};

use super::arrival::crowd;
use super::{Coordinated, Model, Turn};
use crate::engine::{Explorable, Verdict};
use crate::narrated::Narrated;
use crate::shared::{Shared, digest};
use highwater_spec::group::{
    Config, Coordinator, GroupId, Input, KnownTopic, KnownTopics, ReplicatedCoordinator, Share, Timer, TopicName,
};
use highwater_spec::machine::Machine;
use highwater_spec::property::consumer_group::{
    ConsumerHistory, ConsumerProperty, ConsumerView, OF_CONSUMERS, RECORDS_ONCE,
};
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};
use highwater_spec::values::{Offset, TopicId, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use step::Step;

/// A group to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<ConsumerProperty>,
    names: Vec<&'static str>,
    /// Whether a property asks what was processed twice.
    counts_repeats: bool,
}

/// The topic that they read.
pub const TOPIC: TopicId = TopicId([1; 16]);

impl World {
    /// A group of which every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        Self::judged_by(rules, bounds, OF_CONSUMERS)
    }

    /// A group judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[ConsumerProperty]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        let counts_repeats = properties.iter().any(|property| property.name == RECORDS_ONCE.name);
        Self { rules, bounds, properties: properties.to_vec(), names, counts_repeats }
    }

    fn topic() -> TopicName {
        "t".into()
    }

    fn topics(partitions: u8) -> Arc<KnownTopics> {
        let topic = KnownTopic { id: TOPIC, partitions: partitions.into() };
        Arc::new([(Self::topic(), topic)].into())
    }

    fn group() -> GroupId {
        "g".into()
    }

    /// What a new coordinator hears.
    fn elected(partitions: u8) -> [Input<Model>; 4] {
        let topics = || Input::TopicsChanged { topics: Self::topics(partitions) };
        [topics(), Input::Elected, topics(), Input::Loaded { at: () }]
    }

    fn perform(&self, state: &State, event: Event, trace: &mut Vec<String>) -> Result<State, &'static str> {
        self.carry_out(state, event, Step::new(self, state, trace))
    }

    fn carry_out(&self, state: &State, event: Event, mut step: Step<'_>) -> Result<State, &'static str> {
        step.spend(event)?;
        step.happens(event)?;
        let after = step.finish();
        let is_news = State { budget: state.budget, ..after.clone() } != *state;
        if is_news { Ok(after) } else { Err("nothing would come of it") }
    }

    fn view<'a>(&self, state: &'a State) -> ConsumerView<'a> {
        let lives: Vec<&'a Life> = state.nodes.iter().filter_map(|node| node.life.as_ref()).collect();
        let fallen = lives.iter().find_map(|life| Some((&life.id, life.fallen?, life.epoch.unwrap_or_default())));
        ConsumerView {
            group: state.coordinator.speculative().consumer_group(&Self::group()),
            // A partition that came later is nobody's until someone asks.
            partitions: (0..self.bounds.partitions).map(partition).collect::<Share>(),
            believers: lives.iter().map(|life| (&life.id, &life.owned)).collect(),
            fallen,
            committed: state.committed(),
            history: Some(&state.history),
        }
    }
}

fn partition(index: u8) -> TopicPartition {
    TopicPartition { topic: TOPIC, index: index.into() }
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        let mut machine = Replicated::new(Coordinator::<Model>::new(Config::default()), Offset(0));
        for input in Self::elected(self.bounds.partitions) {
            machine.step(&self.rules, replicated::Input::Heard(input), &mut Vec::new());
        }
        State {
            coordinator: Shared::new(machine),
            timers: BTreeSet::new(),
            waiting: BTreeMap::new(),
            nodes: (0..self.bounds.members).map(|_| Shared::new(Node::default())).collect(),
            arrived: 0,
            partitions: self.bounds.partitions,
            history: Shared::new(ConsumerHistory::default()),
            budget: self.bounds,
        }
    }

    fn candidates(&self, state: &State, out: &mut Vec<Event>) {
        let ids = state.nodes.iter().map(|node| node.ids).max().unwrap_or(0).max(state.arrived);
        event::candidates(&self.bounds, ids, out);
    }

    fn apply(&self, state: &State, event: &Event) -> Option<State> {
        self.perform(state, *event, &mut Vec::new()).ok()
    }

    fn fingerprint(&self, state: &State) -> u64 {
        let State { coordinator, timers, waiting, nodes, arrived, partitions, history, budget } = state;
        let consumers = match budget.is_symmetric() {
            true => crowd(nodes, waiting, |waiting| (waiting.node, &waiting.commit)),
            false => digest(&(nodes.iter().map(Shared::digest).collect::<Vec<_>>(), waiting)),
        };
        digest(&(coordinator.digest(), timers, (consumers, arrived), partitions, history.digest(), budget))
    }

    fn properties(&self) -> &[&'static str] {
        &self.names
    }

    fn judge(&self, state: &State, verdicts: &mut Vec<Verdict>) {
        let view = self.view(state);
        verdicts.extend(self.properties.iter().map(|property| match (property.check)(&view) {
            Ok(()) => Verdict::Holds,
            Err(_) => Verdict::Violated,
        }));
    }

    fn describe(&self, state: &State) -> String {
        self.lines(state).join("\n")
    }
}

impl Narrated for World {
    const KIND: &'static str = "consumers";

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
        words::lines(state, &Self::group())
    }

    fn reason(&self, state: &State, property: &str) -> Option<String> {
        let property = self.properties.iter().find(|known| known.name == property)?;
        (property.check)(&self.view(state)).err()
    }

    fn read_event(line: &Numbered<'_>) -> Result<Event, ParseError> {
        event::read(line)
    }
}

impl Coordinated for World {
    fn turns(&self, state: &State, event: &Event) -> Result<(State, Vec<Turn>), &'static str> {
        let (mut turns, mut trace) = (Vec::new(), Vec::new());
        let step = Step::new(self, state, &mut trace).watched(&mut turns);
        let after = self.carry_out(state, *event, step)?;
        Ok((after, turns))
    }

    fn coordinator(state: &State) -> &ReplicatedCoordinator<Model> {
        &state.coordinator
    }

    fn timers(state: &State) -> &BTreeSet<Timer> {
        &state.timers
    }

    fn partitions(&self) -> u8 {
        self.bounds.partitions
    }

    fn moves(event: &Event) -> bool {
        *event == Event::Moves
    }
}
