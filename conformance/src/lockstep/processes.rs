//! Nodes in processes of their own: `highwater-node`, told over its standard input what to let through.

use super::board::Note;
use super::nodes::{Nodes, Plan};
use super::wire::{Order, Word};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, TopicPartition};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

/// One process for each node.
pub struct Processes {
    program: PathBuf,
    plan: Arc<Plan>,
    rules: Rules,
    notes: Sender<Note>,
    running: BTreeMap<BrokerId, Process>,
}

struct Process {
    child: Child,
    orders: ChildStdin,
    listener: JoinHandle<()>,
}

impl Processes {
    /// None yet. `program` is `highwater-node`.
    pub fn new(program: PathBuf, plan: Arc<Plan>, rules: Rules, notes: Sender<Note>) -> Self {
        Self { program, plan, rules, notes, running: BTreeMap::new() }
    }

    fn order(&mut self, node: BrokerId, order: Order) {
        let Some(process) = self.running.get_mut(&node) else { return };
        let line = serde_json::to_string(&order).expect("orders are JSON");
        // A process that is gone hears nothing; that it is gone shows where it is awaited.
        let _ = writeln!(process.orders, "{line}");
    }
}

impl Nodes for Processes {
    fn start(&mut self, node: BrokerId, incarnation: [u8; 16]) -> Result<(), Box<dyn Error>> {
        let mut command = Command::new(&self.program);
        command.arg("--rules").arg(self.rules.to_string());
        command.arg("--conduct").arg(incarnation[0].to_string());
        for (name, value) in self.plan.settings(node) {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (orders, words) = (child.stdin.take(), child.stdout.take());
        let orders = orders.ok_or("the process has no standard input")?;
        let words = words.ok_or("the process has no standard output")?;
        let (starting, started) = mpsc::channel();
        let notes = self.notes.clone();
        let listener = thread::spawn(move || listen(node, words, &starting, &notes));
        self.running.insert(node, Process { child, orders, listener });
        started.recv().unwrap_or_else(|_| Err("it ended before it listened".to_owned()))?;
        Ok(())
    }

    fn kill(&mut self, node: BrokerId) {
        if let Some(mut process) = self.running.remove(&node) {
            let _ = process.child.kill();
            let _ = process.child.wait();
            // What it said to the end is noted before anything of the next process is.
            let _ = process.listener.join();
        }
    }

    fn ask_to_stop(&mut self, node: BrokerId) {
        self.order(node, Order::Stop);
    }

    fn pass(&mut self, node: BrokerId, number: u64) {
        self.order(node, Order::Pass(number));
    }

    fn discard(&mut self, node: BrokerId, number: u64) {
        self.order(node, Order::Discard(number));
    }

    fn fail_disk(&mut self, node: BrokerId, partition: TopicPartition, number: u64) {
        let (topic, index) = (partition.topic.0, partition.index);
        self.order(node, Order::FailDisk { topic, index, number });
    }

    fn stop_after(&mut self, node: BrokerId, outputs: u8) {
        self.order(node, Order::StopAfter(outputs));
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        let nodes: Vec<_> = self.running.keys().copied().collect();
        nodes.into_iter().for_each(|node| self.kill(node));
    }
}

fn listen(node: BrokerId, words: ChildStdout, starting: &Sender<Result<(), String>>, notes: &Sender<Note>) {
    for line in BufReader::new(words).lines().map_while(Result::ok) {
        match serde_json::from_str::<Word>(&line) {
            Ok(Word::Started) => drop(starting.send(Ok(()))),
            Ok(Word::Failed(reason)) => drop(starting.send(Err(reason))),
            Ok(word) => word.said_by(node).into_iter().for_each(|note| drop(notes.send(note))),
            Err(error) => drop(starting.send(Err(format!("`{line}` is no word of a node: {error}")))),
        }
    }
}
