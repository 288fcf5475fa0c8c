//! The conductor: lets one event of the model at a time happen on a real cluster, and compares.

use super::board::{Board, Entry};
use super::client::{Clients, Told as Answer};
use super::disk::{self, Files};
use super::divergence::Difference;
use super::expected::{Wanted, Wording, serves, session};
use super::names::Names;
use super::nodes::{CONTROLLER, Nodes, Plan};
use highwater::door::{Place, What};
use highwater_checker::replication::{AskedFetch, Fetch, Model, PARTITION, State, Turn, World};
use highwater_spec::broker;
use highwater_spec::property::{self, Verdict};
use highwater_spec::replica::{self, Answer as Read, Ask, FetchAnswer, Output, ProduceOutcome, Reader};
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
    /// What producers must have been told.
    pub(super) told: BTreeMap<u8, Answer>,
}

/// What an event comes to on the cluster.
type Outcome<T = ()> = Result<T, Difference>;

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

    fn wording(&self) -> Wording<'_> {
        Wording(&self.names)
    }

    fn files(&self, broker: BrokerId) -> Files {
        Files::below(self.plan.dir(broker))
    }

    /// What comes from outside the cluster.
    fn begin(&mut self, event: &Event) -> Outcome {
        match event.what {
            Happens::Produce { value, to, acks } => self.clients.produce(self.plan.address(to), value, acks)?,
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
            Turn::Answered { value, outcome } => {
                let told = match outcome {
                    ProduceOutcome::Acked { base } => (0, base.0),
                    ProduceOutcome::Refused(refusal) | ProduceOutcome::Unknown(refusal) => (refusal.code(), -1),
                };
                self.told.insert(*value, told);
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

    /// A follower's fetch reads what its leader has published.
    fn look(&mut self, at: BrokerId, by: BrokerId, ask: &Ask, answer: Option<&FetchAnswer<Model>>) -> Outcome {
        self.finish()?;
        let (look, wait) = (self.wording().look(at, ask), self.wording().max_wait(at, ask));
        let waits = self.find(&wait);
        if let Some(wait) = waits.filter(|_| !self.woken.contains(&by))
            && self.find(&look).is_none()
        {
            self.pass(&wait);
        }
        self.woken.remove(&by);
        let entry = self.await_entry(&look)?;
        self.pass(&entry);
        self.finish()?;
        let about = format!("the fetch of {by} at {at}");
        match (answer, self.find(&wait)) {
            (None, None) => Err(Difference::new(about, "waits for more", "was answered")),
            (None, Some(wait)) if self.world.bounds.atomic_fetches == 1 => self.runs_out(at, by, &look, &wait),
            (None, Some(_)) | (Some(_), None) => Ok(()),
            (Some(FetchAnswer::Records { batches, .. }), Some(wait)) if batches.is_empty() => {
                // Nothing but a high watermark: Kafka's leader sends it when the fetch has waited long enough.
                self.pass(&wait);
                let again = self.await_entry(&look)?;
                self.pass(&again);
                self.finish()
            }
            (Some(answer), Some(_)) => Err(Difference::new(about, format!("is answered {answer:?}"), "waits for more")),
        }
    }

    /// In a world of atomic fetches none waits: this one is answered without records, and asked again as it was.
    fn runs_out(&mut self, at: BrokerId, by: BrokerId, look: &Wanted, wait: &Entry) -> Outcome {
        self.pass(wait);
        let again = self.await_entry(look)?;
        self.pass(&again);
        self.finish()?;
        let Fetch::Asked(asked) = self.state.links.fetches[usize::try_from(by.0 - 1).unwrap_or(0)] else {
            return Ok(());
        };
        let Some(view) = self.state.process(at).map(|process| Arc::clone(&process.published)) else { return Ok(()) };
        let (high_watermark, log_start) = (view.high_watermark, view.log_start);
        let answer = FetchAnswer::Records { batches: Vec::new(), high_watermark, log_start };
        let answered = self.wording().answer(by, asked.request, answer);
        let entry = self.await_entry(&answered)?;
        self.pass(&entry);
        self.finish()
    }

    /// What ends with the event.
    fn end(&mut self, event: &Event, dies: Option<BrokerId>, after: &State) -> Outcome {
        if let Some(broker) = dies {
            self.until(format!("{broker}"), "stops between two outputs", |board| board.has_stopped(broker))?;
            self.kill(broker, Offset(0))?;
        }
        match event.what {
            Happens::Killed { broker, checkpoint } => self.dies(broker, checkpoint)?,
            Happens::LosesPower { broker, keeps, checkpoint } => {
                if self.state.process(broker).is_some() {
                    self.dies(broker, checkpoint)?;
                }
                self.files(broker).lose_power(keeps)?;
            }
            Happens::LosesDisk(broker) => {
                self.dies(broker, Offset(0))?;
                self.files(broker).lose_all().map_err(Box::from)?;
            }
            _ => {}
        }
        for broker in self.state.brokers().filter(|broker| Some(*broker) != dies) {
            let ended = self.state.process(broker).is_some() && after.process(broker).is_none();
            if ended
                && !matches!(event.what, Happens::Killed { .. } | Happens::LosesPower { .. } | Happens::LosesDisk(_))
            {
                self.until(format!("{broker}"), "ends by itself", |board| board.has_ended(broker))?;
                self.forget(broker)?;
            }
        }
        Ok(())
    }

    /// Writes the high watermark down, as the broker does now and then, and kills it.
    fn dies(&mut self, broker: BrokerId, checkpoint: Offset) -> Outcome {
        let what = What::Timer("HighWatermarks".to_owned());
        let entry = self.await_entry(&Wanted { node: broker, at: Place::Broker, what })?;
        self.pass(&entry);
        self.finish()?;
        let written = self.files(broker).checkpoint()?;
        let known = self.state.process(broker).map(|process| process.replica.high_watermark());
        if known != Some(written) {
            let specified = known.map_or("none".to_owned(), |known| known.to_string());
            return Err(Difference::new(format!("the checkpoint of {broker}"), specified, written.to_string()));
        }
        self.kill(broker, checkpoint)
    }

    fn kill(&mut self, broker: BrokerId, checkpoint: Offset) -> Outcome {
        self.nodes.kill(broker);
        self.files(broker).set_checkpoint(checkpoint).map_err(Box::from)?;
        self.forget(broker)
    }

    /// A process has ended.
    fn forget(&mut self, broker: BrokerId) -> Outcome {
        self.nodes.kill(broker);
        self.board.clear(broker);
        self.clients.forget(broker);
        self.timers.retain(|timer| timer.node != broker);
        // What it had asked is not carried out; its connections are seen to have broken before anything else happens.
        let (follower, asks) = (format!("Follower({broker:?})"), format!("replica: {broker:?},"));
        let request = format!("broker: {broker:?},");
        let is_its = move |entry: &Entry| match &entry.what {
            What::Input(text) => text.contains(&asks) || entry.node == CONTROLLER && text.contains(&request),
            _ => false,
        };
        let entries: Vec<_> = self.board.waiting().filter(|entry| is_its(entry)).cloned().collect();
        entries.iter().for_each(|entry| self.discard(entry));
        self.until(format!("the fetches of {broker}"), "end with it", move |board| {
            !board.waiting().any(|entry| match &entry.what {
                What::Look(text) | What::Timer(text) => text.contains(&follower),
                _ => false,
            })
        })
    }

    /// Takes note of fetches that no one waits for any more, and of connections that broke.
    fn note_links(&mut self, event: &Event, after: &State) {
        for broker in after.brokers() {
            let place = usize::try_from(broker.0 - 1).unwrap_or(0);
            let (before, now) = (&self.state.links.fetches[place], &after.links.fetches[place]);
            let asked = match before {
                Fetch::Asked(asked) | Fetch::Parked(asked) => Some(*asked),
                Fetch::Answered(request, _) => Some(AskedFetch { request: *request, broker_epoch: None }),
                Fetch::Idle => None,
            };
            let current = match now {
                Fetch::Asked(asked) | Fetch::Parked(asked) => Some(asked.request),
                Fetch::Answered(request, _) => Some(*request),
                Fetch::Idle => None,
            };
            let went_on = match event.what {
                Happens::FetchArrives(of) | Happens::FetchAnswered(of) | Happens::Fetches(of) => of == broker,
                Happens::AnswerArrives(at) => at == broker,
                _ => false,
            };
            match asked.filter(|asked| !went_on && current != Some(asked.request)) {
                _ if after.process(broker).is_none() => self.given_up.retain(|(follower, _)| *follower != broker),
                Some(asked) => self.given_up.push((broker, asked)),
                None => {}
            }
            if parked_at(after, broker).is_none() {
                self.woken.remove(&broker);
            }
            if let Some(request) = current
                && (self.state.process(request.leader).is_some() != after.process(request.leader).is_some()
                    || after.process(request.leader).is_none())
            {
                self.cut_off.insert(broker);
            }
        }
    }

    /// Compares what is not at doors.
    fn compare(&mut self) -> Outcome {
        self.compare_timers()?;
        self.compare_answers()?;
        for broker in self.state.brokers().collect::<Vec<_>>() {
            let node = self.state.node(broker);
            let (specified, files) = (disk::of_model(&node.disk), self.files(broker));
            let (down, checkpoint) = (node.process.is_none(), node.disk.checkpoint);
            let opened = node.process.as_ref().is_some_and(|process| process.broker.is_published());
            let found = files.told(opened).unwrap_or_else(|error| error.to_string());
            if specified != found {
                return Err(Difference::new(format!("the files of {broker}"), specified, found));
            }
            let written = files.checkpoint()?;
            if down && written != checkpoint {
                let about = format!("the checkpoint of {broker}");
                return Err(Difference::new(about, checkpoint.to_string(), written.to_string()));
            }
            self.compare_reading(broker)?;
        }
        self.judge()
    }

    fn compare_timers(&mut self) -> Outcome {
        let mut specified: Vec<_> = self.timers.iter().map(in_words).collect();
        for broker in self.state.brokers() {
            let leader = self.state.process(broker).and_then(|process| process.replica.leader());
            let waiting = leader.map_or(0, |leader| leader.waiting.len());
            specified.extend((0..waiting).map(|_| format!("{broker}: a producer's")));
        }
        let armed = self.board.waiting().filter_map(|entry| match &entry.what {
            What::Timer(_) if is_producers(&entry.what) => Some(format!("{}: a producer's", entry.node)),
            What::Timer(text) if is_always_armed(text) || text.starts_with("MaxWait") => None,
            What::Timer(_) => Some(in_words(&wanted(entry))),
            _ => None,
        });
        let mut found: Vec<_> = armed.collect();
        specified.sort();
        found.sort();
        match specified == found {
            true => Ok(()),
            false => Err(Difference::new("the timers that are armed", specified.join(", "), found.join(", "))),
        }
    }

    fn compare_answers(&mut self) -> Outcome {
        for (value, specified) in &self.told {
            let found = self.clients.answer(*value);
            if found != Some(*specified) {
                let (specified, found) = (answer_in_words(Some(*specified)), answer_in_words(found));
                return Err(Difference::new(format!("the answer for m{value}"), specified, found));
            }
        }
        for (value, found) in self.clients.answers() {
            if !self.told.contains_key(&value) {
                let about = format!("the answer for m{value}");
                return Err(Difference::new(about, answer_in_words(None), answer_in_words(Some(found))));
            }
        }
        Ok(())
    }

    /// What a consumer reads from the beginning.
    fn compare_reading(&mut self, broker: BrokerId) -> Outcome {
        let Some(process) = self.state.process(broker).filter(|_| serves(&self.state, broker)) else { return Ok(()) };
        let ask = Ask { reader: Reader::Consumer, leader_epoch: None, offset: Offset(0), last_fetched_epoch: None };
        let specified = match process.published.answer(&self.world.rules, &ask) {
            Read::Refused(refusal) => format!("is refused {}", refusal.code()),
            Read::Diverging(_) => "is told where logs part".to_owned(),
            Read::Read { upto, high_watermark, .. } => {
                let log = &self.state.node(broker).disk.log;
                let upto = usize::try_from(upto.0).unwrap_or(0).min(log.len());
                let read: Vec<_> =
                    log[..upto].iter().map(|entry| format!("m{}/{}", entry.value, entry.epoch)).collect();
                let read = if read.is_empty() { "nothing".to_owned() } else { read.join(" ") };
                format!("reads {read} below {high_watermark}")
            }
        };
        let found = self.clients.read(broker, self.plan.address(broker))?;
        match specified == found {
            true => Ok(()),
            false => Err(Difference::new(format!("what a consumer reads at {broker}"), specified, found)),
        }
    }

    /// The properties, of what was observed: the files, and what producers were told.
    fn judge(&mut self) -> Outcome {
        let mut observed = self.state.clone();
        for broker in self.state.brokers() {
            let log = self.files(broker).log()?;
            observed.nodes[usize::try_from(broker.0 - 1).unwrap_or(0)].edit().disk.log = Arc::new(log);
        }
        let history = observed.history.edit();
        let told = |acknowledged: &mut Vec<u64>, told: &BTreeMap<u8, Answer>| {
            acknowledged.retain(|value| u8::try_from(*value).is_ok_and(|value| told.contains_key(&value)));
        };
        let answers = self.clients.answers();
        told(&mut history.acknowledged, &answers);
        told(&mut history.acknowledged_by_leader, &answers);
        for property in property::ALL {
            let verdict = self.world.view(&observed, |view| property.judge(view));
            if let Verdict::Violated(reason) = verdict {
                return Err(Difference::new(format!("the property {}", property.name), "holds", reason));
            }
        }
        Ok(())
    }

    pub(super) fn pass(&mut self, entry: &Entry) {
        if std::env::var_os("LS").is_some() {
            eprintln!("PASS {}", in_words(&wanted(entry)));
        }
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

    fn await_entry(&mut self, wanted: &Wanted) -> Outcome<Entry> {
        let about = format!("what waits at {}", wanted.node);
        self.await_that(about, wanted.what.to_string(), |entry| is(entry, wanted))
    }

    /// Waits for something to come to a door; what is excused passes meanwhile.
    fn await_that(&mut self, about: String, specified: String, is_it: impl Fn(&Entry) -> bool) -> Outcome<Entry> {
        loop {
            let now = self.board.now();
            if let Some(entry) = self.board.waiting().find(|entry| is_it(entry)) {
                return Ok(entry.clone());
            }
            if !self.excuse_some(&[])? && !self.board.wait(now) {
                let found = self.board.waiting().map(|entry| in_words(&wanted(entry))).collect::<Vec<_>>();
                return Err(Difference::new(about, specified, found.join("\n             ")));
            }
        }
    }

    /// Waits until all that passed has been carried out.
    pub(super) fn finish(&mut self) -> Outcome {
        loop {
            let now = self.board.now();
            let closes = self.board.waiting().find(|entry| entry.what == What::Close).cloned();
            if let Some(close) = closes {
                self.pass(&close);
            }
            if !self.board.is_busy() {
                return Ok(());
            }
            if !self.board.wait(now) {
                return Err(Difference::new("what was let in", "is carried out", "it never was"));
            }
        }
    }

    fn until(&mut self, about: String, specified: &str, mut so: impl FnMut(&mut Board) -> bool) -> Outcome {
        loop {
            let now = self.board.now();
            let closes = self.board.waiting().find(|entry| entry.what == What::Close).cloned();
            closes.iter().for_each(|close| self.pass(close));
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
    Difference::new("the scenario", "can be carried out on a cluster", format!("`{event}` can't, yet"))
}

/// The leader at which a follower's fetch waits.
fn parked_at(state: &State, follower: BrokerId) -> Option<BrokerId> {
    match state.links.fetches.get(usize::try_from(follower.0 - 1).ok()?)? {
        Fetch::Parked(asked) => Some(asked.request.leader),
        _ => None,
    }
}

fn is_below(what: &What, limit: Offset) -> bool {
    matches!(what, What::Metadata { upto, .. } if *upto <= limit)
}

/// Whether a timer is the shell's own, and always armed.
pub(super) fn is_always_armed(timer: &str) -> bool {
    ["Leaderless", "Checkpoint", "RecoveryPoints", "HighWatermarks"].contains(&timer)
}

fn is_producers(what: &What) -> bool {
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

fn answer_in_words(answer: Option<Answer>) -> String {
    match answer {
        None => "none".to_owned(),
        Some((0, offset)) => format!("acknowledged at {offset}"),
        Some((code, _)) => format!("error {code}"),
    }
}
