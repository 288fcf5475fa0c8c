//! `highwater cluster` as its users meet it: processes that start, are killed, and stop.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::{env, thread};

/// A cluster that is stopped at the end, whatever happens.
struct Cluster {
    process: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    /// Process ids, by the node's name.
    nodes: BTreeMap<String, Pid>,
    bootstrap: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Not killed: it has a directory to remove. If it has been waited for, its id is no longer its own.
        if let Ok(None) = self.process.try_wait() {
            let _ = kill_process(pid(self.process.id()), Signal::TERM);
            let _ = self.process.wait();
        }
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

/// Waits until a process is gone. Whoever adopted it may take a moment to notice.
fn gone(process: Pid) {
    while test_kill_process(process).is_ok() {
        thread::yield_now();
    }
}

impl Cluster {
    /// Starts, and waits until it is ready.
    fn start(arguments: &[&str]) -> Self {
        let mut command = program(&["cluster", "--base-port", "0"]);
        let mut process = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut cluster = Self { process, stdout, nodes: BTreeMap::new(), bootstrap: String::new() };
        while cluster.bootstrap.is_empty() {
            let line = cluster.line();
            match line.strip_prefix("ready bootstrap=") {
                Some(bootstrap) => cluster.bootstrap = bootstrap.to_owned(),
                None => cluster.note(&line),
            }
        }
        cluster
    }

    fn line(&mut self) -> String {
        self.stdout.next().expect("the cluster goes on").unwrap()
    }

    /// `broker 1 pid=… listener=… dir=…`
    fn note(&mut self, line: &str) {
        let (name, rest) = line.split_once(" pid=").unwrap();
        let id = rest.split(' ').next().unwrap().parse().unwrap();
        self.nodes.insert(name.to_owned(), pid(id));
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = program(arguments);
        command.args(["--bootstrap-server", &self.bootstrap]).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    }

    /// Standard output of a command that succeeds.
    fn ask(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks it to stop, and waits until it and all its nodes are gone.
    fn stop(&mut self) {
        kill_process(pid(self.process.id()), Signal::TERM).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        self.nodes.values().copied().for_each(gone);
    }
}

#[test]
fn what_was_produced_is_there_after_a_stop_and_a_start() {
    let directory = tempfile::tempdir().unwrap();
    let dir = ["--brokers", "2", "--dir", directory.path().to_str().unwrap()];
    let mut cluster = Cluster::start(&dir);
    assert_eq!(cluster.nodes.keys().collect::<Vec<_>>(), ["broker 1", "broker 2", "controller 100"]);
    cluster.ask(&["topic", "create", "--topic", "t", "--partitions", "2", "--replication-factor", "2"], "");
    assert_eq!(cluster.ask(&["topic", "list"], ""), "t\n");
    let produced = cluster.ask(
        &["produce", "--topic", "t", "--partition", "1", "--key-separator", ":", "--compression", "lz4", "--offsets"],
        "a:1\nb:2\n:\n",
    );
    assert_eq!(produced, "t 1 0\nt 1 1\nt 1 2\n");
    cluster.stop();

    let cluster = Cluster::start(&dir);
    let consume =
        |more: &[&str]| cluster.ask(&[&["consume", "--topic", "t", "--format", "%o %k=%s;"], more].concat(), "");
    assert_eq!(consume(&["--until-end"]), "0 a=1;1 b=2;2 =;");
    assert_eq!(consume(&["--partition", "1", "--from", "1", "--count", "1"]), "1 b=2;");
    assert_eq!(consume(&["--from", "@0", "--until-end", "--partition", "0"]), "");
    let report: serde_json::Value = serde_json::from_str(&cluster.ask(&["status", "--json"], "")).unwrap();
    assert_eq!(report["partitions"][1]["high_watermark"], 3);
    assert_eq!(report["brokers"].as_array().unwrap().len(), 2);
}

#[test]
fn errors_name_the_topic_the_partition_and_the_line() {
    let cluster = Cluster::start(&["--brokers", "1"]);
    cluster.ask(&["topic", "create", "--topic", "t"], "");
    let refusal = |arguments: &[&str], input: &str| {
        let output = cluster.run(arguments, input);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refusal(&["topic", "create", "--topic", "t"], "");
    assert!(said.starts_with("highwater: topic t: TOPIC_ALREADY_EXISTS (36)"), "{said}");
    cluster.ask(&["topic", "create", "--topic", "t", "--if-not-exists"], "");
    let said = refusal(&["produce", "--topic", "nope"], "x\n");
    assert!(said.starts_with("highwater: topic nope does not exist; `highwater topic list`"), "{said}");
    let said = refusal(&["consume", "--topic", "t", "--partition", "1"], "");
    assert!(said.starts_with("highwater: topic t has no partition 1; its partitions are 0 to 0"), "{said}");
    let said = refusal(&["consume", "--topic", "t", "--from", "5", "--until-end"], "");
    assert!(said.contains("t-0 has no offset 5: its offsets begin at 0 and end before 0"), "{said}");
    let said = refusal(&["produce", "--topic", "t", "--key-separator", "="], "no key\n");
    assert!(said.contains("line 1 has no key: there is no \"=\" in it"), "{said}");
    let said = refusal(&["topic", "delete", "--topic", "nope"], "");
    assert!(said.starts_with("highwater: topic nope does not exist"), "{said}");
}

#[test]
fn a_killed_broker_is_reported_and_started_again_if_asked() {
    let mut cluster = Cluster::start(&["--brokers", "1", "--restart"]);
    let before = cluster.nodes["broker 1"];
    kill_process(before, Signal::KILL).unwrap();
    let mut stderr = BufReader::new(cluster.process.stderr.take().unwrap()).lines();
    let said = stderr.next().unwrap().unwrap();
    assert!(said.starts_with("broker 1 was killed by signal 9; the others go on"), "{said}");
    let again = cluster.line();
    cluster.note(&again);
    assert_ne!(cluster.nodes["broker 1"], before);
    assert!(again.contains(&format!("listener={} ", cluster.bootstrap)), "at its old port: {again}");
    cluster.stop();
}

#[test]
fn nodes_do_not_outlive_a_cluster_that_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(&["--brokers", "1", "--dir", directory.path().to_str().unwrap()]);
    cluster.process.kill().unwrap();
    cluster.process.wait().unwrap();
    cluster.nodes.values().copied().for_each(gone);
}

#[test]
fn whoever_stops_reading_is_not_a_failure() {
    let cluster = Cluster::start(&["--brokers", "1"]);
    cluster.ask(&["topic", "create", "--topic", "t"], "");
    // More than a pipe holds.
    let lines = "a line\n".repeat(50_000);
    cluster.ask(&["produce", "--topic", "t"], &lines);
    let mut command = program(&["consume", "--topic", "t", "--bootstrap-server", &cluster.bootstrap]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let first = BufReader::new(process.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!((first.as_str(), output.status.code()), ("a line", Some(0)));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// How many brokers lead partitions of topic `t`. Who is asked may be killed meanwhile: then nobody knows.
fn leaders(cluster: &Cluster) -> Option<usize> {
    let described = cluster.run(&["topic", "describe", "--topic", "t"], "");
    let text = String::from_utf8(described.stdout).unwrap();
    let leaders: BTreeSet<_> = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2)).collect();
    described.status.success().then_some(leaders.len())
}

#[test]
fn a_broker_that_was_away_leads_again_when_it_is_asked_for() {
    let cluster = Cluster::start(&["--brokers", "2", "--restart"]);
    cluster.ask(&["topic", "create", "--topic", "t", "--partitions", "2", "--replication-factor", "2"], "");
    let elect = |more: &[&str]| {
        let output = cluster.run(&[&["topic", "elect-leaders"], more].concat(), "");
        let [said, complained] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), said, complained)
    };
    let nothing = (Some(0), "TOPIC  PARTITION  ELECTION\nt      1          not needed\n".to_owned(), String::new());
    assert_eq!(elect(&["--topic", "t", "--partition", "1"]), nothing);
    assert_eq!(elect(&[]), (Some(0), String::new(), "no partition needs an election\n".to_owned()));
    assert_eq!(leaders(&cluster), Some(2), "each broker is preferred by a partition");

    kill_process(cluster.nodes["broker 1"], Signal::KILL).unwrap();
    while leaders(&cluster) != Some(1) {
        thread::yield_now();
    }
    let said = loop {
        match elect(&["--topic", "t"]) {
            (Some(0), said, _) => break said,
            (_, said, _) => {
                assert!(said.is_empty() || said.contains("PREFERRED_LEADER_NOT_AVAILABLE (80): "), "{said}")
            }
        }
    };
    assert!(said.contains(" elected\n") && said.contains(" not needed\n"), "{said}");
    while leaders(&cluster) != Some(2) {
        thread::yield_now();
    }
    let (_, _, complained) = elect(&["--topic", "t", "--partition", "2"]);
    assert!(complained.contains("topic t has no partition 2"), "{complained}");
    assert_eq!(elect(&["--partition", "0"]).0, Some(2));
}
