//! A small cluster and members of groups, as processes that a test starts.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

/// The program, with nothing on standard input.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Sends a process a signal.
pub fn signal(process: &Child, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

/// A cluster that is stopped at the end, whatever happens.
pub struct Cluster {
    process: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
    pub bootstrap: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Not killed: it has a directory to remove.
        signal(&self.process, Signal::TERM);
        let _ = self.process.wait();
    }
}

impl Cluster {
    /// Starts one broker and a controller, and waits until they are ready.
    pub fn start() -> Self {
        let mut process = program(&["cluster", "--base-port", "0", "--brokers", "1"]).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = |line: String| line.strip_prefix("ready bootstrap=").map(str::to_owned);
        let bootstrap = stdout.by_ref().find_map(|line| ready(line.unwrap())).expect("a cluster");
        Self { process, _stdout: stdout, bootstrap }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.args(["--bootstrap-server", &self.bootstrap]);
        command
    }

    /// Runs a command on the cluster, with this on standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    }

    /// Standard output of a command that succeeds.
    pub fn ask(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A member of the group `g` that reads the topic `t`.
    pub fn member(&self, more: &[&str]) -> Member {
        let arguments = [&["consume", "--topic", "t", "--group", "g", "--format", "%p:%s\\n"], more].concat();
        let mut process = self.command(&arguments).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        Member { process, stdout, stderr, owns: BTreeSet::new() }
    }
}

/// A `highwater consume --group`.
pub struct Member {
    pub process: Child,
    pub stdout: Lines<BufReader<ChildStdout>>,
    pub stderr: Lines<BufReader<ChildStderr>>,
    pub owns: BTreeSet<String>,
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Member {
    /// Reads what it says about its share, until it has these and no others.
    pub fn until_it_owns(&mut self, partitions: &[&str]) {
        let wanted: BTreeSet<_> = partitions.iter().map(|name| (*name).to_owned()).collect();
        while self.owns != wanted {
            self.hear();
        }
    }

    /// The next records that it prints, in any order.
    pub fn lines(&mut self, count: usize) -> BTreeSet<String> {
        self.stdout.by_ref().take(count).map(Result::unwrap).collect()
    }

    /// Reads one line about its share.
    pub fn hear(&mut self) {
        let line = self.stderr.next().expect("it goes on").unwrap();
        let said = line.rsplit(": ").next().unwrap_or_default();
        let (what, names) = said.split_once(' ').unwrap_or((said, ""));
        let names = names.split(", ").filter(|name| *name != "nothing").map(str::to_owned);
        match what {
            "assigned" => self.owns.extend(names),
            "revoked" | "lost" => names.for_each(|name| {
                self.owns.remove(&name);
            }),
            _ => panic!("it says {line:?}"),
        }
    }
}
