//! `highwater cluster`: several nodes on this machine, for trying things and for tests.
//!
//! Each node is a process of its own, so that it can be killed, stopped or paused like any other; this one starts them,
//! says when clients can use them, and stops them when it stops. [`layout`] says where everything lies.

mod child;
mod layout;
mod readiness;

use super::failure::Failure;
use super::key_value;
use super::output::{complain, say};
use super::signals::StopSignals;
use child::{Child, Ended};
use clap::Args;
use highwater::config::Endpoint;
use layout::Layout;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// How long a node may take to open its ports.
const START: Duration = Duration::from_secs(30);
/// How long a node may take to stop before it is killed. It is longer than a node's own limit.
const STOP: Duration = Duration::from_secs(10);
/// How long a node that died stays away with `--restart`.
const RESTART_AFTER: Duration = Duration::from_millis(500);

/// The first broker's port, unless another is asked for: not Kafka's, where another cluster may be.
pub const BASE_PORT: u16 = 19092;

/// Run brokers and a controller on this machine, each as a process of its own.
///
/// Prints one line for each node, with its process id, and then `ready bootstrap=…` when clients can use the cluster.
/// Ctrl-C or SIGTERM stop all of them. A node that dies leaves the others running: try `kill -9` on a broker, and start
/// it again with `highwater serve DIR/broker-1.properties`.
///
/// Timeouts are shorter than Kafka's, so that things happen while one looks; --set changes any setting.
#[derive(Debug, Args)]
pub struct Cluster {
    /// How many brokers. Their ids are 1, 2, …; the controller's is 100.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..100))]
    brokers: u16,
    /// The first broker's port; the others' follow, and then the controller's. 0: the kernel chooses all of them.
    #[arg(long, default_value_t = BASE_PORT)]
    base_port: u16,
    /// Where to keep everything; a cluster found there goes on. Without it: a directory that is removed at the end.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// A setting for all nodes; `highwater serve --help` lists them. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    settings: Vec<(String, String)>,
    /// Start a node again when it dies.
    #[arg(long)]
    restart: bool,
}

/// The processes that run, by node id, and word of their ends.
struct Running {
    layout: Layout,
    children: BTreeMap<i32, Child>,
    ends: mpsc::UnboundedReceiver<(i32, Ended)>,
    report: mpsc::UnboundedSender<(i32, Ended)>,
}

impl Cluster {
    pub async fn run(self) -> Result<(), Failure> {
        let mut stop = StopSignals::catch()?;
        let layout = Layout::new(self.dir, self.brokers, self.base_port, self.settings)?;
        let (report, ends) = mpsc::unbounded_channel();
        let mut running = Running { layout, children: BTreeMap::new(), ends, report };
        let outcome = tokio::select! {
            outcome = running.go(self.restart) => outcome,
            () = stop.next() => Ok(()),
        };
        running.stop(&mut stop).await;
        outcome
    }
}

impl Running {
    /// Starts everything and looks after it. Ends only by an error.
    async fn go(&mut self, restart: bool) -> Result<(), Failure> {
        let bootstrap = self.start_all().await?;
        let servers: Vec<_> = bootstrap.iter().map(ToString::to_string).collect();
        let unready = async {
            tokio::select! {
                () = readiness::all_brokers_known(&bootstrap) => None,
                end = self.ends.recv() => end,
            }
        };
        if let Some((id, ended)) = unready.await {
            return Err(self.cannot_start(id, &ended));
        }
        say(format_args!("ready bootstrap={}", servers.join(",")))?;
        loop {
            let Some((id, ended)) = self.ends.recv().await else { return Ok(()) };
            self.children.remove(&id);
            let node = self.layout.node(id);
            let advice =
                if restart { "it is started again" } else { &*format!("start it again with: {}", node.command()) };
            complain(format_args!("{node} {ended}; the others go on (log: {}); {advice}", node.log.display()));
            if restart {
                sleep(RESTART_AFTER).await;
                self.start(id).await?;
            }
        }
    }

    /// The controller first: brokers are told its port.
    async fn start_all(&mut self) -> Result<Vec<Endpoint>, Failure> {
        self.start(layout::CONTROLLER).await?;
        let ids: Vec<_> = self.layout.broker_ids().collect();
        let mut bootstrap = Vec::new();
        for id in ids {
            bootstrap.push(self.start(id).await?);
        }
        Ok(bootstrap)
    }

    /// Starts one node, waits until its port is open, and says so.
    async fn start(&mut self, id: i32) -> Result<Endpoint, Failure> {
        let node = self.layout.prepare(id)?;
        let (child, listening) = Child::start(&node, id, self.report.clone())?;
        let pid = child.pid;
        self.children.insert(id, child);
        let address = match timeout(START, listening).await {
            Ok(Ok(address)) => address,
            Ok(Err(_)) => {
                let ended = self.ends.recv().await.map_or(Ended::Unknown, |(_, ended)| ended);
                return Err(self.cannot_start(id, &ended));
            }
            Err(_) => return Err(Failure::said(format!("{node} did not open its port in {START:?}"))),
        };
        self.layout.learn_port(id, address.port)?;
        say(format_args!("{node} pid={pid} listener={address} dir={}", node.dir.display()))?;
        Ok(address)
    }

    fn cannot_start(&mut self, id: i32, ended: &Ended) -> Failure {
        self.children.remove(&id);
        let node = self.layout.node(id);
        Failure::said(format!("{node} {ended} before the cluster was ready; it last said:\n{}", node.last_words()))
    }

    /// Brokers first: they hand over what they lead, for which they need the controller. Asked twice, it kills.
    async fn stop(mut self, asked_again: &mut StopSignals) {
        let brokers: Vec<_> = self.children.keys().copied().filter(|id| *id != layout::CONTROLLER).collect();
        for ids in [brokers, vec![layout::CONTROLLER]] {
            let these = |running: &Self| running.children.keys().any(|id| ids.contains(id));
            ids.iter().filter_map(|id| self.children.get(id)).for_each(Child::terminate);
            let all_ended = async {
                while these(&self) {
                    let Some((id, _)) = self.ends.recv().await else { return };
                    self.children.remove(&id);
                }
            };
            tokio::select! {
                _ = timeout(STOP, all_ended) => {}
                () = asked_again.next() => {}
            }
            // Who is still here is killed when it is dropped.
            self.children.retain(|id, _| !ids.contains(id));
        }
    }
}
