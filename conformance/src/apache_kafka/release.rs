//! The release of Apache Kafka that is pinned, and the Java that runs it.

use super::artifacts::Artifacts;
use super::node::last_lines;
use super::{Error, java, properties};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whatever of it is run, is run by this.
#[derive(Clone, Debug)]
pub struct Release {
    java: PathBuf,
    class_path: String,
}

impl Release {
    /// The jars in the cache, fetched if they aren't there yet, and verified.
    ///
    /// # Errors
    /// When Java or a jar can't be had.
    pub fn found(cache: &Path) -> Result<Self, Error> {
        let java = java::find()?;
        Ok(Self { java, class_path: Artifacts::resolve(cache)?.class_path() })
    }

    /// Formats the log directory that a node's settings name, with ELR on (KIP-966). In `dir` it works, and there are the
    /// settings of logging from now on.
    ///
    /// # Errors
    /// When Kafka's tool doesn't do it.
    pub fn format(&self, dir: &Path, node: u16, settings: &Path, cluster_id: &str) -> Result<(), Error> {
        properties::write_log4j(dir)?;
        let mut tool = self.command(dir, "kafka.tools.StorageTool");
        tool.args(["format", "--ignore-formatted", "--cluster-id", cluster_id, "--feature"]);
        tool.arg("eligible.leader.replicas.version=1").arg("--config").arg(settings);
        let output = tool.output().map_err(Error::io("run", &self.java))?;
        if output.status.success() {
            return Ok(());
        }
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(Error::Format { node, said: last_lines(&said, 20) })
    }

    /// The command that runs a node that is formatted.
    #[must_use]
    pub fn node(&self, dir: &Path, settings: &Path) -> Command {
        let mut node = self.command(dir, "kafka.Kafka");
        node.arg(settings);
        node
    }

    fn command(&self, dir: &Path, class: &str) -> Command {
        let mut command = Command::new(&self.java);
        command.args(["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.arg(format!("-Dlog4j2.configurationFile={}", properties::log4j(dir).display()));
        command.args(["-cp", &self.class_path, class]).current_dir(dir);
        command
    }
}
