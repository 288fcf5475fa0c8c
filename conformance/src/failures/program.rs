//! Whose program the nodes of a cluster run, how one is started, and how one ends that was asked to.

use super::process::Settings;
use crate::apache_kafka::Release;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// What Java ends with when it was asked to.
const TERMINATED: i32 = 128 + 15;
const CLUSTER_ID: &str = "highwater-failures-00A";
/// What ours knows by itself, and what is small because it isn't tried here.
const OF_APACHE_KAFKA: [(&str, &str); 8] = [
    ("controller.listener.names", "CONTROLLER"),
    ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
    ("default.replication.factor", "3"),
    ("offsets.topic.replication.factor", "3"),
    ("log.cleaner.dedupe.buffer.size", "4194304"),
    ("group.coordinator.threads", "1"),
    ("num.network.threads", "2"),
    ("num.replica.fetchers", "1"),
];

/// Whose.
#[derive(Clone, Debug)]
pub enum Program {
    /// Ours, where this binary is.
    Highwater(PathBuf),
    /// Apache Kafka.
    ApacheKafka(Release),
}

impl Program {
    /// Makes what a node needs before its first start. `dir` is the cluster's.
    ///
    /// # Errors
    /// When a file can't be written, or Apache's tool fails.
    pub fn prepare(&self, dir: &Path, node: u16, settings: &Settings) -> io::Result<()> {
        let Self::ApacheKafka(release) = self else { return Ok(()) };
        let own = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let lines: String = own.chain(OF_APACHE_KAFKA).map(|(name, value)| format!("{name}={value}\n")).collect();
        let file = file(dir, node);
        fs::write(&file, lines)?;
        release.format(dir, node, &file, CLUSTER_ID).map_err(io::Error::other)
    }

    /// The command that runs a node.
    #[must_use]
    pub fn command(&self, dir: &Path, node: u16, settings: &Settings) -> Command {
        match self {
            Self::Highwater(binary) => highwater(binary, settings),
            Self::ApacheKafka(release) => release.node(dir, &file(dir, node)),
        }
    }

    /// Whether a node that was asked to end did so in good order.
    #[must_use]
    pub fn ended_well(&self, status: ExitStatus) -> bool {
        match self {
            Self::Highwater(_) => status.success(),
            Self::ApacheKafka(_) => status.code() == Some(TERMINATED),
        }
    }
}

fn file(dir: &Path, node: u16) -> PathBuf {
    dir.join(format!("node-{node}.properties"))
}

fn highwater(binary: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(binary);
    command.args(["serve", "--die-with-parent", &std::process::id().to_string()]);
    // What the user has set for brokers of his own isn't for this one.
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"HIGHWATER_")) {
        command.env_remove(name);
    }
    let variable = |name: &str| format!("HIGHWATER_{}", name.to_uppercase().replace('.', "_"));
    command.envs(settings.iter().map(|(name, value)| (variable(name), value)));
    if env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", "info");
    }
    command
}
