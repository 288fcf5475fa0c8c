//! A group of many members in few processes, which come, go and are killed as one says.

use super::cost::{Cost, Shares};
use super::{Change, Ground, Language, Protocol, Recorder, quiet};
use crate::histories::Event;
use crate::programs::Process;
use std::thread;
use std::time::{Duration, Instant};

/// More threads of Python would wait for each other.
const PER_PROCESS: usize = 50;
/// A group that hasn't come to rest by then never will.
const PATIENCE: Duration = Duration::from_secs(240);
const LOOK: Duration = Duration::from_millis(100);
/// Who comes, and leaves again.
const NEWCOMER: &str = "newcomer";
/// Who is killed. It has a process of its own.
const VICTIM: &str = "victim";

/// A group at rest, or on its way there.
pub(super) struct Crowd {
    recorder: Recorder,
    processes: Vec<Process>,
    victim: Option<Process>,
    members: usize,
    partitions: usize,
    quiet: Duration,
}

impl Crowd {
    /// Starts so many members, and waits until the group is at rest.
    pub(super) fn start(ground: &Ground, topic: &str, protocol: Protocol, members: usize) -> Result<Self, String> {
        let partitions = usize::try_from(ground.partitions).unwrap_or(0);
        let mut crowd = Self {
            recorder: Recorder::default(),
            processes: Vec::new(),
            victim: None,
            members,
            partitions,
            quiet: quiet(ground),
        };
        let names: Vec<_> = (1..members).map(|number| format!("member-{number}")).collect();
        for some in names.chunks(PER_PROCESS) {
            crowd.processes.push(crowd.process(ground, topic, protocol, some)?);
        }
        crowd.victim = Some(crowd.process(ground, topic, protocol, &[VICTIM.to_owned()])?);
        crowd.until_at_rest()?;
        Ok(crowd)
    }

    /// A process, named like its first member. If it is killed, that member is gone.
    fn process(&self, ground: &Ground, topic: &str, protocol: Protocol, names: &[String]) -> Result<Process, String> {
        let times = [ground.heartbeat_ms, ground.session_ms].map(|ms| ms.to_string());
        let arguments = [&ground.bootstrap, topic, topic, protocol.name(), &times[0], &times[1]];
        let mut command = Language::crowd(&arguments).map_err(|error| error.to_string())?;
        let who = names.first().map_or("", String::as_str);
        let started = Process::start(&mut command, who, Some(topic), &self.recorder);
        let mut process = started.map_err(|error| error.to_string())?;
        for name in names {
            process.tell(&format!("join {name}")).map_err(|error| error.to_string())?;
        }
        Ok(process)
    }

    /// Something happens to it. Its cost, once the group is at rest again.
    pub(super) fn changed(&mut self, change: Change) -> Result<Cost, String> {
        let mut since = Recorder::now();
        match change {
            Change::Joins => {
                self.tell_first(&format!("join {NEWCOMER}"))?;
                self.members += 1;
            }
            Change::Leaves => {
                self.tell_first(&format!("leave {NEWCOMER}"))?;
                self.members -= 1;
            }
            Change::Crashes => {
                self.victim.take().into_iter().for_each(Process::kill);
                self.members -= 1;
            }
        }
        let events = self.until_at_rest()?;
        if change == Change::Leaves {
            // It takes its time until it notices that it is to leave.
            let leaves = |event: &&Event| event.ended >= since && event.who == NEWCOMER;
            since = events.iter().find(leaves).map_or(since, |event| event.ended);
        }
        Ok(Cost::of(&events, since))
    }

    fn tell_first(&mut self, line: &str) -> Result<(), String> {
        let first = self.processes.first_mut().ok_or("a group has two members at least")?;
        first.tell(line).map_err(|error| format!("{}: {error}; it said:\n{}", first.who(), first.said()))
    }

    /// Waits until every partition has an owner, shares are even, and nobody has been told anything for a while.
    fn until_at_rest(&self) -> Result<Vec<Event>, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            thread::sleep(LOOK);
            let events = self.recorder.events();
            let shares = Shares::after(&events);
            let last = events.last().map_or(0, |event| event.ended);
            let silence = Duration::from_nanos(Recorder::now().saturating_sub(last));
            if silence >= self.quiet && shares.are_even(self.members, self.partitions) {
                return Ok(events);
            }
            if Instant::now() > deadline {
                let said: String = self.processes.iter().chain(&self.victim).map(Process::said).collect();
                let (members, partitions) = (self.members, self.partitions);
                return Err(format!(
                    "{members} members do not share out {partitions} partitions; last: {shares:?}; they said:\n{said}"
                ));
            }
        }
    }

    /// All leave.
    pub(super) fn finish(self) -> Result<(), String> {
        self.victim.into_iter().chain(self.processes).try_for_each(Process::finish)
    }
}
