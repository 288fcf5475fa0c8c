//! The thread that hosts the controller machine, and the metadata log that it is a fold of.
//!
//! It decides nothing: `highwater_spec::controller` does. What the machine appends is committed once it is on the disk;
//! everything that arrived meanwhile shares one fsync.

use super::cluster::{Addresses, Endpoint};
use super::metadata_log::{MetadataLog, MetadataLogError};
use super::tickets::Tickets;
use super::timers::Timers;
use crate::cells::{Drained, Published};
use crate::door::{Done, Enters, Entrance, Place, What};
use highwater_spec::controller::{self, Config, Controller, Input, Output, Record, ReplicatedController, Reply};
use highwater_spec::machine::Machine;
use highwater_spec::replicated;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, Ticket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What reaches the controller's thread.
pub enum Event {
    /// Someone asks the machine.
    Asked(Ask),
    /// A timer that the door has let through.
    Due(TimerName),
    /// To be called when everything sent before is committed.
    Mark(Done),
}

/// What reaches the controller machine.
pub struct Ask {
    /// The fact, given the ticket of whoever waits.
    pub input: Box<dyn Fn(Ticket) -> Input + Send>,
    /// Where a process that registers listens.
    pub endpoint: Option<(IncarnationId, Endpoint)>,
    /// Takes the answer.
    pub reply: oneshot::Sender<Reply>,
}

/// What others see of the controller.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// The metadata, as far as it is committed.
    pub image: Arc<controller::Image>,
    /// The first metadata offset not committed (exclusive).
    pub end: Offset,
}

/// How long the machine's timers run.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// `broker.session.timeout.ms`.
    pub session: Duration,
    /// How often partitions without a leader are looked at.
    pub leaderless: Duration,
    /// How often it is noted how far the log is durable.
    pub checkpoint: Duration,
}

impl Enters for Event {
    fn arrival(&self) -> Option<(Place, What)> {
        let Self::Asked(ask) = self else { return None };
        Some((Place::Controller, What::Input(format!("{:?}", (ask.input)(Ticket(0))))))
    }

    fn mark(done: Done) -> Self {
        Self::Mark(done)
    }
}

/// A timer of the controller's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerName {
    /// A broker's session.
    Session(BrokerId),
    /// Partitions without a leader.
    Leaderless,
    /// How far the log is durable.
    Checkpoint,
}

/// The thread's own state.
pub struct ControllerHost {
    machine: ReplicatedController,
    rules: Rules,
    log: MetadataLog,
    timing: Timing,
    timers: Timers<TimerName>,
    entrance: Entrance<Event>,
    sessions: std::collections::BTreeMap<BrokerId, BrokerEpoch>,
    tickets: Tickets<oneshot::Sender<Reply>>,
    addresses: Arc<Addresses>,
    committed: Arc<Published<Committed>>,
    log_grew: Arc<crate::cells::Parked>,
}

impl ControllerHost {
    /// A controller that begins with what its log says.
    ///
    /// # Errors
    /// When the log can't be read.
    pub fn open(
        log: MetadataLog,
        rules: Rules,
        timing: Timing,
        committed: Arc<Published<Committed>>,
        log_grew: Arc<crate::cells::Parked>,
        entrance: Entrance<Event>,
    ) -> Result<Self, MetadataLogError> {
        let before = entrance.clone();
        let hold = move |name: &TimerName| {
            let name = *name;
            before.hold_timer(Place::Controller, format!("{name:?}"), move || Event::Due(name))
        };
        let replayed = log.replay()?;
        let machine = ReplicatedController::new(Controller::new(Arc::new(replayed.image)), replayed.end);
        Ok(Self {
            machine,
            rules,
            log,
            timing,
            timers: Timers::before(hold),
            entrance,
            sessions: Default::default(),
            tickets: Tickets::new(),
            addresses: Arc::new(replayed.addresses),
            committed,
            log_grew,
        })
    }

    /// Runs until the inbox is closed. `defaults` is what the cluster's configuration begins with.
    ///
    /// # Errors
    /// When the log can't be written: a controller that can't commit must not go on.
    pub fn run(mut self, defaults: Config) -> Result<(), MetadataLogError> {
        self.activate(defaults)?;
        let (mut events, mut marks) = (Vec::new(), Vec::new());
        while self.entrance.drain(&mut events, self.timers.next()) != Drained::Closed {
            for event in events.drain(..) {
                match event {
                    Event::Asked(ask) => self.asked(ask)?,
                    Event::Due(name) => {
                        if self.timers.take(&name) {
                            self.fire(name)?;
                        }
                    }
                    Event::Mark(done) => marks.push(done),
                }
            }
            while let Some(name) = self.timers.take_due(Instant::now()) {
                self.fire(name)?;
            }
            self.commit()?;
            marks.drain(..).for_each(|done: Done| done());
        }
        self.log.close()
    }

    fn asked(&mut self, Ask { input, endpoint, reply }: Ask) -> Result<(), MetadataLogError> {
        if let Some((incarnation, endpoint)) = endpoint {
            Arc::make_mut(&mut self.addresses).note(incarnation, endpoint);
        }
        let ticket = self.tickets.issue(reply);
        self.turn(replicated::Input::Heard(input(ticket)))
    }

    /// `min.insync.replicas` of the cluster is a record from the start: the ELR rests on it.
    fn activate(&mut self, defaults: Config) -> Result<(), MetadataLogError> {
        self.turn(replicated::Input::Heard(Input::Activated))?;
        if self.machine.end() == Offset(0) {
            let ticket = Ticket(u32::MAX);
            self.turn(replicated::Input::Heard(Input::Configure { ticket, topic: None, config: defaults }))?;
        }
        self.timers.set(TimerName::Leaderless, Instant::now() + self.timing.leaderless);
        self.timers.set(TimerName::Checkpoint, Instant::now() + self.timing.checkpoint);
        self.commit()
    }

    fn fire(&mut self, name: TimerName) -> Result<(), MetadataLogError> {
        let input = match name {
            TimerName::Session(broker) => {
                let Some(epoch) = self.sessions.remove(&broker) else { return Ok(()) };
                Input::SessionExpired { broker, epoch, choice: None }
            }
            TimerName::Checkpoint => {
                self.timers.set(TimerName::Checkpoint, Instant::now() + self.timing.checkpoint);
                return self.log.note_recovery_point();
            }
            TimerName::Leaderless => {
                self.timers.set(TimerName::Leaderless, Instant::now() + self.timing.leaderless);
                Input::LeaderlessChecked { choice: None }
            }
        };
        self.turn(replicated::Input::Heard(input))
    }

    /// Makes durable what the turns since the last call appended, and lets everyone know.
    fn commit(&mut self) -> Result<(), MetadataLogError> {
        let upto = self.machine.end();
        if upto > self.committed.read().end {
            self.log.flush(upto)?;
        }
        self.turn(replicated::Input::Committed { upto })
    }

    /// One turn: step the machine, carry out what it says, in order.
    fn turn(&mut self, input: replicated::Input<Input>) -> Result<(), MetadataLogError> {
        let mut outputs = Vec::new();
        let before = Arc::clone(self.machine.speculative().image());
        self.machine.step(&self.rules, input, &mut outputs);
        self.show();
        for output in outputs {
            match output {
                replicated::Output::Append { base, records } => self.append(base, &records, &before)?,
                replicated::Output::Do(output) => self.carry_out(output),
            }
        }
        Ok(())
    }

    fn append(&mut self, base: Offset, records: &[Record], before: &controller::Image) -> Result<(), MetadataLogError> {
        self.log.append(base, records, before, &self.addresses)
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Reply { ticket, reply } => {
                if let Some(waits) = self.tickets.redeem(ticket) {
                    let _ = waits.send(reply);
                }
            }
            Output::ExtendSession { broker, epoch } => {
                self.sessions.insert(broker, epoch);
                self.timers.set(TimerName::Session(broker), Instant::now() + self.timing.session);
            }
        }
    }

    /// Lets readers see what is committed, before anyone is answered.
    fn show(&mut self) {
        let end = self.machine.committed_end();
        let shown = self.committed.read();
        let image = self.machine.committed().image();
        if end > shown.end || !Arc::ptr_eq(&shown.image, image) {
            self.committed.publish(Committed { image: Arc::clone(image), end });
            self.log_grew.wake_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Door;

    const NEVER: Duration = Duration::from_secs(3600);

    #[test]
    fn what_is_committed_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let log = MetadataLog::open(dir.path()).unwrap();
        let timing = Timing { session: NEVER, leaderless: NEVER, checkpoint: NEVER };
        let (committed, grew) = (Arc::new(Published::new(Committed::default())), Arc::default());
        let entrance = Entrance::new(Door::open());
        let mut host = ControllerHost::open(log, Rules::KAFKA, timing, Arc::clone(&committed), grew, entrance).unwrap();
        let config = |min_isr| Config { min_insync_replicas: Some(min_isr), ..Config::default() };
        host.activate(config(1)).unwrap();
        let before = committed.read().end;
        assert!(before > Offset(0) && before == host.log.durable());
        let (reply, mut answer) = oneshot::channel();
        let input = move |ticket| Input::Configure { ticket, topic: None, config: config(2) };
        host.asked(Ask { input: Box::new(input), endpoint: None, reply }).unwrap();
        assert!(answer.try_recv().is_err(), "not answered yet");
        assert_eq!(committed.read().end, before, "nor shown");
        host.commit().unwrap();
        assert!(answer.try_recv().is_ok());
        let after = committed.read().end;
        assert!(after > before && after == host.log.durable());
    }
}
