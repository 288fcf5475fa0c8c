//! Which cluster lies in a directory, and which processes are its nodes.

use super::{Error, NODES};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A cluster, as its state file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The release that formatted the logs.
    pub version: String,
    /// KRaft's cluster id.
    pub cluster_id: String,
    /// The nodes, by id.
    pub nodes: Vec<Node>,
}

/// One node, broker and controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its id, from 1.
    pub id: u16,
    /// The port for clients.
    pub port: u16,
    /// The port for controllers.
    pub controller_port: u16,
    /// Its settings. The command line of its process names them, and that is how the process is told from others.
    pub properties: PathBuf,
    /// Its process, if it was ever started.
    pub pid: Option<u32>,
}

impl State {
    /// A cluster that doesn't run yet. `ports`: first the brokers', then the controllers'.
    pub(super) fn new(dir: &Path, ports: &[u16]) -> Self {
        let (brokers, controllers) = ports.split_at(usize::from(NODES));
        let node = |(id, (port, controller_port)): (u16, (&u16, &u16))| Node {
            id,
            port: *port,
            controller_port: *controller_port,
            properties: dir.join(format!("node-{id}.properties")),
            pid: None,
        };
        let nodes = (1..=NODES).zip(brokers.iter().zip(controllers)).map(node).collect();
        Self { version: super::VERSION.to_owned(), cluster_id: "highwater-apache-kafkA".to_owned(), nodes }
    }

    /// The addresses of the brokers, as clients want them.
    pub fn bootstrap(&self) -> String {
        self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect::<Vec<_>>().join(",")
    }

    /// The cluster in `dir`, if there is one.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, Error> {
        let path = path(dir);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let state: Self =
            serde_json::from_str(&text).map_err(|why| Error::State { path: path.clone(), why: why.to_string() })?;
        if state.version == super::VERSION {
            return Ok(Some(state));
        }
        Err(Error::State { path, why: format!("it is of release {}", state.version) })
    }

    /// Replaces the state file, whole.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = path(dir);
        let written = tempfile::NamedTempFile::new_in(dir).and_then(|mut file| {
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.persist(&path).map_err(|error| error.error)
        });
        written.map(drop).map_err(Error::io("write", &path))
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("state.json")
}

/// Held while a cluster is brought up or down, so that two commands don't do it at once. Ends with the value.
pub(super) fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(".lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
        .map_err(|error| Error::io("lock", &path)(error.into()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(State::read(dir.path()).unwrap(), None);
        let mut state = State::new(dir.path(), &[1, 2, 3, 4, 5, 6]);
        state.nodes[1].pid = Some(7);
        state.write(dir.path()).unwrap();
        assert_eq!(State::read(dir.path()).unwrap(), Some(state));
    }

    #[test]
    fn a_file_of_another_release_or_of_nobody_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::new(dir.path(), &[1, 2, 3, 4, 5, 6]);
        state.version = "0.7".to_owned();
        state.write(dir.path()).unwrap();
        assert!(State::read(dir.path()).unwrap_err().to_string().contains("0.7"));
        fs::write(path(dir.path()), "{").unwrap();
        assert!(State::read(dir.path()).unwrap_err().to_string().contains("state.json"));
    }
}
