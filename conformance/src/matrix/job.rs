//! A command that runs on the copy: its output kept, and with a time limit.

use super::MatrixError;
use super::error::Context;
use super::interrupt::Interrupt;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(50);

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With exit status 0.
    Success,
    /// With another, or by a signal.
    Failure,
    /// Not by itself: the time was up.
    Late,
}

/// What a command did.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) end: End,
    /// What it wrote, to both outputs.
    pub(super) text: String,
}

/// Runs the command, which writes into the file `output`, in a process group of its own, so that what it started can be
/// ended with it.
pub(super) fn run(
    command: &mut Command,
    output: &Path,
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<Ended, MatrixError> {
    let file = File::create(output).context(output)?;
    let also = file.try_clone().context(output)?;
    let spawned = command.stdin(Stdio::null()).stdout(file).stderr(also).process_group(0).spawn();
    let program = || command.get_program().to_string_lossy().into_owned();
    let mut child = spawned.map_err(|error| MatrixError::Program { program: program(), error })?;
    let end = wait(&mut child, limit, interrupt);
    if !matches!(end, Some(End::Success | End::Failure)) {
        end_group(&mut child);
    }
    let text = String::from_utf8_lossy(&fs::read(output).context(output)?).into_owned();
    Ok(Ended { end: end.ok_or(MatrixError::Interrupted)?, text })
}

/// `None`: interrupted.
fn wait(child: &mut Child, limit: Duration, interrupt: &Interrupt) -> Option<End> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Some(End::Success),
            Ok(Some(_)) | Err(_) => return Some(End::Failure),
            Ok(None) if interrupt.came() => return None,
            Ok(None) if Instant::now() > deadline => return Some(End::Late),
            Ok(None) => thread::sleep(POLL),
        }
    }
}

/// While the child has not been waited for, no other group can have its number.
fn end_group(child: &mut Child) {
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> (Ended, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(dir.path());
        let ended = run(&mut command, &dir.path().join("output"), limit, &Interrupt::default()).unwrap();
        (ended, dir)
    }

    #[test]
    fn both_outputs_are_kept() {
        let (ended, _) = sh("echo a; echo b >&2; exit 3", Duration::from_secs(60));
        assert_eq!((ended.end, ended.text.as_str()), (End::Failure, "a\nb\n"));
    }

    #[test]
    fn what_takes_too_long_is_ended_with_all_that_it_started() {
        let (ended, dir) = sh("sleep 1000 & echo $! > pid; wait", Duration::from_millis(200));
        assert_eq!(ended.end, End::Late);
        // It may have been ended before it wrote down whom it started.
        if let Ok(pid) = fs::read_to_string(dir.path().join("pid")) {
            let status = Path::new("/proc").join(pid.trim()).join("stat");
            let runs = || fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
            while runs() {
                thread::sleep(POLL);
            }
        }
    }
}
