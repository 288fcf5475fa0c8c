//! A cluster of processes: brokers 1, 2, … and the controller, each with a directory and an address of its own.

use super::ask;
use super::port::Port;
use super::process::{Process, Settings};
use super::program::Program;
use super::proxy::Proxy;
use super::until::until;
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::sleep;

/// How many brokers there are, numbered from 1.
const BROKERS: i32 = 3;
/// The controller's node id.
const CONTROLLER: u16 = 100;
/// How much of what each node said is told when a case fails.
const LAST_LINES: usize = 12;
/// How often to look whether a node has ended while it should come up.
const LOOK: Duration = Duration::from_millis(100);

/// The nodes. All end with this value.
#[derive(Debug)]
pub struct Cluster {
    controller: Process,
    brokers: Vec<Broker>,
    /// Removed when the processes have ended: fields are dropped in this order.
    dir: TempDir,
    _ports: Vec<Port>,
}

#[derive(Debug)]
struct Broker {
    process: Process,
    /// Where it listens. Tests connect here, past its proxies.
    address: SocketAddr,
    dir: PathBuf,
    proxies: Vec<Proxy>,
}

/// What a case wants of its cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// The broker that can be cut off from the others and from the controller.
    pub can_be_cut: Option<BrokerId>,
}

impl Cluster {
    /// Starts all nodes, and waits until all brokers take part.
    ///
    /// # Errors
    /// When one doesn't come up.
    pub async fn start(program: &Program, wish: Wish) -> Result<Self, Failed> {
        let dir = tempfile::Builder::new().prefix("highwater-failures-").tempdir()?;
        let port = Port::free()?;
        let controller_address = port.address();
        let settings = controller_settings(controller_address, &dir.path().join("controller"));
        let controller = Process::new("the controller".to_owned(), program, dir.path(), CONTROLLER, settings)?;
        let mut cluster = Self { controller, brokers: Vec::new(), dir, _ports: vec![port] };
        for id in (1..=BROKERS).map(BrokerId) {
            cluster.add_broker(program, id, controller_address, wish.can_be_cut == Some(id)).await?;
        }
        cluster.start_all()?;
        match cluster.until_all_live().await {
            Ok(()) => Ok(cluster),
            Err(failed) => Err(cluster.with_what_was_said(failed.message().unwrap_or_default())),
        }
    }

    async fn add_broker(
        &mut self,
        program: &Program,
        id: BrokerId,
        controller: SocketAddr,
        can_be_cut: bool,
    ) -> io::Result<()> {
        let port = Port::free()?;
        let (mut advertised, mut reached, mut proxies) = (port.address(), controller, Vec::new());
        if can_be_cut {
            let (before_broker, before_controller) = (Proxy::to(advertised).await?, Proxy::to(controller).await?);
            (advertised, reached) = (before_broker.address(), before_controller.address());
            proxies = vec![before_broker, before_controller];
        }
        let dir = self.dir.path().join(format!("{id}"));
        let settings = broker_settings(id, port.address(), advertised, reached, &dir);
        let node = u16::try_from(id.0).map_err(io::Error::other)?;
        let process = Process::new(format!("{id}"), program, self.dir.path(), node, settings)?;
        self.brokers.push(Broker { process, address: port.address(), dir, proxies });
        self._ports.push(port);
        Ok(())
    }

    /// Starts whatever doesn't run.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start_all(&mut self) -> io::Result<()> {
        for process in self.processes().filter(|process| !process.is_running()) {
            process.start()?;
        }
        Ok(())
    }

    /// Waits until all brokers take part.
    ///
    /// # Errors
    /// When one doesn't.
    pub async fn until_all_live(&mut self) -> Result<(), Failed> {
        tokio::select! {
            live = all_live(self.addresses()) => live,
            ailment = self.until_ailing() => Err(ailment.into()),
        }
    }

    async fn until_ailing(&mut self) -> String {
        loop {
            if let Some(ailment) = self.ailment() {
                return ailment;
            }
            sleep(LOOK).await;
        }
    }

    /// The brokers' ids.
    pub fn ids(&self) -> impl Iterator<Item = BrokerId> + use<> {
        (1..).map(BrokerId).take(self.brokers.len())
    }

    /// Where tests reach a broker, also one that is cut off from the others.
    #[must_use]
    pub fn address(&self, id: BrokerId) -> SocketAddr {
        self.broker(id).address
    }

    /// Where tests reach each broker, by id.
    #[must_use]
    pub fn addresses(&self) -> Vec<(BrokerId, SocketAddr)> {
        self.ids().map(|id| (id, self.address(id))).collect()
    }

    /// A broker's log directory.
    #[must_use]
    pub fn log_dir(&self, id: BrokerId) -> &Path {
        &self.broker(id).dir
    }

    /// A broker's process.
    #[must_use]
    pub fn process(&mut self, id: BrokerId) -> &mut Process {
        &mut self.brokers[index(id)].process
    }

    /// The controller's process.
    #[must_use]
    pub fn controller(&mut self) -> &mut Process {
        &mut self.controller
    }

    /// Cuts a broker off from the others and from the controller. Tests still reach it.
    pub fn cut_off(&self, id: BrokerId) {
        self.broker(id).proxies.iter().for_each(Proxy::cut);
    }

    /// Lets it be reached, and reach the controller, again.
    pub fn heal(&self, id: BrokerId) {
        self.broker(id).proxies.iter().for_each(Proxy::heal);
    }

    /// What is wrong with a node, whatever else is right.
    pub fn ailment(&mut self) -> Option<String> {
        self.processes().find_map(Process::ailment)
    }

    /// Keeps the nodes' directories for who wants to know more, and adds what the nodes said last.
    pub fn with_what_was_said(mut self, faults: &str) -> Failed {
        let mut text = faults.to_owned();
        for process in self.processes() {
            let said = process.said();
            let lines: Vec<_> = said.lines().collect();
            let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");
            text.push_str(&format!("\n  {} said last:\n    {last}", process.name()));
        }
        self.dir.disable_cleanup(true);
        text.push_str(&format!("\n  everything is in {}", self.dir.path().display()));
        text.into()
    }

    fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        std::iter::once(&mut self.controller).chain(self.brokers.iter_mut().map(|broker| &mut broker.process))
    }

    fn broker(&self, id: BrokerId) -> &Broker {
        &self.brokers[index(id)]
    }
}

async fn all_live(brokers: Vec<(BrokerId, SocketAddr)>) -> Result<(), Failed> {
    for (broker, address) in &brokers {
        until(&format!("{broker} knows that all brokers are live"), async || match ask::live_brokers(*address).await {
            Ok(live) if live.iter().eq(brokers.iter().map(|(id, _)| id)) => Ok(()),
            Ok(live) => Err(format!("live are {live:?}")),
            Err(error) => Err(error.to_string()),
        })
        .await?;
    }
    Ok(())
}

/// Brokers are numbered from 1.
fn index(id: BrokerId) -> usize {
    usize::try_from(id.0 - 1).unwrap_or(usize::MAX)
}

fn controller_settings(address: SocketAddr, dir: &Path) -> Settings {
    let mut settings = common_settings(CONTROLLER.into(), address, dir);
    settings.push(("process.roles", "controller".to_owned()));
    settings.push(("listeners", format!("CONTROLLER://{address}")));
    settings
}

fn broker_settings(
    id: BrokerId,
    address: SocketAddr,
    advertised: SocketAddr,
    controller: SocketAddr,
    dir: &Path,
) -> Settings {
    let mut settings = common_settings(id.0, controller, dir);
    settings.push(("process.roles", "broker".to_owned()));
    settings.push(("listeners", format!("PLAINTEXT://{address}")));
    settings.push(("advertised.listeners", format!("PLAINTEXT://{advertised}")));
    settings
}

/// Times are short, so that failures are noticed soon; where a case waits for none of them they don't matter.
fn common_settings(node: i32, controller: SocketAddr, dir: &Path) -> Settings {
    // A failure to make it is found by the node, which says so.
    let _ = fs::create_dir_all(dir);
    let text = |value: &str| value.to_owned();
    vec![
        ("node.id", node.to_string()),
        ("controller.quorum.voters", format!("{CONTROLLER}@{controller}")),
        ("log.dirs", dir.display().to_string()),
        ("num.io.threads", text("2")),
        ("broker.heartbeat.interval.ms", text("100")),
        ("broker.session.timeout.ms", text("1500")),
        ("replica.lag.time.max.ms", text("1500")),
        ("replica.fetch.backoff.ms", text("100")),
        ("replica.fetch.wait.max.ms", text("500")),
        ("replica.high.watermark.checkpoint.interval.ms", text("200")),
        ("log.flush.offset.checkpoint.interval.ms", text("200")),
        ("min.insync.replicas", text("2")),
        ("offsets.topic.num.partitions", text("6")),
        ("group.initial.rebalance.delay.ms", text("0")),
    ]
}
