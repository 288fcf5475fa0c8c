//! One node's process: started, watched, told to stop.

use super::layout::Node;
use crate::cli::failure::Failure;
use highwater::config::Endpoint;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::{env, fmt, io};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{self, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A process that runs. Dropping this kills it.
pub struct Child {
    /// Its process id.
    pub pid: u32,
    terminate: mpsc::UnboundedSender<()>,
    watch: JoinHandle<()>,
}

/// How a process ended.
#[derive(Debug)]
pub enum Ended {
    /// With this status.
    Status(ExitStatus),
    /// Nobody knows.
    Unknown,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Status(status) = self else { return f.write_str("ended") };
        match (status.code(), status.signal()) {
            (Some(code), _) => write!(f, "ended with status {code}"),
            (None, Some(signal)) => write!(f, "was killed by signal {signal}"),
            (None, None) => f.write_str("ended"),
        }
    }
}

impl Child {
    /// Starts a node. Gives its address once it listens, or nothing if it ends before; its end is reported with `id`.
    ///
    /// # Errors
    /// If no process can be started, or its log cannot be written.
    pub fn start(
        node: &Node,
        id: i32,
        report: mpsc::UnboundedSender<(i32, Ended)>,
    ) -> Result<(Self, oneshot::Receiver<Endpoint>), Failure> {
        let cannot = |error: io::Error| Failure::said(format!("cannot start {node}: {error}"));
        let mut process = command(node).and_then(|mut command| command.spawn()).map_err(cannot)?;
        let pid = process.id().unwrap_or_default();
        let (address, listening) = oneshot::channel();
        if let Some(stdout) = process.stdout.take() {
            tokio::spawn(read(stdout, address));
        }
        let (terminate, orders) = mpsc::unbounded_channel();
        let watch = tokio::spawn(async move {
            let ended = watch(process, orders).await.map_or(Ended::Unknown, Ended::Status);
            let _ = report.send((id, ended));
        });
        Ok((Self { pid, terminate, watch }, listening))
    }

    /// Asks the process to stop.
    pub fn terminate(&self) {
        let _ = self.terminate.send(());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Drops the process, which kills it.
        self.watch.abort();
    }
}

/// The same program, in a process group of its own: Ctrl-C is for the parent, who knows in which order to stop.
fn command(node: &Node) -> io::Result<Command> {
    let log = OpenOptions::new().create(true).append(true).open(&node.log)?;
    let mut command = Command::new(env::current_exe()?);
    command
        .arg("serve")
        .arg(&node.properties)
        .args(["--die-with-parent", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .kill_on_drop(true);
    // One node's settings in the environment would become every node's.
    let ours = env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("HIGHWATER_"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    Ok(command)
}

/// Waits for the end, and passes on orders. The id is the process's for as long as nobody has waited for its end.
async fn watch(mut process: process::Child, mut orders: mpsc::UnboundedReceiver<()>) -> io::Result<ExitStatus> {
    loop {
        tokio::select! {
            ended = process.wait() => return ended,
            Some(()) = orders.recv() => {
                let id = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
                if let Some(id) = id {
                    let _ = kill_process(id, Signal::TERM);
                }
            }
        }
    }
}

/// Reads to the end, so that the child never waits for a reader.
async fn read(stdout: ChildStdout, address: oneshot::Sender<Endpoint>) {
    let mut lines = BufReader::new(stdout).lines();
    let mut address = Some(address);
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(found) = listening(&line)
            && let Some(address) = address.take()
        {
            let _ = address.send(found);
        }
    }
}

/// The address in the line that a node prints when its port is open.
fn listening(line: &str) -> Option<Endpoint> {
    let mut words = line.strip_prefix("listening ")?.split(' ');
    words.find_map(|word| word.strip_prefix("broker=").or(word.strip_prefix("controller="))).and_then(Endpoint::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_address_is_found_in_its_line() {
        let endpoint = |port| Some(Endpoint { host: "127.0.0.1".into(), port });
        assert_eq!(listening("listening node=1 broker=127.0.0.1:4001"), endpoint(4001));
        assert_eq!(listening("listening node=100 controller=127.0.0.1:4000"), endpoint(4000));
        assert_eq!(listening("ready node=1 broker=127.0.0.1:4001"), None);
    }
}
