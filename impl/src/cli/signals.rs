//! The signals that ask a process to stop, and the one that a child gets when its parent is gone.

use super::failure::Failure;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::io;
use tokio::signal::unix::{self, SignalKind};

/// SIGINT (Ctrl-C), SIGTERM and SIGHUP.
pub struct StopSignals([unix::Signal; 3]);

impl StopSignals {
    /// From now on these signals don't end the process by themselves.
    pub fn catch() -> Result<Self, Failure> {
        let caught = |kind| unix::signal(kind).map_err(|error| Failure::said(format!("cannot catch signals: {error}")));
        Ok(Self([caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?, caught(SignalKind::hangup())?]))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Has the kernel kill this process when the thread that started it is gone, however that came about.
///
/// # Errors
/// If the parent is not `parent`: it was gone before the kernel was told.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let expected = i32::try_from(parent).ok().and_then(Pid::from_raw);
    if getppid() == expected { Ok(()) } else { Err(io::Error::other("the process that started this one is gone")) }
}
