//! Connections that say nothing for `connections.max.idle.ms` are closed by whom they lead to. Nobody who comes back
//! after that may notice: no client, and no broker that asks the controller for one.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A connection may be idle for longer than anyone waits for an answer, so that only those close that nobody uses.
const SETTINGS: [&str; 3] =
    ["connections.max.idle.ms=2000", "broker.heartbeat.interval.ms=500", "group.initial.rebalance.delay.ms=0"];

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    // A member also says what it copes with.
    command.env("RUST_LOG", "info,highwater::client::consumer=debug");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A client's process, and what it says. It is killed where a test gives up.
struct Running {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut process = program(arguments).spawn().unwrap();
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take().unwrap());
        Self { process, stdin, stdout: BufReader::new(stdout).lines() }
    }

    fn says(&mut self, line: &str) {
        writeln!(self.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    fn line(&mut self) -> String {
        self.stdout.next().expect("it goes on").unwrap()
    }

    /// Waits until it succeeds; what it said on standard error.
    fn end(mut self) -> String {
        self.stdin = None;
        let mut text = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(self.process.wait().unwrap().success(), "{text}");
        text
    }
}

/// A controller and two brokers, stopped at the end, whatever happens.
struct Cluster {
    process: Child,
    listeners: Vec<String>,
    bootstrap: String,
    _dir: TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process(id.unwrap(), Signal::TERM);
        let _ = self.process.wait();
    }
}

impl Cluster {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let mut process = program(&["cluster", "--base-port", "0", "--brokers", "2", "--dir", path])
            .args(SETTINGS.iter().flat_map(|setting| ["--set", setting]))
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut cluster = Self { process, listeners: Vec::new(), bootstrap: String::new(), _dir: dir };
        for line in stdout.map_while(Result::ok) {
            if let Some(bootstrap) = line.strip_prefix("ready bootstrap=") {
                cluster.bootstrap = bootstrap.to_owned();
                return cluster;
            }
            let listener = line.split(' ').find_map(|word| word.strip_prefix("listener="));
            cluster.listeners.push(listener.expect("a node listens").to_owned());
        }
        panic!("the cluster is not ready");
    }

    fn client(&self, arguments: &[&str]) -> Running {
        Running::start(&[arguments, &["--bootstrap-server", &self.bootstrap]].concat())
    }

    /// Waits until no connection is left that was used before this and not since. Each server has closed one that was
    /// opened after those, and another that was opened when that was closed.
    fn idle(&self) {
        for _ in 0..2 {
            let opened: Vec<_> = self.listeners.iter().map(|at| TcpStream::connect(at).unwrap()).collect();
            for mut idle in opened {
                assert_eq!(idle.read(&mut [0]).unwrap(), 0, "it is closed, and nothing was said");
            }
        }
    }
}

#[test]
fn who_comes_back_after_a_while_finds_nothing_wrong() {
    let cluster = Cluster::start();
    let create = |name| {
        // Some for each shard of each broker.
        let create = ["topic", "create", "--topic", name, "--partitions", "32", "--replication-factor", "2"];
        cluster.client(&create).end()
    };
    assert_eq!(create("t"), "");
    let mut producer = cluster.client(&["produce", "--topic", "t", "--partition", "0", "--offsets"]);
    let mut consumer = cluster.client(&["consume", "--topic", "t", "--group", "g", "--count", "3"]);
    for (text, offset) in [("one", "t 0 0"), ("two", "t 0 1"), ("three", "t 0 2")] {
        producer.says(text);
        assert_eq!(producer.line(), offset);
        assert_eq!(consumer.line(), text);
        if text != "three" {
            cluster.idle();
            assert_eq!(create(text), "", "the broker asked on a connection that the controller had closed");
        }
    }
    assert_eq!(producer.end(), "");
    let complaints = consumer.end();
    assert!(!complaints.contains("highwater: ") && !complaints.contains("closed by the other side"), "{complaints}");
}
