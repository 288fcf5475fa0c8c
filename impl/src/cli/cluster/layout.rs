//! Where a cluster's files lie, and what each node is told.
//!
//! ```text
//! DIR/controller-100.properties   DIR/controller-100.log   DIR/controller-100/…
//! DIR/broker-1.properties         DIR/broker-1.log         DIR/broker-1/…
//! ```

use crate::cli::failure::Failure;
use highwater::config::{Endpoint, NodeConfig, Settings};
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The controller's node id.
pub const CONTROLLER: i32 = 100;
/// Everything stays on this machine.
const HOST: &str = "127.0.0.1";

/// A cluster's place on disk.
pub struct Layout {
    root: PathBuf,
    /// Held as long as this cluster runs.
    _lock: File,
    /// Removes `root` when it is dropped.
    _temporary: Option<tempfile::TempDir>,
    /// By node id; 0 until the kernel has chosen.
    ports: BTreeMap<i32, u16>,
    settings: Vec<(String, String)>,
}

/// One node's place on disk.
#[derive(Clone, Debug)]
pub struct Node {
    name: String,
    /// What it was told.
    pub properties: PathBuf,
    /// What it says.
    pub log: PathBuf,
    /// What it keeps.
    pub dir: PathBuf,
}

impl Layout {
    /// A new place, or an old one. Nothing is written into it yet.
    ///
    /// # Errors
    /// If the directory cannot be made, ports run out, or a setting is not valid.
    pub fn new(
        dir: Option<PathBuf>,
        brokers: u16,
        base_port: u16,
        settings: Vec<(String, String)>,
    ) -> Result<Self, Failure> {
        let ids = (1..=i32::from(brokers)).chain([CONTROLLER]);
        let port = |index: u16| if base_port == 0 { Some(0) } else { base_port.checked_add(index) };
        let ports: Option<BTreeMap<_, _>> = ids.zip(0..).map(|(id, index)| Some((id, port(index)?))).collect();
        let ports = ports.ok_or_else(|| {
            Failure::said(format!("--base-port {base_port} leaves no room for {brokers} brokers and a controller"))
        })?;
        let (root, temporary) = root(dir)?;
        let _lock = lock(&root)?;
        let layout = Self { root, _lock, _temporary: temporary, ports, settings };
        layout.check()?;
        Ok(layout)
    }

    /// Says what is wrong with `--set` before anything runs.
    fn check(&self) -> Result<(), Failure> {
        for id in [CONTROLLER, 1] {
            let mut settings = Settings::default();
            self.own_settings(id).into_iter().for_each(|(key, value)| settings.add_flag(key, value));
            // Whichever port the controller gets, brokers will be told it.
            settings.add_flag("controller.quorum.voters", format!("{CONTROLLER}@{HOST}:1"));
            self.settings.iter().for_each(|(key, value)| settings.add_flag(key, value));
            NodeConfig::read(&settings)?;
        }
        Ok(())
    }

    /// The brokers' ids.
    pub fn broker_ids(&self) -> impl Iterator<Item = i32> + '_ {
        self.ports.keys().copied().filter(|id| *id != CONTROLLER)
    }

    /// A node's place.
    pub fn node(&self, id: i32) -> Node {
        let role = if id == CONTROLLER { "controller" } else { "broker" };
        let file = |suffix: &str| self.root.join(format!("{role}-{id}{suffix}"));
        Node { name: format!("{role} {id}"), properties: file(".properties"), log: file(".log"), dir: file("") }
    }

    /// Writes a node's properties.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn prepare(&self, id: i32) -> Result<Node, Failure> {
        let node = self.node(id);
        let mut text = String::from("# Written by `highwater cluster`, anew at each start.\n");
        let own = self.own_settings(id);
        let given = self.settings.iter().map(|(key, value)| (key.as_str(), value.clone()));
        for (key, value) in own.into_iter().chain(given) {
            let _ = writeln!(text, "{key}={}", value.replace('\\', "\\\\"));
        }
        let written = fs::write(&node.properties, text);
        written.map_err(|error| Failure::said(format!("cannot write {}: {error}", node.properties.display())))?;
        Ok(node)
    }

    /// Takes note of a port that the kernel chose, so that the node gets the same one if it is started again.
    ///
    /// # Errors
    /// If the node's properties cannot be written.
    pub fn learn_port(&mut self, id: i32, port: u16) -> Result<(), Failure> {
        if self.ports.insert(id, port) != Some(port) {
            self.prepare(id)?;
        }
        Ok(())
    }

    fn own_settings(&self, id: i32) -> Vec<(&'static str, String)> {
        let address = |id: &i32| {
            let port = self.ports.get(id).copied().unwrap_or(0);
            Endpoint { host: HOST.to_owned(), port }.to_string()
        };
        let (role, listener) = if id == CONTROLLER { ("controller", "CONTROLLER") } else { ("broker", "PLAINTEXT") };
        let brokers = self.ports.len() - 1;
        let mut settings = vec![
            ("node.id", id.to_string()),
            ("process.roles", role.to_owned()),
            ("listeners", format!("{listener}://{}", address(&id))),
            ("controller.quorum.voters", format!("{CONTROLLER}@{}", address(&CONTROLLER))),
            ("log.dirs", self.node(id).dir.display().to_string()),
            ("default.replication.factor", brokers.min(3).to_string()),
            ("min.insync.replicas", if brokers < 3 { "1" } else { "2" }.to_owned()),
        ];
        settings.extend(FAST.map(|(key, value)| (key, value.to_owned())));
        settings
    }
}

/// A broker that is gone is missed within two seconds, and a follower that lags leaves the ISR within three.
const FAST: [(&str, &str); 6] = [
    ("broker.heartbeat.interval.ms", "100"),
    ("broker.session.timeout.ms", "1500"),
    ("replica.lag.time.max.ms", "3000"),
    ("replica.fetch.backoff.ms", "100"),
    ("replica.high.watermark.checkpoint.interval.ms", "1000"),
    ("num.io.threads", "2"),
];

fn root(dir: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    let Some(dir) = dir else {
        let made = tempfile::Builder::new().prefix("highwater-cluster-").tempdir();
        let made = made.map_err(|error| Failure::said(format!("cannot make a temporary directory: {error}")))?;
        return Ok((made.path().to_owned(), Some(made)));
    };
    // Absolute, for whoever copies a path from the output.
    let made = fs::create_dir_all(&dir).and_then(|()| fs::canonicalize(&dir));
    let root = made.map_err(|error| Failure::said(format!("cannot use --dir {}: {error}", dir.display())))?;
    Ok((root, None))
}

/// Two clusters in one directory would write over each other's properties.
fn lock(root: &Path) -> Result<File, Failure> {
    let path = root.join(".cluster.lock");
    let file = File::options().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(|error| Failure::said(format!("cannot write {}: {error}", path.display())))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(Failure::said(format!("another `highwater cluster` runs in {}", root.display()))),
    }
}

impl Node {
    /// What to type to start it again.
    pub fn command(&self) -> String {
        format!("highwater serve {}", self.properties.display())
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        last_lines(&self.log, 5)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn last_lines(file: &Path, count: usize) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().rev().take(count).collect();
    let lines: Vec<_> = lines.into_iter().rev().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(base_port: u16, settings: &[(&str, &str)]) -> Result<Layout, Failure> {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Layout::new(None, 3, base_port, settings)
    }

    /// What the node of this id would read.
    fn config(layout: &Layout, id: i32) -> NodeConfig {
        let node = layout.prepare(id).unwrap();
        let mut settings = Settings::default();
        settings.add_file(&node.properties).unwrap();
        assert!(settings.unknown().next().is_none());
        NodeConfig::read(&settings).unwrap()
    }

    #[test]
    fn nodes_are_told_who_they_are_and_where_the_controller_is() {
        let layout = layout(19092, &[("min.insync.replicas", "3")]).unwrap();
        let controller = config(&layout, CONTROLLER);
        assert_eq!(controller.network.controller.unwrap().endpoint.to_string(), "127.0.0.1:19095");
        let broker = config(&layout, 2);
        assert_eq!(broker.network.broker.unwrap().advertised.to_string(), "127.0.0.1:19093");
        assert_eq!(broker.network.quorum.endpoint.to_string(), "127.0.0.1:19095");
        assert_eq!((broker.default_replication_factor, broker.min_insync_replicas), (3, 3));
        assert!(broker.log_dirs.starts_with(&layout.root) && broker.log_dirs != controller.log_dirs);
    }

    #[test]
    fn a_port_that_the_kernel_chose_stays() {
        let mut layout = layout(0, &[]).unwrap();
        assert_eq!(layout.ports.values().sum::<u16>(), 0);
        layout.learn_port(CONTROLLER, 4000).unwrap();
        layout.learn_port(1, 4001).unwrap();
        let broker = config(&layout, 1);
        assert_eq!(broker.network.quorum.endpoint.port, 4000);
        assert_eq!(broker.network.broker.unwrap().listener.endpoint.port, 4001);
    }

    #[test]
    fn what_cannot_work_is_refused_before_anything_runs() {
        let refusal = |base_port, settings: &[(&str, &str)]| layout(base_port, settings).err().unwrap().to_string();
        assert!(refusal(65533, &[]).contains("--base-port 65533 leaves no room"));
        assert!(layout(65532, &[]).is_ok());
        assert!(refusal(0, &[("num.partitions", "x")]).contains("num.partitions=x is not valid"));
        assert!(refusal(0, &[("no.such", "x")]).contains("there is no such setting"));
    }

    #[test]
    fn a_place_holds_one_cluster() {
        let place = tempfile::tempdir().unwrap();
        let take = || Layout::new(Some(place.path().to_owned()), 1, 0, Vec::new());
        let first = take().unwrap();
        assert!(take().err().unwrap().to_string().starts_with("another `highwater cluster` runs in "));
        drop(first);
        assert!(take().is_ok());
    }

    #[test]
    fn a_temporary_place_goes_away() {
        let layout = layout(0, &[]).unwrap();
        let root = layout.root.clone();
        assert!(root.is_dir());
        drop(layout);
        assert!(!root.exists());
    }
}
