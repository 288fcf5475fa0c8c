//! What must wait at the doors, and what may, when the model is in a state.

use super::names::Names;
use super::nodes::CONTROLLER;
use super::plain::Told;
use highwater::door::{Place, What};
use highwater_checker::replication::{AskedFetch, Fetch, PARTITION, Proposal, State, index};
use highwater_spec::broker;
use highwater_spec::controller;
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Ask, FetchAnswer, FetchRequest, Input, ProduceOutcome};
use highwater_spec::values::{BrokerId, Offset};

/// Something at a door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Whose door.
    pub node: BrokerId,
    /// Before what.
    pub at: Place,
    /// What.
    pub what: What,
}

/// Writes down what the model means as the cluster's doors do.
pub struct Wording<'a>(pub &'a Names);

impl Wording<'_> {
    /// Before a replica.
    pub fn replica(&self, node: BrokerId, input: Input<Told>) -> Wanted {
        let at = Place::Replica(self.0.partition(PARTITION));
        let text = format!("{:?}", self.0.replica(input.clone()));
        let what = match input {
            Input::TimerFired(_) | Input::ProduceTimedOut(_) => What::Timer(text),
            _ => What::Input(text),
        };
        Wanted { node, at, what }
    }

    /// Before a broker.
    pub fn broker(&self, node: BrokerId, input: broker::Input<Told>) -> Wanted {
        let text = format!("{:?}", self.0.broker(node, input.clone()));
        let what = match input {
            broker::Input::TimerFired(_) => What::Timer(text),
            _ => What::Input(text),
        };
        Wanted { node, at: Place::Broker, what }
    }

    /// Before the controller.
    pub fn controller(&self, input: controller::Input) -> Wanted {
        let what = match input {
            controller::Input::SessionExpired { broker, .. } => What::Timer(session(broker)),
            controller::Input::LeaderlessChecked { .. } => What::Timer("Leaderless".to_owned()),
            other => What::Input(format!("{:?}", self.0.controller(other))),
        };
        Wanted { node: CONTROLLER, at: Place::Controller, what }
    }

    /// One step of the controller, on its way to a broker.
    pub fn metadata(&self, node: BrokerId, from: Offset, records: Vec<controller::Record>) -> Wanted {
        let upto = self.0.metadata(Offset(from.0 + records.len() as i64));
        let input = self.0.broker(node, broker::Input::MetadataArrived { from, records, at: () });
        Wanted { node, at: Place::Broker, what: What::Metadata { upto, text: format!("{input:?}") } }
    }

    /// A follower's fetch before its leader.
    pub fn fetch(&self, by: BrokerId, asked: &AskedFetch) -> Wanted {
        let request = asked.request;
        let fetch = request.arriving(by, asked.broker_epoch, ());
        self.replica(request.leader, Input::FollowerFetched(fetch))
    }

    /// An answer to a producer, on its way out.
    pub fn reply(&self, node: BrokerId, outcome: ProduceOutcome) -> Wanted {
        let at = Place::Replica(self.0.partition(PARTITION));
        Wanted { node, at, what: What::Reply(format!("{outcome:?}")) }
    }

    /// A fetch that is about to read.
    pub fn look(&self, at: BrokerId, ask: &Ask) -> Wanted {
        self.reader(at, What::Look(format!("{ask:?}")))
    }

    /// The time of a fetch that waits.
    pub fn max_wait(&self, at: BrokerId, ask: &Ask) -> Wanted {
        self.reader(at, What::Timer(format!("MaxWait of {ask:?}")))
    }

    fn reader(&self, node: BrokerId, what: What) -> Wanted {
        Wanted { node, at: Place::Reader(self.0.partition(PARTITION)), what }
    }

    /// The answer before the follower.
    pub fn answer(&self, to: BrokerId, asked: FetchRequest, answer: FetchAnswer<Told>) -> Wanted {
        self.replica(to, Input::FetchAnswered { asked, answer })
    }

    /// What a follower hears when the connection to its leader broke.
    pub fn broken(&self, to: BrokerId, asked: FetchRequest) -> Wanted {
        self.answer(to, asked, FetchAnswer::Refused(Refusal::RequestTimedOut))
    }

    /// Everything that must wait.
    pub fn all(&self, state: &State) -> Vec<Wanted> {
        let mut all = Vec::new();
        for broker in state.brokers() {
            let place = index(broker);
            match &state.links.fetches[place] {
                Fetch::Idle => {}
                Fetch::Asked(asked) if !serves(state, asked.request.leader) => {}
                Fetch::Asked(asked) => {
                    all.push(self.fetch(broker, asked));
                    all.push(self.look(asked.request.leader, &asked.request.ask(broker)));
                }
                Fetch::Parked(asked) => {
                    all.push(self.max_wait(asked.request.leader, &asked.request.ask(broker)));
                }
                Fetch::Answered(asked, answer) => {
                    let input = Input::FetchAnswered { asked: *asked, answer: answer.clone() };
                    all.push(self.replica(broker, input.recast()));
                }
            }
            match &state.links.proposals[place] {
                Proposal::Idle => {}
                Proposal::Asked(broker_epoch, changes) => {
                    let (ticket, broker_epoch, changes) = (Default::default(), *broker_epoch, changes.clone());
                    all.push(self.controller(controller::Input::AlterPartition {
                        ticket,
                        broker,
                        broker_epoch,
                        changes,
                    }));
                }
                Proposal::Answered(outcome) => {
                    all.push(self.broker(broker, broker::Input::AlterPartitionAnswered(outcome.clone())));
                }
            }
            if let Some(process) = state.process(broker) {
                all.extend(self.steps(state, broker, process.broker.metadata_end()));
            }
        }
        all
    }

    /// The steps of the controller that a broker has not heard yet.
    pub fn steps(&self, state: &State, broker: BrokerId, heard: Offset) -> Vec<Wanted> {
        let (mut steps, mut from, mut records) = (Vec::new(), state.controller.base, Vec::new());
        for logged in &state.controller.log {
            records.push(logged.record.clone());
            if logged.ends_step {
                let upto = Offset(from.0 + records.len() as i64);
                if upto > heard {
                    steps.push(self.metadata(broker, from, std::mem::take(&mut records)));
                }
                records.clear();
                from = upto;
            }
        }
        steps
    }
}

/// The name of a session's timer.
pub fn session(of: BrokerId) -> String {
    format!("Session({of:?})")
}

/// Whether a broker answers anyone.
pub fn serves(state: &State, broker: BrokerId) -> bool {
    state.process(broker).is_some_and(|process| process.broker.is_published())
}
