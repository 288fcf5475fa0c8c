//! Consumers of one group, its coordinator, and what may go wrong between them.
//!
//! The coordinator and the consumers are the machines of the specification; the log under the coordinator is abstract:
//! what is written is committed, at once or later, or lost when the coordinator moves. One topic; each application
//! counts what it was delivered as processed when it asks for more.

mod answers;
mod arrival;
mod bounds;
mod event;
mod fair;
mod leadership;
pub mod members;
mod requests;
mod state;
mod step;
mod turn;
mod words;

pub use bounds::Bounds;
pub use event::Event;
pub use fair::{BEAT, Fair, SESSION};
pub use members::TOPIC;
pub use state::{Blob, Commit, Leadership, Model, Node, State, Waiting};
pub use turn::{Coordinated, Said, Turn};

use crate::engine::{Explorable, Verdict};
use crate::narrated::Narrated;
use crate::shared::{Shared, digest};
use arrival::crowd;
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, End};
use highwater_spec::group::{
    self, Coordinator, GroupId, InstanceId, NamedPartition, ReplicatedCoordinator, Role, Tenure, TopicName,
};
use highwater_spec::machine::Machine;
use highwater_spec::property::group::{GroupHistory, GroupProperty, GroupView, OF_A_GROUP, SOMEONE_READS};
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::collections::{BTreeMap, BTreeSet};
use step::Step;

/// A group to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<GroupProperty>,
    names: Vec<&'static str>,
    /// Whether a property asks how many have read at once.
    counts_readers: bool,
}

impl World {
    /// A group of which every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        Self::judged_by(rules, bounds, OF_A_GROUP)
    }

    /// A group judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[GroupProperty]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        let counts_readers = properties.iter().any(|property| property.name == SOMEONE_READS.name);
        Self { rules, bounds, properties: properties.to_vec(), names, counts_readers }
    }

    fn topic() -> TopicName {
        "t".into()
    }

    fn group() -> GroupId {
        "g".into()
    }

    fn partition(index: u8) -> NamedPartition {
        NamedPartition { topic: Self::topic(), index: i32::from(index) }
    }

    fn config(&self, member: u8) -> Config {
        let instance = match (self.bounds.same_instance, self.bounds.fixed) {
            (1, _) => Some("i".into()),
            (_, 1) => Some(InstanceId::from(format!("i{member}").as_str())),
            _ => None,
        };
        let assignors = match self.bounds.cooperative {
            0 => vec![Assignor::Range],
            _ => vec![Assignor::CooperativeSticky],
        };
        let topics = BTreeSet::from([Self::topic()]);
        Config { instance, topics, assignors, reset: Some(End::Earliest), auto_commit: self.bounds.uncommitted == 0 }
    }

    fn perform(&self, state: &State, event: Event, trace: &mut Vec<String>) -> Result<State, &'static str> {
        self.carry_out(state, event, Step::new(self, state, trace))
    }

    fn carry_out(&self, state: &State, event: Event, mut step: Step<'_>) -> Result<State, &'static str> {
        step.spend(event)?;
        step.happens(event)?;
        step.count_readers();
        let after = step.finish();
        let is_news = after.coordinator != state.coordinator
            || after.nodes != state.nodes
            || after.history != state.history
            || after.timers != state.timers
            || after.heard != state.heard
            || after.waiting != state.waiting;
        if is_news { Ok(after) } else { Err("nothing would come of it") }
    }

    fn reason_for(&self, state: &State, property: &GroupProperty) -> Option<String> {
        (property.check)(&self.view(state)).err()
    }

    fn view<'a>(&self, state: &'a State) -> GroupView<'a> {
        let id = Self::group();
        let mut view = GroupView { history: Some(&state.history), ..GroupView::default() };
        let coordinator = state.coordinator.speculative();
        view.leads = !state.is_deposed();
        view.coordinates = coordinator.role() == Role::Active;
        if let Some(found) = coordinator.groups().get(&id) {
            view.generation = found.generation;
            let share = |member: &group::ClassicMember<Model>| match (&member.assignment, found.state) {
                (Some(Blob::Share(share)), group::State::Stable) => share.clone(),
                _ => BTreeSet::new(),
            };
            view.members = found.members.iter().map(|(id, member)| (id, share(member))).collect();
        }
        for consumer in state.nodes.iter().filter_map(|node| node.consumer.as_ref()) {
            if let (Some(member), Some(generation)) = (consumer.member(), consumer.generation()) {
                view.believers.push((member, generation, consumer.owned().collect()));
            }
        }
        if let Some(stored) = state.coordinator.committed().stored().get(&id) {
            view.written = stored.metadata.as_ref().map(|metadata| metadata.generation);
            view.committed = stored.offsets.iter().map(|(partition, at)| (partition, at.offset)).collect();
        }
        view
    }
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        let mut machine = Replicated::new(Coordinator::<Model>::new(group::Config::default()), Offset(0));
        let elected = [group::Input::Elected, group::Input::Loaded { at: () }];
        elected.into_iter().for_each(|input| {
            machine.step(&self.rules, replicated::Input::Heard(input), &mut Vec::new());
        });
        let mut tenure = Tenure::default();
        tenure.hears(&self.rules, LeaderEpoch(0));
        State {
            coordinator: Shared::new(machine),
            tenure,
            heard: BTreeSet::new(),
            timers: BTreeSet::new(),
            waiting: BTreeMap::new(),
            nodes: (0..self.bounds.members).map(|_| Shared::new(Node::default())).collect(),
            arrived: 0,
            history: Shared::new(GroupHistory { begun: tenure.epoch(), ..GroupHistory::default() }),
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
        let consumers = match state.budget.is_symmetric() {
            true => crowd(&state.nodes, &state.waiting, |waiting| (waiting.node, &waiting.commits)),
            false => digest(&(state.nodes.iter().map(Shared::digest).collect::<Vec<_>>(), &state.waiting)),
        };
        digest(&(
            state.coordinator.digest(),
            (state.tenure, &state.heard),
            &state.timers,
            (consumers, state.arrived),
            state.history.digest(),
            state.budget,
        ))
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
    const KIND: &'static str = "group";

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
        self.reason_for(state, property)
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

    fn timers(state: &State) -> &BTreeSet<group::Timer> {
        &state.timers
    }

    fn partitions(&self) -> u8 {
        self.bounds.partitions
    }

    fn moves(event: &Event) -> bool {
        *event == Event::Moves
    }
}
