//! The conductor: lets one event of the model at a time happen on a real cluster, and compares.

use super::board::{Board, Entry};
use super::client::{Clients, Told as Answer};
use super::disk::Files;
use super::divergence::Difference;
use super::expected::{Wanted, Wording, session};
use super::fetches::parked_at;
use super::names::Names;
use super::nodes::{CONTROLLER, Nodes, Plan};
use highwater::door::{Place, What};
use highwater_checker::replication::{AskedFetch, Model, PARTITION, State, Turn, World};
use highwater_spec::broker;
use highwater_spec::replica::{self, Output};
use highwater_spec::scenario::{Event, What as Happens};
use highwater_spec::values::{BrokerId, IncarnationId, Offset};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A cluster in the hands of a conductor.
pub struct Conductor {
    /// What must happen.
    pub world: World,
    /// Where the model stands.
    pub state: State,
    pub(super) nodes: Box<dyn Nodes>,
    pub(super) plan: Arc<Plan>,
    pub(super) board: Board,
    pub(super) names: Names,
    pub(super) clients: Clients,
    /// How many processes have been started.
    pub(super) processes: u8,
    /// The timers that must be armed, but for producers'.
    pub(super) timers: BTreeSet<Wanted>,
    /// Fetches that their followers have given up.
    pub(super) given_up: Vec<(BrokerId, AskedFetch)>,
    /// Followers whose leader's process ended while they fetched.
    pub(super) cut_off: BTreeSet<BrokerId>,
    /// Followers whose waiting fetch must have been woken.
    pub(super) woken: BTreeSet<BrokerId>,
    /// How often the cluster did what the model leaves out.
    pub excused: usize,
    /// How many requests of the start the controller has heard, and brokers not the answers.
    pub(super) unanswered: usize,
    /// What producers must have been told of each record, in no order.
    pub(super) told: BTreeMap<u8, Vec<Answer>>,
}

/// What an event comes to on the cluster.
pub(super) type Outcome<T = ()> = Result<T, Difference>;

impl Conductor {
    /// Lets one event happen.
    ///
    /// # Errors
    /// The first difference.
    pub fn step(&mut self, event: &Event) -> Outcome {
        let (after, trace) = self.world.trace(&self.state, event).map_err(|why| {
            Difference::new("the scenario", "can happen", format!("`{event}` can't happen here: {why}"))
        })?;
        let dies = self.state.brokers().find(|broker| {
            event.cut_short.is_some() && self.state.process(*broker).is_some() && after.process(*broker).is_none()
        });
        if let (Some(broker), Some(outputs)) = (dies, event.cut_short) {
            self.nodes.stop_after(broker, outputs);
        }
        self.begin(event)?;
        for turn in &trace.turns {
            self.turn(turn, &after)?;
        }
        self.end(event, dies, &after)?;
        self.note_links(event, &after);
        self.state = after;
        self.settle()?;
        self.compare()
    }

    pub(super) fn wording(&self) -> Wording<'_> {
        Wording(&self.names)
    }

    pub(super) fn files(&self, broker: BrokerId) -> Files {
        Files::below(self.plan.dir(broker))
    }

    /// What comes from outside the cluster.
    fn begin(&mut self, event: &Event) -> Outcome {
        match event.what {
            Happens::Produce { value, to, acks } => {
                let sequenced = self.world.bounds.sequenced(value);
                self.clients.produce(self.plan.address(to), value, acks, sequenced)?;
            }
            Happens::Starts(broker) => {
                self.processes += 1;
                let incarnation = [self.processes; 16];
                self.names.processes.insert(broker, IncarnationId(incarnation));
                self.nodes.start(broker, incarnation)?;
            }
            Happens::Stops(broker) => self.nodes.ask_to_stop(broker),
            Happens::ElectsPreferred => self.clients.elect_preferred(self.plan.address(CONTROLLER)),
            Happens::DiskFails(broker) => {
                let (partition, number) = (self.names.partition(PARTITION), self.board.begins(broker));
                self.nodes.fail_disk(broker, partition, number);
            }
            Happens::FetchDelayed(_) | Happens::DelayedFetchArrives(_) | Happens::Publishes(_) => {
                return Err(cannot(event));
            }
            _ if event.publish_late => return Err(cannot(event)),
            _ => {}
        }
        Ok(())
    }

    /// One step of a machine: what it hears must have come to the door.
    fn turn(&mut self, turn: &Turn, after: &State) -> Outcome {
        match turn {
            Turn::Replica { at, input, outputs } => {
                if matches!(input, replica::Input::Failed { .. }) {
                    // The shell steps it by itself, when an output has failed.
                    return Ok(());
                }
                if matches!(input, replica::Input::ProducersRead { .. }) {
                    // The shell answers this by itself, before anything else comes to the replica.
                    self.note_outputs(*at, outputs, after);
                    return Ok(());
                }
                if let replica::Input::FollowerFetched(fetch) = input {
                    self.cut_off.remove(&fetch.replica);
                }
                let timer = matches!(input, replica::Input::ProduceTimedOut(_));
                let wanted = self.wording().replica(*at, input.recast());
                let entry = if timer { self.producers_timer(&wanted)? } else { self.await_entry(&wanted)? };
                self.pass(&entry);
                self.timers.remove(&wanted);
                self.note_outputs(*at, outputs, after);
                Ok(())
            }
            Turn::Broker { at, input, outputs } => {
                self.broker_hears(*at, input)?;
                for output in outputs {
                    if let broker::Output::SetTimer(timer) = output {
                        let armed = self.wording().broker(*at, broker::Input::TimerFired(*timer));
                        self.timers.insert(armed);
                    }
                }
                Ok(())
            }
            Turn::Controller { input, extended } => {
                let wanted = self.wording().controller(input.clone());
                let entry = self.await_entry(&wanted)?;
                self.pass(&entry);
                self.timers.remove(&wanted);
                for broker in extended {
                    let what = What::Timer(session(*broker));
                    self.timers.insert(Wanted { node: CONTROLLER, at: Place::Controller, what });
                }
                Ok(())
            }
            Turn::Answered { by, value, outcome } => {
                let wanted = self.wording().reply(*by, *outcome);
                let entry = self.await_entry(&wanted)?;
                self.pass(&entry);
                let told = outcome.told().map_or_else(|refusal| (refusal.code(), -1), |base| (0, base.0));
                self.told.entry(*value).or_default().push(told);
                Ok(())
            }
            Turn::Look { at, by, ask, answer } => self.look(*at, *by, ask, answer.as_ref()),
        }
    }

    fn note_outputs(&mut self, at: BrokerId, outputs: &[Output<Model>], after: &State) {
        for output in outputs {
            match output {
                Output::SetTimer { timer, .. } => {
                    let armed = self.wording().replica(at, replica::Input::TimerFired(*timer));
                    self.timers.insert(armed);
                }
                Output::Publish(_) => {
                    let parked = after.brokers().filter(|broker| parked_at(&self.state, *broker) == Some(at));
                    self.woken.extend(parked.collect::<Vec<_>>());
                }
                _ => {}
            }
        }
    }

    fn broker_hears(&mut self, at: BrokerId, input: &broker::Input<Model>) -> Outcome {
        let wanted = match input {
            // The shell steps it by itself, once its logs are closed.
            broker::Input::LogsClosed => return Ok(()),
            broker::Input::SnapshotLoaded { end, .. } => return self.hears_metadata(at, *end),
            broker::Input::MetadataArrived { from, records, .. } => {
                let upto = Offset(from.0 + records.len() as i64);
                let (steps, limit) = (self.wording().steps(&self.state, at, *from), self.names.metadata(upto));
                for step in steps.iter().filter(|step| is_below(&step.what, limit)) {
                    self.await_entry(step)?;
                }
                return self.hears_metadata(at, upto);
            }
            other => self.wording().broker(at, other.recast()),
        };
        let entry = self.await_entry(&wanted)?;
        self.pass(&entry);
        self.timers.remove(&wanted);
        Ok(())
    }

    /// Delivers the metadata log below an offset of the model's.
    fn hears_metadata(&mut self, at: BrokerId, upto: Offset) -> Outcome {
        let upto = self.names.metadata(upto);
        let about = format!("what waits at {at}");
        let found = self.await_that(about, format!("metadata below {upto}"), |entry| {
            entry.node == at && matches!(&entry.what, What::Metadata { upto: found, .. } if *found == upto)
        })?;
        self.pass(&found);
        Ok(())
    }

    /// A producer's timer goes by its ticket, which is the shell's own: the first that was armed is meant.
    fn producers_timer(&mut self, wanted: &Wanted) -> Outcome<Entry> {
        let (node, at) = (wanted.node, wanted.at);
        self.await_that(format!("the timers of {node}"), "a producer's timer".to_owned(), |entry| {
            entry.node == node && entry.at == at && is_producers(&entry.what)
        })
    }

    pub(super) fn pass(&mut self, entry: &Entry) {
        self.board.passes(entry);
        self.nodes.pass(entry.node, entry.number);
    }

    pub(super) fn discard(&mut self, entry: &Entry) {
        self.board.forgets(entry);
        self.nodes.discard(entry.node, entry.number);
    }

    pub(super) fn find(&mut self, wanted: &Wanted) -> Option<Entry> {
        self.board.waiting().find(|entry| is(entry, wanted)).cloned()
    }

    pub(super) fn await_entry(&mut self, wanted: &Wanted) -> Outcome<Entry> {
        let about = format!("what waits at {}", wanted.node);
        self.await_that(about, wanted.what.to_string(), |entry| is(entry, wanted))
    }

    /// Waits for something to come to a door; what is excused passes meanwhile.
    pub(super) fn await_that(
        &mut self,
        about: String,
        specified: String,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Outcome<Entry> {
        loop {
            let now = self.board.now();
            if let Some(entry) = self.board.waiting().find(|entry| is_it(entry)) {
                return Ok(entry.clone());
            }
            while let Some(free) = self.board.free() {
                self.pass(&free);
            }
            let due = Wording(&self.names).all(&self.state);
            if !self.excuse_some(&due)? && !self.board.wait(now) {
                let found = self.board.waiting().map(|entry| in_words(&wanted(entry))).collect::<Vec<_>>();
                return Err(Difference::new(about, specified, found.join("\n             ")));
            }
        }
    }

    /// Waits until all that passed has been carried out.
    pub(super) fn finish(&mut self) -> Outcome {
        loop {
            let now = self.board.now();
            while let Some(free) = self.board.free() {
                self.pass(&free);
            }
            if !self.board.is_busy() {
                return Ok(());
            }
            if !self.board.wait(now) {
                return Err(Difference::new("what was let in", "is carried out", "it never was"));
            }
        }
    }

    pub(super) fn until(&mut self, about: String, specified: &str, mut so: impl FnMut(&mut Board) -> bool) -> Outcome {
        loop {
            let now = self.board.now();
            while let Some(free) = self.board.free() {
                self.pass(&free);
            }
            if so(&mut self.board) {
                return Ok(());
            }
            if !self.board.wait(now) {
                return Err(Difference::new(about, specified, "nothing happens"));
            }
        }
    }
}

fn cannot(event: &Event) -> Difference {
    Difference::unplayed(format!("`{event}` can't be carried out on a cluster yet"))
}

fn is_below(what: &What, limit: Offset) -> bool {
    matches!(what, What::Metadata { upto, .. } if *upto <= limit)
}

/// Whether a timer is the shell's own, and always armed.
pub(super) fn is_always_armed(timer: &str) -> bool {
    ["Leaderless", "Checkpoint", "RecoveryPoints", "HighWatermarks"].contains(&timer)
}

pub(super) fn is_producers(what: &What) -> bool {
    matches!(what, What::Timer(text) if text.starts_with("ProduceTimedOut"))
}

/// Whether an entry is what was wanted.
pub(super) fn is(entry: &Entry, wanted: &Wanted) -> bool {
    entry.node == wanted.node && entry.at == wanted.at && entry.what == wanted.what
}

/// An entry without its number.
pub(super) fn wanted(entry: &Entry) -> Wanted {
    Wanted { node: entry.node, at: entry.at, what: entry.what.clone() }
}

/// For people.
pub(super) fn in_words(wanted: &Wanted) -> String {
    let node = if wanted.node == CONTROLLER { "controller".to_owned() } else { wanted.node.to_string() };
    format!("{node}: {}", wanted.what)
}
