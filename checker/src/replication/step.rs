//! Carrying out what machines say: the model's shell. Like a broker's it decides nothing.

use super::Bounds;
use super::state::{
    AskedFetch, ControllerNode, Fetch, Logged, Model, Node, PARTITION, Proposal, State, index, value_of,
};
use super::turn::{Trace, Turn};
use super::{observe, words};
use crate::history::note_records;
use crate::shared::digest;
use highwater_spec::broker;
use highwater_spec::controller::{self, Heartbeat, Register, Reply};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{self, Answer, FetchAnswer, FetchRequest, Output, ProposalsOutcome};
use highwater_spec::replicated;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, Offset, Ticket};
use highwater_spec::view::Entry;
use std::sync::Arc;

/// One step of the cluster in the making.
pub struct Step<'a> {
    pub rules: &'a Rules,
    pub bounds: &'a Bounds,
    pub state: State,
    /// Whom the controller elects among equals.
    pub choice: Option<BrokerId>,
    /// How many durable outputs the broker carries out before it is killed.
    pub cut_short: Option<u8>,
    /// The broker that was killed in the middle of this step.
    pub killed: Option<BrokerId>,
    /// Whether the next view is to be published later.
    pub publish_late: bool,
    /// What was carried out, in words, for whoever wants to read it.
    pub trace: Option<&'a mut Trace>,
    durable: u8,
}

impl<'a> Step<'a> {
    pub fn new(rules: &'a Rules, bounds: &'a Bounds, state: State) -> Self {
        let (choice, cut_short, killed, trace) = (None, None, None, None);
        Self { rules, bounds, state, choice, cut_short, killed, publish_late: false, trace, durable: 0 }
    }

    pub fn node(&mut self, broker: BrokerId) -> &mut Node {
        self.state.nodes[index(broker)].edit()
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.said.push(line());
        }
    }

    fn note(&mut self, turn: impl FnOnce() -> Turn) {
        if let Some(trace) = &mut self.trace {
            trace.turns.push(turn());
        }
    }

    /// Steps a replica and carries out what it says.
    pub fn tell_replica(&mut self, of: BrokerId, input: replica::Input<Model>) {
        let (rules, traced) = (self.rules, self.trace.is_some());
        let Some(process) = &mut self.node(of).process else { return };
        let before = observe::Leadership::of(&process.replica);
        let mut outputs = Vec::new();
        let heard = traced.then(|| input.clone());
        process.replica.step(rules, input, &mut outputs);
        let after = observe::Leadership::of(&process.replica);
        heard.into_iter().for_each(|input| self.note(|| Turn::Replica { at: of, input, outputs: outputs.clone() }));
        observe::high_watermark(&mut self.state, before, after);
        for output in outputs {
            if self.killed == Some(of) {
                return;
            }
            self.carry_out(of, output);
        }
        observe::exposed(&mut self.state, rules, of);
    }

    fn carry_out(&mut self, of: BrokerId, output: Output<Model>) {
        self.say(|| words::replica_output(of, &output));
        let durable = output.outlives_process();
        match output {
            Output::StoreEpochs(epochs) => self.node(of).disk.epochs = epochs,
            Output::Append(batches) => {
                let entries = batches.iter().map(|batch| Entry { epoch: batch.epoch, value: u64::from(batch.bytes) });
                Arc::make_mut(&mut self.node(of).disk.log).extend(entries);
            }
            Output::Truncate { to } | Output::TruncateFully { at: to } => {
                observe::cut(&mut self.state, of, to);
                let node = self.node(of);
                Arc::make_mut(&mut node.disk.log).truncate(usize::try_from(to.0).unwrap_or(0));
                node.disk.flushed = node.disk.flushed.min(to);
                if let Some(process) = &mut node.process {
                    process.readable_below = Some(process.readable_below.map_or(to, |lowest| lowest.min(to)));
                }
            }
            Output::Flush { upto } => self.node(of).disk.flushed = upto,
            Output::Reply { ticket, outcome } => {
                self.note(|| Turn::Answered { by: of, value: value_of(ticket), outcome });
                observe::answered(&mut self.state, of, ticket, outcome);
            }
            Output::Fetch(request) => self.send_fetch(of, request),
            Output::CancelFetch => self.state.links.edit().fetches[index(of)] = Fetch::Idle,
            Output::AskLogEnds(request) => self.ask_log_ends(of, request),
            Output::ProposeIsr(proposal) => {
                self.tell_broker(of, broker::Input::IsrProposed { partition: PARTITION, proposal });
            }
            // Time is left out: a retry comes at once, and a lag timer may fire whenever the budget allows.
            Output::SetTimer { timer: timer @ replica::Timer::FetchRetry, .. } => {
                self.tell_replica(of, replica::Input::TimerFired(timer));
            }
            Output::SetTimer { .. } => {}
            Output::Publish(view) => self.publish(of, view),
            Output::ReadProducers { upto } => {
                let producers = self.bounds.producers(&self.node(of).disk.log);
                self.tell_replica(of, replica::Input::ProducersRead { upto, producers });
            }
            Output::DeleteLog => {
                let disk = &mut self.node(of).disk;
                disk.log = Arc::default();
                disk.flushed = Offset(0);
            }
        }
        if durable {
            self.note_durable(of);
        }
    }

    /// Kills the broker here if its time has come.
    fn note_durable(&mut self, of: BrokerId) {
        self.durable += 1;
        if self.cut_short == Some(self.durable) {
            self.killed = Some(of);
        }
    }

    fn publish(&mut self, of: BrokerId, view: replica::ReadView) {
        let view = Arc::new(view);
        let late = std::mem::take(&mut self.publish_late);
        let Some(process) = &mut self.node(of).process else { return };
        if late || process.unpublished.is_some() {
            process.unpublished = Some(view);
        } else {
            process.published = view;
            process.readable_below = None;
        }
    }

    fn send_fetch(&mut self, of: BrokerId, request: FetchRequest) {
        let broker_epoch = self.state.process(of).and_then(|process| process.broker.epoch());
        self.state.links.edit().fetches[index(of)] = Fetch::Asked(AskedFetch { request, broker_epoch });
    }

    /// ListOffsets, asked and answered at once.
    fn ask_log_ends(&mut self, of: BrokerId, asked: FetchRequest) {
        let leader = self.state.process(asked.leader).map(|process| Arc::clone(&process.published));
        let input = match leader.filter(|view| view.leader_epoch == Some(asked.leader_epoch)) {
            Some(view) => replica::Input::LogEndsAnswered { asked, start: view.log_start, end: view.log_end },
            None => replica::Input::TimerFired(replica::Timer::FetchRetry),
        };
        self.tell_replica(of, input);
    }

    /// Steps a broker and carries out what it says.
    pub fn tell_broker(&mut self, of: BrokerId, input: broker::Input<Model>) {
        let (rules, traced) = (self.rules, self.trace.is_some());
        let Some(process) = &mut self.node(of).process else { return };
        let mut outputs = Vec::new();
        let heard = traced.then(|| input.clone());
        process.broker.step(rules, input, &mut outputs);
        heard.into_iter().for_each(|input| self.note(|| Turn::Broker { at: of, input, outputs: outputs.clone() }));
        for output in outputs {
            if self.killed == Some(of) {
                return;
            }
            self.carry_out_for_broker(of, output);
        }
    }

    fn carry_out_for_broker(&mut self, of: BrokerId, output: broker::Output<Model>) {
        if !matches!(output, broker::Output::Tell { .. }) {
            self.say(|| words::broker_output(of, &output));
        }
        match output {
            broker::Output::Register { incarnation, previous_epoch } => {
                let (ticket, choice) = (Ticket(0), self.choice);
                let register = Register { ticket, broker: of, incarnation, previous_epoch, choice };
                let outcome = match self.ask_controller(controller::Input::Register(register)) {
                    Some(Reply::Registered(epoch)) => Ok(epoch),
                    Some(Reply::Refused(refusal)) => Err(refusal),
                    _ => Err(Refusal::RequestTimedOut),
                };
                self.tell_broker(of, broker::Input::RegistrationAnswered { outcome, at: () });
            }
            broker::Output::Heartbeat { epoch, metadata_end, want_fence, want_shutdown } => {
                self.beat(Heartbeat {
                    ticket: Ticket(0),
                    broker: of,
                    epoch,
                    metadata_end,
                    want_fence,
                    want_shutdown,
                    choice: self.choice,
                });
            }
            broker::Output::AlterPartition { broker_epoch, changes } => {
                self.state.links.edit().proposals[index(of)] = Proposal::Asked(broker_epoch, changes);
            }
            broker::Output::Tell { input, .. } => self.tell_replica(of, input),
            broker::Output::CloseLogs => self.tell_broker(of, broker::Input::LogsClosed),
            broker::Output::WriteCleanShutdown { epoch } => {
                self.node(of).disk.clean = Some(epoch);
                self.note_durable(of);
            }
            broker::Output::Exit => self.end_process(of, None),
            broker::Output::SetTimer(timer @ broker::Timer::AlterPartitionRetry) => {
                self.tell_broker(of, broker::Input::TimerFired(timer));
            }
            // Registrations and heartbeats are sent by events of their own.
            broker::Output::SetTimer(_) => {}
        }
    }

    fn beat(&mut self, heartbeat: Heartbeat) {
        let outcome = match self.ask_controller(controller::Input::Heartbeat(heartbeat)) {
            Some(Reply::Heartbeat(reply)) => Ok(reply),
            Some(Reply::Refused(refusal)) => Err(refusal),
            _ => Err(Refusal::RequestTimedOut),
        };
        self.tell_broker(heartbeat.broker, broker::Input::HeartbeatAnswered(outcome));
    }

    /// Steps the controller, commits what it appends, and returns its reply.
    pub fn ask_controller(&mut self, input: controller::Input) -> Option<Reply> {
        let (rules, traced) = (self.rules, self.trace.is_some());
        let node = self.state.controller.edit();
        let before = Arc::clone(node.machine.committed().image());
        let mut outputs = Vec::new();
        let heard = traced.then(|| input.clone());
        node.machine.step(rules, replicated::Input::Heard(input), &mut outputs);
        let upto = node.machine.end();
        node.machine.step(rules, replicated::Input::Committed { upto }, &mut outputs);
        if let Some(input) = heard {
            let extended = outputs.iter().filter_map(|output| match output {
                replicated::Output::Do(controller::Output::ExtendSession { broker, .. }) => Some(*broker),
                _ => None,
            });
            let extended = extended.collect();
            self.note(|| Turn::Controller { input, extended });
        }
        let mut reply = None;
        for output in outputs {
            match output {
                replicated::Output::Append { records, .. } => {
                    for record in &records {
                        self.say(|| words::record(record));
                    }
                    append(self.state.controller.edit(), &before, &records);
                    note_records(self.state.history.edit(), PARTITION, &before, &records, false);
                }
                replicated::Output::Do(controller::Output::Reply { reply: given, .. }) => reply = Some(given),
                replicated::Output::Do(controller::Output::ExtendSession { .. }) => {}
            }
        }
        reply
    }

    /// A fetch reaches the leader: it acknowledges, and the answer is on its way if there is anything to say.
    pub fn fetch_arrives(&mut self, follower: BrokerId, asked: AskedFetch) -> Option<FetchAnswer<Model>> {
        let request = asked.request;
        let fetch = request.arriving(follower, asked.broker_epoch, ());
        self.tell_replica(request.leader, replica::Input::FollowerFetched(fetch));
        self.look(follower, &request)
    }

    /// A follower's fetch reads what its leader has published.
    pub fn look(&mut self, by: BrokerId, request: &FetchRequest) -> Option<FetchAnswer<Model>> {
        let answer = self.fetch_answer(by, request);
        let (at, ask) = (request.leader, request.ask(by));
        self.note(|| Turn::Look { at, by, ask, answer: answer.clone() });
        answer
    }

    /// What the leader's view says to a fetch; `None` as long as it would say nothing new.
    fn fetch_answer(&self, follower: BrokerId, request: &FetchRequest) -> Option<FetchAnswer<Model>> {
        let process = self.state.process(request.leader)?;
        match process.published.answer(self.rules, &request.ask(follower)) {
            Answer::Refused(refusal) => Some(FetchAnswer::Refused(refusal)),
            Answer::Diverging(end) => Some(FetchAnswer::Diverging(end)),
            Answer::Read { from, upto, .. } if process.readable_below.is_some_and(|cut| cut < upto.max(from)) => None,
            Answer::Read { from, upto, high_watermark } => {
                let known = self.state.process(follower)?.replica.high_watermark();
                let batches = self.read(request.leader, from, upto);
                let says_something = !batches.is_empty() || known != high_watermark.min(from);
                let log_start = process.published.log_start;
                says_something.then_some(FetchAnswer::Records { batches, high_watermark, log_start })
            }
        }
    }

    fn read(&self, from_disk_of: BrokerId, from: Offset, upto: Offset) -> Vec<highwater_spec::log::Batch<Model>> {
        let log = &self.state.node(from_disk_of).disk.log;
        let place = |offset: Offset| usize::try_from(offset.0).unwrap_or(0).min(log.len());
        let entries = &log[place(from)..place(upto).max(place(from))];
        let batches = (from.0..).zip(entries).map(|(base, entry)| highwater_spec::log::Batch {
            base: Offset(base),
            count: 1,
            epoch: entry.epoch,
            producer: self.bounds.sequenced(value_in(entry)),
            bytes: value_in(entry),
        });
        batches.collect()
    }

    /// Ends a process, by its own will or not. Its connections break: what waits at it for an answer is asked again.
    pub fn end_process(&mut self, of: BrokerId, checkpoint: Option<Offset>) {
        let node = self.node(of);
        let Some(process) = node.process.take() else { return };
        node.disk.checkpoint = checkpoint.unwrap_or(process.replica.high_watermark());
        let links = self.state.links.edit();
        links.fetches[index(of)] = Fetch::Idle;
        links.proposals[index(of)] = Proposal::Idle;
        for fetch in &mut links.fetches {
            if let Fetch::Parked(asked) = *fetch
                && asked.request.leader == of
            {
                *fetch = Fetch::Asked(asked);
            }
        }
    }

    /// The controller hears a leader's proposal.
    pub fn proposal_arrives(&mut self, of: BrokerId) -> ProposalsOutcome {
        let asked = std::mem::take(&mut self.state.links.edit().proposals[index(of)]);
        let Proposal::Asked(broker_epoch, changes) = asked else { return Err(Refusal::RequestTimedOut) };
        let input = controller::Input::AlterPartition { ticket: Ticket(0), broker: of, broker_epoch, changes };
        match self.ask_controller(input) {
            Some(Reply::AlteredPartitions(answers)) => Ok(answers),
            Some(Reply::Refused(refusal)) => Err(refusal),
            _ => Err(Refusal::RequestTimedOut),
        }
    }

    /// The state that the step leads to, with whoever was killed in it gone.
    pub fn finish(mut self, checkpoint_of_killed: Offset) -> State {
        if let Some(killed) = self.killed {
            self.end_process(killed, Some(checkpoint_of_killed));
        }
        self.state
    }
}

fn append(node: &mut ControllerNode, before: &controller::Image, records: &[controller::Record]) {
    let mut image = before.clone();
    for (place, record) in records.iter().enumerate() {
        image.apply(record);
        let ends_step = place + 1 == records.len();
        node.log.push(Logged { record: record.clone(), ends_step, digest: digest(&image) });
    }
}

/// The record's value, as a batch has it.
fn value_in(entry: &Entry) -> u8 {
    u8::try_from(entry.value).unwrap_or(u8::MAX)
}
