//! The nodes that a conductor conducts: how they are configured, started and ended.

use super::board::Note;
use super::gate::Gate;
use crate::failures::port::Port;
use highwater::config::{NodeConfig, Settings};
use highwater::door::Door;
use highwater::node::Node;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, TopicPartition};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The controller's id.
pub const CONTROLLER: BrokerId = BrokerId(100);

/// Where nodes run, and how they obey.
pub trait Nodes {
    /// Starts a process of a node, with this incarnation.
    ///
    /// # Errors
    /// When it can't.
    fn start(&mut self, node: BrokerId, incarnation: [u8; 16]) -> Result<(), Box<dyn Error>>;

    /// Ends it at once.
    fn kill(&mut self, node: BrokerId);

    /// Asks it to stop cleanly.
    fn ask_to_stop(&mut self, node: BrokerId);

    /// Lets something through its door.
    fn pass(&mut self, node: BrokerId, number: u64);

    /// Drops something before its door.
    fn discard(&mut self, node: BrokerId, number: u64);

    /// Lets the disk fail under a partition's log. It is [`Note::Done`] under `number`.
    fn fail_disk(&mut self, node: BrokerId, partition: TopicPartition, number: u64);

    /// Lets it stop after so many more outputs that outlive it.
    fn stop_after(&mut self, node: BrokerId, outputs: u8);
}

/// What every node of a cluster knows of the others.
#[derive(Debug)]
pub struct Plan {
    dir: PathBuf,
    ports: BTreeMap<BrokerId, Port>,
}

impl Plan {
    /// A controller and `brokers` brokers below a directory.
    ///
    /// # Errors
    /// When the system has no port.
    pub fn new(dir: &Path, brokers: u8) -> std::io::Result<Self> {
        let nodes = (1..=i32::from(brokers)).map(BrokerId).chain([CONTROLLER]);
        let ports = nodes.map(|node| Ok((node, Port::free()?))).collect::<std::io::Result<_>>()?;
        Ok(Self { dir: dir.to_owned(), ports })
    }

    /// Where a node listens.
    pub fn address(&self, node: BrokerId) -> SocketAddr {
        self.ports[&node].address()
    }

    /// Its log directory.
    pub fn dir(&self, node: BrokerId) -> PathBuf {
        self.dir.join(node.to_string())
    }

    /// Its settings. What waits for a time waits at the door, or for longer than anything here lasts.
    pub fn settings(&self, node: BrokerId) -> Vec<(&'static str, String)> {
        let controller = self.address(CONTROLLER);
        let (roles, listeners) = match node {
            CONTROLLER => ("controller", format!("CONTROLLER://{controller}")),
            _ => ("broker", format!("PLAINTEXT://{}", self.address(node))),
        };
        let long = "3600000";
        vec![
            ("process.roles", roles.to_owned()),
            ("node.id", node.0.to_string()),
            ("listeners", listeners),
            ("controller.quorum.voters", format!("{}@{controller}", CONTROLLER.0)),
            ("log.dirs", self.dir(node).display().to_string()),
            ("num.io.threads", "1".to_owned()),
            ("log.index.interval.bytes", "0".to_owned()),
            ("replica.fetch.wait.max.ms", long.to_owned()),
            ("broker.session.timeout.ms", long.to_owned()),
            ("offsets.topic.num.partitions", "1".to_owned()),
            ("offsets.topic.replication.factor", "1".to_owned()),
        ]
    }
}

/// One node, and what keeps its door and watches for its end.
struct Running {
    gate: Arc<Gate>,
    node: Node,
    watch: JoinHandle<()>,
}

/// Nodes in this process.
pub struct InProcess {
    runtime: Arc<Runtime>,
    plan: Arc<Plan>,
    rules: Rules,
    notes: Sender<Note>,
    running: BTreeMap<BrokerId, Running>,
}

impl InProcess {
    /// None yet.
    pub fn new(runtime: Arc<Runtime>, plan: Arc<Plan>, rules: Rules, notes: Sender<Note>) -> Self {
        Self { runtime, plan, rules, notes, running: BTreeMap::new() }
    }

    fn gate(&self, node: BrokerId) -> Option<&Gate> {
        self.running.get(&node).map(|running| running.gate.as_ref())
    }
}

impl Nodes for InProcess {
    fn start(&mut self, node: BrokerId, incarnation: [u8; 16]) -> Result<(), Box<dyn Error>> {
        let mut settings = Settings::default();
        for (name, value) in self.plan.settings(node) {
            settings.add_flag(name, value);
        }
        let config = NodeConfig::read(&settings)?;
        let notes = self.notes.clone();
        let notes = Box::new(move |note| notes.send(note).unwrap_or_default());
        let gate = Arc::new(Gate::new(node, incarnation, notes));
        let door = Door::kept(Arc::clone(&gate) as Arc<_>);
        let started = self.runtime.block_on(Node::start(config, self.rules, door))?;
        let (ended, notes) = (started.ended(), self.notes.clone());
        let watch = self.runtime.spawn(async move {
            ended.await;
            let _ = notes.send(Note::Ended(node));
        });
        self.running.insert(node, Running { gate, node: started, watch });
        Ok(())
    }

    fn kill(&mut self, node: BrokerId) {
        let Some(Running { gate, node, watch }) = self.running.remove(&node) else { return };
        // That it ends now is no news.
        watch.abort();
        let _ = self.runtime.block_on(watch);
        self.runtime.block_on(node.abort(|| gate.end()));
    }

    fn ask_to_stop(&mut self, node: BrokerId) {
        if let Some(Running { node, .. }) = self.running.get(&node) {
            node.ask_to_stop();
        }
    }

    fn pass(&mut self, node: BrokerId, number: u64) {
        self.gate(node).into_iter().for_each(|gate| gate.pass(number));
    }

    fn discard(&mut self, node: BrokerId, number: u64) {
        self.gate(node).into_iter().for_each(|gate| gate.discard(number));
    }

    fn fail_disk(&mut self, node: BrokerId, partition: TopicPartition, number: u64) {
        if let Some(Running { gate, node, .. }) = self.running.get(&node) {
            let gate = Arc::clone(gate);
            node.fail_disk(partition, Box::new(move || gate.done(number)));
        }
    }

    fn stop_after(&mut self, node: BrokerId, outputs: u8) {
        self.gate(node).into_iter().for_each(|gate| gate.stop_after(outputs));
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        let nodes: Vec<_> = self.running.keys().copied().collect();
        nodes.into_iter().for_each(|node| self.kill(node));
    }
}
