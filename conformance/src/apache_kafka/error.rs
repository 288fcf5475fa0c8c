//! Why a cluster of Apache's brokers can't be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a cluster of Apache's brokers can't be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program is not installed.
    #[error("{what} is missing: {why}; install it with `{install}`")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// How that shows.
        why: String,
        /// The command that installs it.
        install: &'static str,
    },
    /// Neither `$XDG_CACHE_HOME` nor `$HOME` is set.
    #[error("no cache directory: neither XDG_CACHE_HOME nor HOME is set; name one with --cache-dir")]
    NoCache,
    /// A jar is not what it was when this suite was written.
    #[error("{}: its SHA-256 is {found}, and {pinned} is pinned; delete it, and `up` fetches it again", path.display())]
    JarDiffers {
        /// The jar.
        path: PathBuf,
        /// Its digest.
        found: String,
        /// The digest that it should have.
        pinned: String,
    },
    /// Maven could not fetch the jars.
    #[error(
        "Maven could not fetch the jars ({command}); is there a way to Maven Central? A mirror is named in \
             ~/.m2/settings.xml. It said:\n{said}"
    )]
    Maven {
        /// What was run.
        command: String,
        /// The end of its output.
        said: String,
    },
    /// Maven succeeded, and a jar that is pinned isn't there.
    #[error("{}: missing, although Maven succeeded; is apache-kafka.sha256 of this release?", .0.display())]
    JarMissing(PathBuf),
    /// The ports would pass 65535.
    #[error("{count} ports from {base} on don't exist: the last port is 65535")]
    PortsOutOfRange {
        /// The first port.
        base: u16,
        /// How many are needed.
        count: u16,
    },
    /// The kernel gave no ports.
    #[error("no free ports on 127.0.0.1: {0}")]
    Ports(#[source] io::Error),
    /// A node could not be formatted.
    #[error("Kafka's StorageTool did not format node {node}. It said:\n{said}")]
    Format {
        /// The node's id.
        node: u16,
        /// The end of its output.
        said: String,
    },
    /// A node ended while the cluster started.
    #[error("node {node} ended while the cluster started; the end of {}:\n{said}", log.display())]
    Died {
        /// The node's id.
        node: u16,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        said: String,
    },
    /// The cluster did not become ready.
    #[error("the cluster is not ready after {seconds} s: {why}; see the logs in {}", dir.display())]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// What was seen last.
        why: String,
        /// Where the logs are.
        dir: PathBuf,
    },
    /// A node outlives SIGKILL.
    #[error("process {pid} of node {node} does not end")]
    StillRunning {
        /// The node's id.
        node: u16,
        /// Its process.
        pid: u32,
    },
    /// The state file is not one.
    #[error("{}: not a state file of this suite: {why}; stop the brokers that it names, and delete the directory", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file or a program could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: `action`, a verb, failed on `path`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
