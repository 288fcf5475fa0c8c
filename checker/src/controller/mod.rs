//! The controller alone, over a log that may lose its uncommitted tail: whatever brokers and operators may ask of it,
//! in any order.
//!
//! Here nothing keeps brokers honest: they may propose any ISR from any epoch, at any time. What replicas do with the
//! answers is explored in [`crate::replication`].

mod bounds;
mod event;

pub use bounds::Bounds;
pub use event::Event;

use crate::engine::{Explorable, Verdict};
use crate::history::note_records;
use crate::narrated::Narrated;
use crate::shared::{Shared, digest};
use highwater_spec::controller::{
    Config, Controller, CreateTopic, Election, Heartbeat, Image, Input, IsrChange, Output, Record, Register,
    Registration, ReplicatedController,
};
use highwater_spec::machine::Machine;
use highwater_spec::property::{self, Property};
use highwater_spec::replica::IsrProposal;
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};
use highwater_spec::values::{
    BrokerEpoch, BrokerId, Brokers, IncarnationId, Offset, PartitionEpoch, Ticket, TopicId, TopicPartition,
};
use highwater_spec::view::{History, View};
use std::sync::Arc;

/// The partition that is watched.
const PARTITION: TopicPartition = TopicPartition { topic: TopicId([1; 16]), index: 0 };

/// A controller to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<Property>,
    names: Vec<&'static str>,
}

/// The controller, its log, and what its answers were worth.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    machine: Shared<ReplicatedController>,
    /// Who waits for an answer, and the end of the records that it rests on.
    waiting: Vec<(Ticket, Offset)>,
    history: Shared<History>,
    budget: Bounds,
}

impl World {
    /// A controller of which every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        Self::judged_by(rules, bounds, property::OF_THE_CONTROLLER)
    }

    /// A controller judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[Property]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        Self { rules, bounds, properties: properties.to_vec(), names }
    }

    /// Every broker is registered and active; the topic exists.
    fn first_image(&self) -> (Image, Offset) {
        let mut image = Image::default();
        let brokers: Vec<_> = (1..=i32::from(self.bounds.brokers)).map(BrokerId).collect();
        let registered = brokers.iter().zip(0..).map(|(broker, offset)| Record::BrokerRegistered {
            broker: *broker,
            registration: Registration {
                incarnation: IncarnationId([0; 16]),
                epoch: BrokerEpoch(offset),
                fenced: false,
                in_controlled_shutdown: false,
            },
        });
        let records: Vec<_> = registered.collect();
        records.iter().for_each(|record| image.apply(record));
        let offset = Offset(records.len() as i64);
        (image, offset)
    }

    fn topic(&self) -> CreateTopic {
        CreateTopic {
            id: PARTITION.topic,
            name: "t".into(),
            partitions: 1,
            replication_factor: i16::from(self.bounds.brokers),
            first: 0,
            assignment: Vec::new(),
            config: Config {
                min_insync_replicas: Some(u32::from(self.bounds.min_isr)),
                unclean_leader_election: Some(self.bounds.unclean == 1),
                ..Config::default()
            },
            validate_only: false,
        }
    }

    fn perform(&self, state: &State, event: &Event, trace: &mut Vec<String>) -> Result<State, &'static str> {
        let mut after = state.clone();
        event::spend(&mut after.budget, event)?;
        let input = match event {
            Event::Commits => {
                let machine = &state.machine;
                (machine.end() > machine.committed_end()).then_some(()).ok_or("everything is committed")?;
                replicated::Input::Committed { upto: machine.end() }
            }
            Event::Reverts => {
                let machine = &state.machine;
                (machine.end() > machine.committed_end()).then_some(()).ok_or("everything is committed")?;
                replicated::Input::Reverted
            }
            _ => replicated::Input::Heard(self.input(state, event)?),
        };
        self.step(&mut after, input, trace);
        if self.bounds.late_commits == 0 {
            let upto = after.machine.end();
            self.step(&mut after, replicated::Input::Committed { upto }, trace);
        }
        if *event == Event::Reverts {
            self.step(&mut after, replicated::Input::Heard(Input::Activated), trace);
        }
        if after.machine == state.machine && after.history == state.history {
            return Err("nothing would come of it");
        }
        Ok(after)
    }

    fn step(&self, state: &mut State, input: replicated::Input<Input>, trace: &mut Vec<String>) {
        let before = Arc::clone(state.machine.speculative().image());
        let asked = matches!(input, replicated::Input::Heard(_)).then(|| next_ticket(state));
        if input == replicated::Input::Reverted {
            state.waiting.clear();
        }
        let lossy = matches!(input, replicated::Input::Heard(Input::ElectLeader { election: Election::Unclean, .. }));
        let mut outputs = Vec::new();
        state.machine.edit().step(&self.rules, input, &mut outputs);
        let end = state.machine.end();
        state.waiting.extend(asked.map(|ticket| (ticket, end)));
        for output in outputs {
            match output {
                replicated::Output::Append { records, .. } => {
                    trace.extend(records.iter().map(crate::replication::record_in_words));
                    note_records(state.history.edit(), PARTITION, &before, &records, lossy);
                }
                replicated::Output::Do(Output::Reply { ticket, reply }) => {
                    trace.push(format!("controller answers {}", event::reply_in_words(&reply)));
                    let rests_on = state.waiting.iter().find(|(waiting, _)| *waiting == ticket).map(|(_, end)| *end);
                    if rests_on > Some(state.machine.committed_end()) {
                        state.history.edit().unfounded_answer = true;
                    }
                    state.waiting.retain(|(waiting, _)| *waiting != ticket);
                }
                replicated::Output::Do(Output::ExtendSession { .. }) => {}
            }
        }
        // What is committed is answered, or no one asked for it.
        let committed = state.machine.committed_end();
        state.waiting.retain(|(_, end)| *end > committed);
    }

    /// What the controller hears.
    fn input(&self, state: &State, event: &Event) -> Result<Input, &'static str> {
        let image = state.machine.speculative().image();
        let ticket = next_ticket(state);
        let known = |broker: BrokerId| image.brokers.get(&broker).copied().ok_or("the broker is not registered");
        Ok(match *event {
            Event::Registers { broker, clean } => {
                let known = known(broker)?;
                let flip = u8::from(known.incarnation == IncarnationId([0; 16]));
                let previous_epoch = clean.then_some(known.epoch);
                Input::Register(Register {
                    ticket,
                    broker,
                    incarnation: IncarnationId([flip; 16]),
                    previous_epoch,
                    choice: None,
                })
            }
            Event::Beats { broker, want_fence, want_shutdown } => Input::Heartbeat(Heartbeat {
                ticket,
                broker,
                epoch: known(broker)?.epoch,
                metadata_end: state.machine.end(),
                want_fence,
                want_shutdown,
                choice: None,
            }),
            Event::SessionExpires(broker) => {
                let session = state.machine.speculative().sessions().get(&broker).ok_or("it has no session")?;
                Input::SessionExpired { broker, epoch: session.epoch, choice: None }
            }
            Event::Proposes { broker, members, behind, vouched } => {
                let partition = image.partition(PARTITION).ok_or("there is no topic")?;
                let members: Brokers =
                    (1..=i32::from(self.bounds.brokers)).map(BrokerId).filter(|b| members >> b.0 & 1 == 1).collect();
                let epoch = |member: BrokerId| image.brokers.get(&member).map(|known| known.epoch).filter(|_| vouched);
                let proposal = IsrProposal {
                    leader_epoch: partition.leader_epoch,
                    partition_epoch: PartitionEpoch(partition.partition_epoch.0 - i32::from(behind)),
                    members: members.iter().map(|member| (member, epoch(member))).collect(),
                };
                let changes = vec![IsrChange { partition: PARTITION, proposal }];
                Input::AlterPartition { ticket, broker, broker_epoch: known(broker)?.epoch, changes }
            }
            Event::Elects(election) => Input::ElectLeader { ticket, partition: PARTITION, election, choice: None },
            Event::Creates => Input::CreateTopic { ticket, topic: self.topic() },
            Event::Deletes => Input::DeleteTopic { ticket, topic: PARTITION.topic },
            Event::SetsMinIsr(min_isr) => {
                let topic = image.topics.get(&PARTITION.topic).ok_or("there is no topic")?;
                let config = Config { min_insync_replicas: Some(u32::from(min_isr)), ..topic.config.clone() };
                Input::Configure { ticket, topic: Some(PARTITION.topic), config }
            }
            Event::Unregisters(broker) => Input::Unregister { ticket, broker, choice: None },
            Event::Commits | Event::Reverts => return Err("it is an event of the log"),
        })
    }
}

/// A ticket that no one holds.
fn next_ticket(state: &State) -> Ticket {
    state.waiting.iter().map(|(ticket, _)| ticket.next()).max().unwrap_or_default()
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        let (image, end) = self.first_image();
        let machine = Replicated::new(Controller::new(Arc::new(image)), end);
        let mut state = State {
            machine: Shared::new(machine),
            waiting: Vec::new(),
            history: Shared::new(History::default()),
            budget: Bounds { topics: 1, ..self.bounds },
        };
        let first = [
            replicated::Input::Heard(Input::Activated),
            replicated::Input::Heard(Input::CreateTopic { ticket: Ticket(0), topic: self.topic() }),
            replicated::Input::Committed { upto: Offset(i64::MAX) },
        ];
        first.into_iter().for_each(|input| self.step(&mut state, input, &mut Vec::new()));
        State { budget: self.bounds, ..state }
    }

    fn candidates(&self, state: &State, out: &mut Vec<Event>) {
        event::candidates(&state.budget, out);
    }

    fn apply(&self, state: &State, event: &Event) -> Option<State> {
        self.perform(state, event, &mut Vec::new()).ok()
    }

    fn fingerprint(&self, state: &State) -> u64 {
        digest(&(state.machine.digest(), &state.waiting, state.history.digest(), state.budget))
    }

    fn properties(&self) -> &[&'static str] {
        &self.names
    }

    fn judge(&self, state: &State, verdicts: &mut Vec<Verdict>) {
        let judged = self.properties.iter().map(|property| match self.reason_for(state, property) {
            None => Verdict::Holds,
            Some(_) => Verdict::Violated,
        });
        verdicts.extend(judged);
    }

    fn describe(&self, state: &State) -> String {
        self.lines(state).join("\n")
    }
}

impl World {
    /// A property must hold of what is committed and of what is only said.
    fn reason_for(&self, state: &State, property: &Property) -> Option<String> {
        let machine = &state.machine;
        let images =
            [(machine.committed().image(), machine.committed_end()), (machine.speculative().image(), machine.end())];
        images.into_iter().find_map(|(image, end)| {
            let view = View {
                sequenced: &[],
                partition: PARTITION,
                metadata: image,
                metadata_end: end,
                replicas: &[],
                history: &state.history,
            };
            (property.check)(&view).err()
        })
    }
}

impl Narrated for World {
    const KIND: &'static str = "controller";

    fn rules(&self) -> Rules {
        self.rules
    }

    fn bounds(&self) -> Vec<(String, u64)> {
        self.bounds.named()
    }

    fn narrate(&self, state: &State, event: &Event) -> Result<(State, Vec<String>), &'static str> {
        let mut trace = Vec::new();
        let after = self.perform(state, event, &mut trace)?;
        Ok((after, trace))
    }

    fn lines(&self, state: &State) -> Vec<String> {
        let machine = &state.machine;
        let image = |name: &str, image: &Image, end: Offset| {
            format!("{name} end {end}; {}", event::image_in_words(image, PARTITION))
        };
        vec![
            image("committed", machine.committed().image(), machine.committed_end()),
            image("said", machine.speculative().image(), machine.end()),
        ]
    }

    fn reason(&self, state: &State, property: &str) -> Option<String> {
        let property = self.properties.iter().find(|known| known.name == property)?;
        self.reason_for(state, property)
    }

    fn read_event(line: &Numbered<'_>) -> Result<Event, ParseError> {
        event::read(line)
    }
}
