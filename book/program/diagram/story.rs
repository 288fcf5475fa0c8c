//! What there is to see in a scenario, in order: messages between lanes, notes and logs on them.

use super::Ending;
use super::said;
use super::state::{self, Broker, Entry, Role, Seen};
use highwater_spec::replica::Acks;
use highwater_spec::scenario::{Event, ParseError, Scenario, Step as Told, What, acks_word};
use std::collections::{BTreeMap, BTreeSet};

/// Who has a lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// All clients.
    Client,
    /// A broker, by its name.
    Broker(String),
    /// The controller.
    Controller,
}

/// A scenario, ready to be laid out.
pub struct Story {
    /// Everyone, from left to right.
    pub lanes: Vec<Lane>,
    /// How everything starts.
    pub start: Vec<Item>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What is shown by it: whether all is well, and in words.
    pub ending: Option<(bool, String)>,
}

/// One thing that happens, and what follows from it at once.
pub struct Step {
    /// Its text, for whoever points at it.
    pub text: String,
    /// What there is to see.
    pub items: Vec<Item>,
}

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It is so.
    Plain,
    /// It matters little.
    Quiet,
    /// Somebody leads.
    Lead,
    /// Something went well for a client.
    Good,
    /// Something fails.
    Fault,
    /// Something is lost.
    Loss,
}

/// A small picture in front of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A process ends.
    Cross,
    /// Power is lost.
    Bolt,
    /// A process starts.
    Start,
    /// Nothing was heard for too long.
    Clock,
    /// A log is cut.
    Cut,
}

/// How a lane looks from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// There, in no role.
    Up,
    /// It takes itself for the leader.
    Leader,
    /// Not running, or offline.
    Down,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was there before.
    Kept,
    /// It has just come.
    New,
    /// It is gone, and was promised to nobody.
    Cut,
    /// It is gone, and was committed or acknowledged.
    Lost,
}

/// Something to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A message.
    Arrow {
        /// Who sends it.
        from: Lane,
        /// Who gets it.
        to: Lane,
        /// What it says.
        label: String,
        /// Whether it answers another, or comes late: dashed.
        dashed: bool,
        /// How it is meant.
        tone: Tone,
    },
    /// A word on a lane.
    Note {
        /// Whose.
        lane: Lane,
        /// The picture.
        icon: Option<Icon>,
        /// The lines.
        lines: Vec<String>,
        /// How it is meant.
        tone: Tone,
    },
    /// A log.
    Log {
        /// Whose.
        lane: Lane,
        /// Its records, and those that it had.
        entries: Vec<(Entry, Fate)>,
        /// The high watermark: how many of them lie below it.
        high_watermark: Option<usize>,
    },
    /// The lane looks different from here on.
    Life(Lane, Life),
}

/// Reads a scenario whose outputs and states are complete.
///
/// # Errors
/// If an event can't be read.
pub fn story(scenario: &Scenario, ending: Option<Ending>) -> Result<Story, ParseError> {
    let mut teller =
        Teller { atomic_proposals: scenario.world.get("atomic-proposals") == Some(&1), ..Teller::default() };
    scenario.initial_states().for_each(|line| teller.hear(state::seen(line.line.text())));
    let names: Vec<_> = teller.now.keys().cloned().collect();
    names.iter().for_each(|name| teller.show(name));
    let start = std::mem::take(&mut teller.items);
    let steps = scenario.steps().map(|told| teller.step(&told)).collect::<Result<_, _>>()?;
    let brokers = names.into_iter().map(Lane::Broker);
    let lanes = [Lane::Client].into_iter().chain(brokers).chain([Lane::Controller]).collect();
    Ok(Story { lanes, start, steps, ending: ending.map(in_words) })
}

fn in_words(ending: Ending) -> (bool, String) {
    let Ending { property, broken } = ending;
    match broken {
        Some(why) => (false, format!("{} is broken: {why}", property.name)),
        None => (true, format!("{} holds: {}", property.name, property.statement)),
    }
}

/// What is known while the story is told.
#[derive(Default)]
pub(super) struct Teller {
    pub(super) items: Vec<Item>,
    /// The brokers as they are after this step.
    now: BTreeMap<String, Broker>,
    /// The brokers as they were last shown.
    shown: BTreeMap<String, Broker>,
    /// The leader and its epoch, as the controller has it.
    pub(super) leader: String,
    /// What each broker has asked for: whom, and from which offset on.
    pub(super) fetches: BTreeMap<String, (String, String)>,
    /// What each leader last proposed.
    pub(super) proposals: BTreeMap<String, String>,
    promised: BTreeSet<String>,
    atomic_proposals: bool,
}

impl Teller {
    fn step(&mut self, told: &Told<'_>) -> Result<Step, ParseError> {
        let event = Event::read(told.input.words())?;
        let outputs: Vec<_> = told.outputs.iter().map(|line| line.line.text()).collect();
        let seen = told.states.iter().map(|line| state::seen(line.line.text()));
        // A fetch that follows an answer must not be taken for the one that is answered.
        let (later, now): (Vec<_>, Vec<_>) = seen.partition(|seen| matches!(seen, Seen::Fetch { .. }));
        let down = now.iter().find_map(|seen| match seen {
            Seen::Broker(name, Broker { role: Role::Down, .. }) => Some(name.clone()),
            _ => None,
        });
        now.into_iter().for_each(|seen| self.hear(seen));
        self.happen(&event.what, &outputs);
        if let (Some(count), Some(broker)) = (event.cut_short, down) {
            self.note(&broker, Some(Icon::Cross), &format!("killed after {count} writes"), Tone::Fault);
        }
        let names: Vec<_> = self.now.keys().cloned().collect();
        names.iter().for_each(|name| self.show(name));
        later.into_iter().for_each(|seen| self.hear(seen));
        let outputs = outputs.iter().map(|output| format!("\n< {output}"));
        let text = format!("> {}{}", told.input.line.text(), outputs.collect::<String>());
        Ok(Step { text, items: std::mem::take(&mut self.items) })
    }

    fn hear(&mut self, seen: Seen) {
        match seen {
            Seen::Broker(name, broker) => drop(self.now.insert(name, broker)),
            Seen::Controller { leader } => self.leader = leader,
            Seen::Fetch { of, to, at } => drop(self.fetches.insert(of, (to, at.unwrap_or_else(|| "?".to_owned())))),
            Seen::Promised(values) => self.promised.extend(values),
            Seen::Other => {}
        }
    }

    fn happen(&mut self, what: &What, outputs: &[&str]) {
        match what {
            What::Produce { value, to, acks } => {
                let label = match acks {
                    Acks::None => format!("m{value}, acks=0"),
                    acks => format!("m{value}, acks={}", acks_word(*acks)),
                };
                self.arrow(Lane::Client, broker(to), &label, false);
                self.say(outputs);
            }
            What::ProduceTimesOut { value, .. } => {
                self.lane_note(Lane::Client, Some(Icon::Clock), &format!("waits no longer for m{value}"), Tone::Plain);
                self.say(outputs);
            }
            What::FetchArrives(of) => self.fetch(&of.to_string(), outputs, "fetch", false),
            What::DelayedFetchArrives(of) => self.fetch(&of.to_string(), outputs, "delayed fetch", true),
            What::FetchDelayed(of) => {
                self.note(&of.to_string(), Some(Icon::Clock), "its fetch is delayed; asks again", Tone::Plain);
                self.say(outputs);
            }
            What::FetchAnswered(of) => {
                let leader = self.asked(&of.to_string()).0;
                self.note(&leader, None, &format!("answers {of}'s fetch"), Tone::Quiet);
                self.say(outputs);
            }
            What::AnswerArrives(at) => self.answer(&at.to_string(), outputs),
            What::Fetches(by) => {
                let name = by.to_string();
                let (own, others) = outputs.iter().copied().partition::<Vec<_>, _>(|text| said::subject(text) == name);
                self.fetch(&name, &others, "fetch", false);
                self.answer(&name, &own);
            }
            What::Lags { leader, follower } => {
                self.note(&leader.to_string(), Some(Icon::Clock), &format!("finds {follower} lagging"), Tone::Plain);
                self.say(outputs);
            }
            What::ProposalArrives(of) => {
                let proposed = self.proposals.get(&of.to_string()).cloned().unwrap_or_default();
                self.arrow(broker(of), Lane::Controller, &format!("propose isr {proposed}"), false);
                let is_own = |text: &&str| said::subject(text) == of.to_string();
                let (own, others) = outputs.iter().copied().partition::<Vec<_>, _>(is_own);
                self.say(&others);
                if self.atomic_proposals {
                    self.arrow(Lane::Controller, broker(of), "answer", true);
                }
                self.say(&own);
            }
            What::ProposalAnswered(to) => {
                self.arrow(Lane::Controller, broker(to), "answer", true);
                self.say(outputs);
            }
            What::Learns { broker: who, upto } => {
                self.arrow(Lane::Controller, broker(who), &format!("metadata below {upto}"), false);
                self.show_role(&who.to_string());
                self.say(outputs);
            }
            other => self.fate(other, outputs),
        }
    }

    /// What happens to one member of the cluster alone.
    fn fate(&mut self, what: &What, outputs: &[&str]) {
        let on = |of: &highwater_spec::values::BrokerId| broker(of);
        let (lane, icon, text, tone) = match what {
            What::Publishes(of) => (on(of), None, "publishes".to_owned(), Tone::Quiet),
            What::SessionExpires(of) => {
                (Lane::Controller, Some(Icon::Clock), format!("session of {of} expires"), Tone::Fault)
            }
            What::Killed { broker, .. } => (on(broker), Some(Icon::Cross), "killed".to_owned(), Tone::Fault),
            What::LosesPower { broker, .. } => (on(broker), Some(Icon::Bolt), "loses power".to_owned(), Tone::Fault),
            What::LosesDisk(of) => (on(of), Some(Icon::Cross), "loses its disk".to_owned(), Tone::Fault),
            What::DiskFails(of) => (on(of), Some(Icon::Cross), "its disk fails".to_owned(), Tone::Fault),
            What::Starts(of) => (on(of), Some(Icon::Start), "starts".to_owned(), Tone::Plain),
            What::Stops(of) => (on(of), None, "is asked to stop".to_owned(), Tone::Plain),
            What::ElectsPreferred => (Lane::Controller, None, "elects the preferred replica".to_owned(), Tone::Plain),
            What::ElectsForLeaderless => (Lane::Controller, None, "elects for the leaderless".to_owned(), Tone::Plain),
            _ => return self.say(outputs),
        };
        self.lane_note(lane.clone(), icon, &text, tone);
        if let (What::Starts(_), Lane::Broker(name)) = (what, &lane) {
            self.show_life(name);
        }
        self.say(outputs);
    }

    fn fetch(&mut self, of: &str, outputs: &[&str], what: &str, dashed: bool) {
        let (to, at) = self.asked(of);
        self.arrow(Lane::Broker(of.to_owned()), Lane::Broker(to.clone()), &format!("{what} at {at}"), dashed);
        self.say(outputs);
        self.show(&to);
    }

    fn answer(&mut self, at: &str, outputs: &[&str]) {
        let (from, _) = self.asked(at);
        let records = outputs.iter().find_map(|text| said::appended(text)).unwrap_or_default();
        let label = if records.is_empty() { "answer".to_owned() } else { format!("answer: {records}") };
        self.arrow(Lane::Broker(from), Lane::Broker(at.to_owned()), &label, true);
        self.say(outputs);
    }

    fn asked(&self, of: &str) -> (String, String) {
        self.fetches.get(of).cloned().unwrap_or_else(|| (of.to_owned(), "?".to_owned()))
    }

    pub(super) fn arrow(&mut self, from: Lane, to: Lane, label: &str, dashed: bool) {
        self.items.push(Item::Arrow { from, to, label: label.to_owned(), dashed, tone: Tone::Plain });
    }

    pub(super) fn note(&mut self, broker: &str, icon: Option<Icon>, text: &str, tone: Tone) {
        self.lane_note(Lane::Broker(broker.to_owned()), icon, text, tone);
    }

    pub(super) fn lane_note(&mut self, lane: Lane, icon: Option<Icon>, text: &str, tone: Tone) {
        self.items.push(Item::Note { lane, icon, lines: vec![text.to_owned()], tone });
    }

    /// Shows what has changed of a broker since it was last shown.
    pub(super) fn show(&mut self, name: &str) {
        self.show_role(name);
        self.show_log(name);
    }

    fn show_life(&mut self, name: &str) {
        let Some(now) = self.now.get(name) else { return };
        let life = match now.role {
            Role::Leads(_) => Life::Leader,
            Role::Down | Role::Offline(_) => Life::Down,
            Role::Unassigned | Role::Follows(_) => Life::Up,
        };
        self.items.push(Item::Life(Lane::Broker(name.to_owned()), life));
    }

    pub(super) fn show_role(&mut self, name: &str) {
        let Some(now) = self.now.get(name).map(|now| now.role.clone()) else { return };
        let before = self.shown.entry(name.to_owned()).or_default();
        if before.role == now {
            return;
        }
        before.role = now.clone();
        self.show_life(name);
        match now {
            Role::Leads(epoch) => self.note(name, None, &format!("leads {epoch}"), Tone::Lead),
            Role::Follows(whom) => self.note(name, None, &format!("follows {whom}"), Tone::Quiet),
            Role::Offline(why) => self.note(name, Some(Icon::Cross), &format!("offline: {why}"), Tone::Fault),
            Role::Unassigned | Role::Down => {}
        }
    }

    fn show_log(&mut self, name: &str) {
        let Some(now) = self.now.get(name).cloned() else { return };
        let before = self.shown.entry(name.to_owned()).or_default();
        let (old, old_mark) = (before.log.clone(), before.high_watermark);
        let marked = now.high_watermark.is_some() && now.high_watermark != old_mark;
        (before.log, before.high_watermark) = (now.log.clone(), now.high_watermark.or(old_mark));
        if old == now.log && (!marked || old.is_empty()) {
            return;
        }
        let kept = old.iter().zip(&now.log).take_while(|(old, new)| old == new).count();
        let lane = Lane::Broker(name.to_owned());
        let mut strip = |rest: Vec<(Entry, Fate)>| {
            let entries = now.log[..kept].iter().map(|entry| (entry.clone(), Fate::Kept)).chain(rest).collect();
            self.items.push(Item::Log { lane: lane.clone(), entries, high_watermark: now.high_watermark });
        };
        let gone = old[kept..].iter().map(|entry| {
            let fate = if self.promised.contains(&entry.name) { Fate::Lost } else { Fate::Cut };
            (entry.clone(), fate)
        });
        let gone: Vec<_> = gone.collect();
        let come: Vec<_> = now.log[kept..].iter().map(|entry| (entry.clone(), Fate::New)).collect();
        if !gone.is_empty() {
            strip(gone);
        }
        if !come.is_empty() || old == now.log {
            strip(come);
        }
    }
}

fn broker(id: &highwater_spec::values::BrokerId) -> Lane {
    Lane::Broker(id.to_string())
}
