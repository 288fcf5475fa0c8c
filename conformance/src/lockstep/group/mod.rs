//! Lockstep of a group: its real coordinator, behind real connections and over a real log, does what the model's does.
//!
//! A controller and one broker run, and everything in them flows but what reaches the coordinator, its timers, and what
//! it appends to its log: that waits at the doors until the model has it happen. The consumers are the model's: what one
//! asks is sent on a socket of its own, and what it is answered there is compared with what the model answers. Compared
//! as well, after each event: the timers that are armed, the records in the log, the group's state, and its offsets.
//!
//! Once in each leadership something else changes in the metadata ([`meanwhile`]), of which nothing may come.
//!
//! The coordinator moves from its broker to its broker: the controller fences it for want of heartbeats, and hears one.

mod ask;
mod compare;
mod meanwhile;
mod members;
mod names;
mod start;

pub use ask::encoded;

use super::board::{Board, Entry};
use super::conductor::{Outcome, in_words, wanted};
use super::divergence::Difference;
use super::nodes::{CONTROLLER, Nodes, Plan};
use ask::told;
use highwater::client::Connection;
use highwater::door::{Place, What};
use highwater_checker::group::{Coordinated, Model, Said, Turn};
use highwater_spec::group::{Input, Output, Record, Request};
use highwater_spec::replicated;
use highwater_spec::values::{BrokerId, Offset, Ticket};
use meanwhile::Meanwhile;
use members::Members;
use names::Names;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The one broker.
const BROKER: BrokerId = BrokerId(1);
/// The group, which has this name in the model too.
const GROUP: &str = "g";

/// In place of a consumer's number: a request that is late comes on a connection of its own.
const LATE: u8 = 0;

/// A cluster with one group in the hands of a conductor.
pub struct GroupConductor<W: Coordinated> {
    world: W,
    state: W::State,
    nodes: Box<dyn Nodes>,
    plan: Arc<Plan>,
    board: Board,
    names: Names,
    members: Members,
    /// The connection of whoever looks.
    looking: Option<Connection>,
    /// Who waits for which answers.
    waiting: BTreeMap<Ticket, (u8, Request<Model>)>,
    /// What the log must hold.
    written: Vec<Record<Model>>,
    /// What the coordinator has said, and the log not taken yet: up to where, and what.
    unwritten: Vec<(Offset, Vec<Record<Model>>)>,
    /// What has changed beside the world.
    meanwhile: Meanwhile,
}

impl<W: Coordinated> GroupConductor<W> {
    /// Lets one event happen.
    ///
    /// # Errors
    /// The first difference.
    pub fn step(&mut self, event: &W::Event) -> Outcome {
        let (after, turns) = self.world.turns(&self.state, event).map_err(|why| {
            Difference::new("the scenario", "can happen", format!("`{event}` can't happen here: {why}"))
        })?;
        if W::moves(event) {
            for turn in &turns {
                if let Turn::CutOff(member) = turn {
                    self.cut_off(*member);
                }
            }
            self.lose_and_win()?;
            self.meanwhile.begins_anew();
        }
        for turn in &turns {
            self.turn(turn, W::moves(event))?;
        }
        self.state = after;
        self.settle()?;
        self.meanwhile()?;
        self.compare()
    }

    fn turn(&mut self, turn: &Turn, moves: bool) -> Outcome {
        match turn {
            Turn::Coordinator { by, input, outputs } => {
                match input {
                    // What a coordinator hears that comes and goes is the shell's own.
                    _ if moves => {}
                    replicated::Input::Heard(Input::Asked { ticket, request, .. }) => {
                        self.asks(*ticket, *by, request)?;
                    }
                    replicated::Input::Heard(Input::TimerFired { timer, .. }) => {
                        let timer = self.at_door(What::Timer(format!("{timer:?} of {GROUP}")))?;
                        self.let_in(&timer)?;
                    }
                    replicated::Input::Committed { upto } => self.commits(*upto)?,
                    replicated::Input::Heard(_) | replicated::Input::Reverted => {
                        return Err(Difference::unplayed(format!("the coordinator can't be made to hear {input:?}")));
                    }
                }
                outputs.iter().try_for_each(|output| self.says(output))
            }
            Turn::CutOff(member) => {
                self.cut_off(*member);
                Ok(())
            }
            Turn::LookedUp { reader, partitions, found, .. } => {
                let specified = compare::offsets_in_words(found);
                let found = self.offsets(reader, Some(partitions))?;
                same("the offsets that a consumer looks up", specified, found)
            }
        }
    }

    /// A consumer asks, and what it asks comes to the door.
    fn asks(&mut self, ticket: Ticket, by: Option<u8>, request: &Request<Model>) -> Outcome {
        let by = by.unwrap_or(LATE);
        self.members.ask(by, ticket, self.plan.address(BROKER), &self.names, request);
        let entry = self.await_that("what waits at the coordinator", &Names::request(request, GROUP), is_asked)?;
        let What::Input(found) = &entry.what else { return Ok(()) };
        self.names.learn(request, found);
        same("what waits at the coordinator", Names::request(request, GROUP), self.names.in_model(found))?;
        self.waiting.insert(ticket, (by, request.clone()));
        self.let_in(&entry)
    }

    /// What the coordinator has said up to there goes into the log.
    fn commits(&mut self, upto: Offset) -> Outcome {
        while self.unwritten.first().is_some_and(|(end, _)| *end <= upto) {
            let (_, records) = self.unwritten.remove(0);
            let entry = self.await_that("what waits at the log", "an append", is_append)?;
            self.let_in(&entry)?;
            let entry = self.at_door(What::Input("Written".to_owned()))?;
            self.let_in(&entry)?;
            self.written.extend(records);
        }
        Ok(())
    }

    fn says(&mut self, said: &Said) -> Outcome {
        match said {
            replicated::Output::Append { base, records } => {
                let upto = base.plus(u32::try_from(records.len()).unwrap_or(u32::MAX));
                self.unwritten.push((upto, records.clone()));
                Ok(())
            }
            replicated::Output::Do(Output::Reply { ticket, reply }) => {
                let Some((by, request)) = self.waiting.remove(ticket) else { return Ok(()) };
                let specified = told(&request, reply);
                let found = self.answer(by, *ticket)?;
                same(format!("what c{by} is answered"), specified, self.names.in_model(&found))
            }
            // The timers are compared when all has happened.
            replicated::Output::Do(_) => Ok(()),
        }
    }

    /// What a consumer is answered.
    fn answer(&mut self, by: u8, ticket: Ticket) -> Outcome<String> {
        self.flow_until(format!("an answer to c{by}"), |conductor| conductor.members.is_answered(ticket))?;
        self.members.answer(ticket).map_err(Difference::from)
    }

    /// A consumer's connection ends, and what it had asked is answered to no one.
    fn cut_off(&mut self, member: u8) {
        self.members.cut_off(member);
        self.waiting.retain(|_, (by, _)| *by != member);
    }

    /// The broker loses the leadership of the log and has it again. What waited to be appended never is.
    fn lose_and_win(&mut self) -> Outcome {
        let session = |entry: &Entry| {
            entry.node == CONTROLLER && matches!(&entry.what, What::Timer(timer) if timer.starts_with("Session"))
        };
        let session = self.await_that("the timers of the controller", "the broker's session", session)?;
        self.let_in(&session)?;
        self.unwritten.clear();
        let loaded = |entry: &Entry| is_group(entry) && entry.what == What::Input("Loaded".to_owned());
        loop {
            let now = self.board.now();
            if self.flow().is_some() {
                continue;
            }
            let back = self.board.waiting().find(|entry| loaded(entry)).cloned();
            if let Some(entry) = back {
                self.discard_appends()?;
                return self.let_in(&entry);
            }
            let beat = |entry: &&Entry| {
                entry.node == BROKER && matches!(&entry.what, What::Timer(timer) if timer.contains("Heartbeat"))
            };
            let beat = self.board.waiting().find(beat).cloned();
            match beat {
                Some(beat) if !self.board.is_busy() => self.let_in(&beat)?,
                _ if self.board.wait(now) => {}
                _ => return Err(self.stuck("the coordinator", "is back")),
            }
        }
    }

    /// What the coordinator wanted to append before it was deposed; that it is told so is no news to it.
    fn discard_appends(&mut self) -> Outcome {
        let appends: Vec<_> = self.board.waiting().filter(|entry| is_append(entry)).cloned().collect();
        for append in appends {
            self.board.forgets(&append);
            self.nodes.discard(append.node, append.number);
            let entry = self.at_door(What::Input("Written".to_owned()))?;
            self.let_in(&entry)?;
        }
        Ok(())
    }

    /// Waits for something at the coordinator's door.
    fn at_door(&mut self, what: What) -> Outcome<Entry> {
        let (specified, names) = (what.to_string(), self.names.clone());
        self.await_that("what waits at the coordinator", &specified, |entry| {
            is_group(entry) && names.in_model(&entry.what.to_string()) == specified
        })
    }

    fn await_that(&mut self, about: &str, specified: &str, is_it: impl Fn(&Entry) -> bool) -> Outcome<Entry> {
        let mut found = None;
        self.flow_until(format!("{about}: {specified}"), |conductor| {
            found = conductor.board.waiting().find(|entry| is_it(entry)).cloned();
            found.is_some()
        })?;
        found.ok_or_else(|| Difference::new(about, specified, "nothing"))
    }

    /// Lets something in, and waits until the coordinator has dealt with it.
    fn let_in(&mut self, entry: &Entry) -> Outcome {
        self.board.passes(entry);
        self.nodes.pass(entry.node, entry.number);
        self.settle()
    }

    /// Lets everything flow that flows, until it is done.
    fn settle(&mut self) -> Outcome {
        self.flow_until("what was let in is carried out".to_owned(), |conductor| !conductor.board.is_busy())
    }

    fn flow_until(&mut self, awaited: String, mut so: impl FnMut(&mut Self) -> bool) -> Outcome {
        loop {
            let now = self.board.now();
            if self.flow().is_some() {
                continue;
            }
            if so(self) {
                return Ok(());
            }
            if !self.board.wait(now) {
                return Err(self.stuck(&awaited, "comes"));
            }
        }
    }

    /// Lets the first thing pass that no one has to decide on, if there is any.
    fn flow(&mut self) -> Option<Entry> {
        let next = self.board.waiting().find(|entry| flows(entry)).cloned();
        if let Some(entry) = &next {
            self.board.passes(entry);
            self.nodes.pass(entry.node, entry.number);
        }
        next
    }

    fn stuck(&mut self, about: &str, specified: &str) -> Difference {
        let waiting: Vec<_> = self.board.waiting().map(|entry| in_words(&wanted(entry))).collect();
        let waiting: Vec<_> = waiting.iter().map(|text| self.names.in_model(text)).collect();
        Difference::new(about, specified, format!("nothing happens; what waits:\n    {}", waiting.join("\n    ")))
    }
}

/// Whether something passes by itself: everything but timers, what comes to the coordinator, and what it appends.
fn flows(entry: &Entry) -> bool {
    !(matches!(entry.what, What::Timer(_)) || is_group(entry) || is_append(entry))
}

fn is_group(entry: &Entry) -> bool {
    matches!(entry.at, Place::Group(_))
}

fn is_asked(entry: &Entry) -> bool {
    is_group(entry) && matches!(&entry.what, What::Input(text) if text != "Written" && text != "Loaded")
}

/// Nobody else writes in such a cluster.
fn is_append(entry: &Entry) -> bool {
    matches!(entry.at, Place::Replica(_)) && matches!(&entry.what, What::Input(text) if text.starts_with("Produced"))
}

fn same(about: impl Into<String>, specified: String, found: String) -> Outcome {
    match specified == found {
        true => Ok(()),
        false => Err(Difference::new(about, specified, found)),
    }
}
