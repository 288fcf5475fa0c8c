//! A cluster of Apache Kafka's own brokers, on this machine: the oracle that others are compared with.
//!
//! Three nodes, each broker and controller (KRaft), of one pinned release: its jars come from Maven Central and are
//! verified by their SHA-256 before each start. Timings are short, as in a cluster of ours. The brokers outlive the
//! command that starts them; a state file in the cluster's directory says which processes they are.
//!
//! Not here: what is asked of the cluster.

mod artifacts;
mod error;
mod java;
mod node;
mod properties;
mod ready;
mod release;
mod state;

pub use artifacts::{VERSION, client_class_path, pins};
pub use error::Error;
pub use release::Release;
pub use state::State;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

/// Nodes of the cluster, each broker and controller, with ids from 1.
pub const NODES: u16 = 3;

/// Where the cluster keeps what it needs.
#[derive(Clone, Debug)]
pub struct Places {
    /// Jars, shared by every cluster of this user.
    pub cache: PathBuf,
    /// Logs and settings of one cluster.
    pub dir: PathBuf,
}

impl Places {
    /// The places that were given, or those in the user's cache directory (`$XDG_CACHE_HOME`, else `~/.cache`).
    pub fn new(cache: Option<PathBuf>, dir: Option<PathBuf>) -> Result<Self, Error> {
        let cache = match cache {
            Some(cache) => cache,
            None => crate::cache_dir().ok_or(Error::NoCache)?,
        };
        let dir = dir.unwrap_or_else(|| cache.join(format!("apache-kafka-{VERSION}/cluster")));
        Ok(Self { cache, dir: std::path::absolute(&dir).map_err(Error::io("name", &dir))? })
    }
}

/// What [`up`] found or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Up {
    /// The cluster was running already.
    Already(State),
    /// The cluster was started, and clients can produce.
    Started(State),
}

/// Starts the cluster and waits until clients can produce. One that was stopped goes on with its data and its ports.
pub fn up(places: &Places, base_port: Option<u16>) -> Result<Up, Error> {
    fs::create_dir_all(&places.dir).map_err(Error::io("create", &places.dir))?;
    let _lock = state::lock(&places.dir)?;
    let known = State::read(&places.dir)?;
    if let Some(state) = known.as_ref().filter(|state| state.nodes.iter().all(node::is_running)) {
        ready::wait(&places.dir, state)?;
        return Ok(Up::Already(state.clone()));
    }
    let release = Release::found(&places.cache)?;
    let mut state = match known {
        Some(state) => state,
        None => formatted(places, &release, base_port)?,
    };
    let started = start(places, &release, &mut state).and_then(|()| ready::wait(&places.dir, &state));
    if let Err(error) = started {
        node::stop(&state.nodes)?;
        return Err(error);
    }
    Ok(Up::Started(state))
}

/// Stops the nodes that the state file names, and no other process. The data stays, unless `delete` says so.
pub fn down(places: &Places, delete: bool) -> Result<Option<State>, Error> {
    if !places.dir.exists() {
        return Ok(None);
    }
    let _lock = state::lock(&places.dir)?;
    let state = State::read(&places.dir)?;
    if let Some(state) = &state {
        node::stop(&state.nodes)?;
        if delete {
            fs::remove_dir_all(&places.dir).map_err(Error::io("delete", &places.dir))?;
        }
    }
    Ok(state)
}

/// The cluster that the state file describes, each node with whether its process runs.
pub fn status(places: &Places) -> Result<Option<(State, Vec<bool>)>, Error> {
    let state = State::read(&places.dir)?;
    Ok(state.map(|state| {
        let running = state.nodes.iter().map(node::is_running).collect();
        (state, running)
    }))
}

/// A cluster that has its settings and formatted log directories, and doesn't run yet.
fn formatted(places: &Places, release: &Release, base_port: Option<u16>) -> Result<State, Error> {
    let state = State::new(&places.dir, &ports(base_port)?);
    properties::write(&places.dir, &state)?;
    for node in &state.nodes {
        release.format(&places.dir, node.id, &node.properties, &state.cluster_id)?;
    }
    state.write(&places.dir)?;
    Ok(state)
}

/// Starts the nodes that don't run; the state file names each as soon as it does.
fn start(places: &Places, release: &Release, state: &mut State) -> Result<(), Error> {
    for index in 0..state.nodes.len() {
        if !node::is_running(&state.nodes[index]) {
            state.nodes[index].pid = Some(node::start(&places.dir, release, &state.nodes[index])?);
            state.write(&places.dir)?;
        }
    }
    Ok(())
}

/// Two ports for each node: from `base_port` on, brokers first, or from the kernel.
fn ports(base_port: Option<u16>) -> Result<Vec<u16>, Error> {
    let count = 2 * NODES;
    if let Some(base) = base_port.filter(|base| *base != 0) {
        let end = base.checked_add(count).ok_or(Error::PortsOutOfRange { base, count })?;
        return Ok((base..end).collect());
    }
    // All are held until each is known, so that no two are the same.
    let held = (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<Vec<_>, _>>();
    let addresses =
        held.and_then(|held| held.iter().map(|listener| listener.local_addr()).collect::<Result<Vec<_>, _>>());
    Ok(addresses.map_err(Error::Ports)?.iter().map(|address| address.port()).collect())
}
