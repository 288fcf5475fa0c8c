//! One node as a process of its own: started, killed, put to sleep, woken, asked to end.

use super::program::Program;
use super::until::until;
use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};

/// Settings of a node, by Kafka's names.
pub type Settings = Vec<(&'static str, String)>;

/// A node's process, or the place for it while it doesn't run. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    program: Program,
    node: u16,
    /// The cluster's directory.
    dir: PathBuf,
    settings: Settings,
    output: PathBuf,
    running: Option<Child>,
}

impl Process {
    /// A node that doesn't run yet. What it says is appended to a file in the cluster's directory.
    ///
    /// # Errors
    /// When what it needs can't be made.
    pub fn new(name: String, program: &Program, dir: &Path, node: u16, settings: Settings) -> io::Result<Self> {
        program.prepare(dir, node, &settings)?;
        let (program, dir, output) = (program.clone(), dir.to_owned(), dir.join(format!("{node}.log")));
        Ok(Self { name, program, node, dir, settings, output, running: None })
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(&mut self) -> io::Result<()> {
        let output = File::options().create(true).append(true).open(&self.output)?;
        let mut command = self.program.command(&self.dir, self.node, &self.settings);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        self.running = Some(command.spawn()?);
        Ok(())
    }

    /// What to call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it runs, be it asleep.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// `kill -9`: gone, and what it wrote stays with the system.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Puts it to sleep: it keeps its memory and its connections, and does nothing.
    ///
    /// # Errors
    /// When it doesn't run.
    pub fn pause(&self) -> Result<(), Failed> {
        self.signal(Signal::STOP)
    }

    /// Wakes it.
    ///
    /// # Errors
    /// When it doesn't run.
    pub fn resume(&self) -> Result<(), Failed> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it doesn't end, or not with success.
    pub async fn stop(&mut self) -> Result<(), Failed> {
        self.signal(Signal::TERM)?;
        let what = format!("{} has ended", self.name);
        let status = until(&what, async || self.ended().ok_or("it runs")).await?;
        self.running = None;
        match self.program.ended_well(status) {
            true => Ok(()),
            false => Err(format!("{} was asked to end, and did with {status}", self.name).into()),
        }
    }

    /// How it ended, if it did without being killed from here.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.running.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// What is wrong with it, whatever else is right: it has ended by itself, or a thread of it has panicked.
    pub fn ailment(&mut self) -> Option<String> {
        if let Some(status) = self.ended() {
            return Some(format!("{} has ended by itself: {status}", self.name));
        }
        let panic = self.said().lines().find(|line| line.contains("panicked at"))?.to_owned();
        Some(format!("{}: {panic}", self.name))
    }

    /// Everything that it has said so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    fn signal(&self, signal: Signal) -> Result<(), Failed> {
        let pid = self.running.as_ref().and_then(|child| Pid::from_raw(child.id().cast_signed()));
        let pid = pid.ok_or_else(|| format!("{} doesn't run", self.name))?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
