//! One node as a process: started, told from others, stopped.

use super::Error;
use super::release::Release;
use super::state::Node;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A node that hasn't ended by then is killed. Of a quorum that stops all at once, the last can't hand over anything.
const PATIENCE: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(50);

/// Starts the node's process, which outlives this one. Its output goes to its log.
pub(super) fn start(dir: &Path, release: &Release, node: &Node) -> Result<u32, Error> {
    let log = log(dir, node);
    let file = File::options().create(true).append(true).open(&log).map_err(Error::io("open", &log))?;
    let also = file.try_clone().map_err(Error::io("open", &log))?;
    let mut broker = release.node(dir, &node.properties);
    // A group of its own: Ctrl-C at the terminal that started it isn't for it.
    broker.stdin(Stdio::null()).stdout(file).stderr(also).process_group(0);
    Ok(broker.spawn().map_err(Error::io("run", Path::new("java")))?.id())
}

/// Where the node's output goes.
pub(super) fn log(dir: &Path, node: &Node) -> PathBuf {
    dir.join(format!("node-{}.log", node.id))
}

/// The end of the node's output.
pub(super) fn said(dir: &Path, node: &Node) -> String {
    last_lines(&fs::read_to_string(log(dir, node)).unwrap_or_default(), 15)
}

/// Whether the process runs that was started for this node. A process id may be used again: the settings' path in
/// the command line says whose it is.
pub(super) fn is_running(node: &Node) -> bool {
    let Some(pid) = node.pid else { return false };
    let properties = node.properties.as_os_str().as_encoded_bytes();
    command_line(pid).split(|byte| *byte == 0).any(|argument| argument == properties)
}

/// A process's arguments, each followed by a zero byte; empty if it has ended. For a moment after its start a process
/// has none yet, as a zombie has none any more.
fn command_line(pid: u32) -> Vec<u8> {
    const MOMENTS: u32 = 40;
    for _ in 0..MOMENTS {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if !arguments.is_empty() || has_ended(pid) {
            return arguments;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Vec::new()
}

/// Whether there is no such process, or only what its parent has not asked for yet.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may hold any character.
    stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']))
}

/// Stops these nodes: asked first, killed when they don't end.
pub(super) fn stop(nodes: &[Node]) -> Result<(), Error> {
    signal(nodes, Signal::TERM);
    if wait_until_ended(nodes).is_some() {
        signal(nodes, Signal::KILL);
    }
    match wait_until_ended(nodes) {
        Some(Node { id: node, pid: Some(pid), .. }) => Err(Error::StillRunning { node: *node, pid: *pid }),
        _ => Ok(()),
    }
}

fn signal(nodes: &[Node], signal: Signal) {
    for node in nodes.iter().filter(|node| is_running(node)) {
        if let Some(pid) = node.pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, signal); // it may have ended just now
        }
    }
}

/// Waits until all have ended; a node that has not, when patience ends.
fn wait_until_ended(nodes: &[Node]) -> Option<&Node> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let running = nodes.iter().find(|node| is_running(node))?;
        if Instant::now() > deadline {
            return Some(running);
        }
        std::thread::sleep(POLL);
    }
}

/// The last `count` lines of a text.
pub(super) fn last_lines(text: &str, count: usize) -> String {
    let lines = text.trim_end().lines().collect::<Vec<_>>();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_does_not_name_the_settings_is_not_the_node() {
        let mut node = Node { id: 1, port: 1, controller_port: 2, properties: "no/such.properties".into(), pid: None };
        assert!(!is_running(&node));
        node.pid = Some(std::process::id());
        assert!(!is_running(&node));
        // The first argument of this process is as good as any.
        node.properties = std::env::args_os().next().unwrap_or_default().into();
        assert!(is_running(&node));
    }
}
