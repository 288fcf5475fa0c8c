//! One node as a process of its own: started, killed, put to sleep, woken, asked to end.

use super::until::until;
use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Settings of a node, by Kafka's names.
pub type Settings = Vec<(&'static str, String)>;

/// A node's process, or the place for it while it doesn't run. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    binary: PathBuf,
    settings: Settings,
    output: PathBuf,
    running: Option<Child>,
}

impl Process {
    /// A node that doesn't run yet. What it says is appended to the file `output`.
    pub fn new(name: String, binary: &Path, settings: Settings, output: PathBuf) -> Self {
        Self { name, binary: binary.to_owned(), settings, output, running: None }
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(&mut self) -> io::Result<()> {
        let output = File::options().create(true).append(true).open(&self.output)?;
        let mut command = Command::new(&self.binary);
        command.args(["serve", "--die-with-parent", &std::process::id().to_string()]);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // What the user has set for brokers of his own isn't for this one.
        for (name, _) in env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        let variable = |name: &str| format!("HIGHWATER_{}", name.to_uppercase().replace('.', "_"));
        command.envs(self.settings.iter().map(|(name, value)| (variable(name), value)));
        if env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "info");
        }
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
        match status.success() {
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

fn is_setting(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"HIGHWATER_")
}
