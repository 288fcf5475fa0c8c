//! The cluster that is judged: one that runs already, or one of ours, started here and stopped at the end.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A cluster that is judged.
#[derive(Debug)]
pub enum Target {
    /// Somebody else runs it.
    Given {
        /// `host:port,…`
        bootstrap: String,
    },
    /// A cluster of ours, which ends with this value.
    Own(OwnCluster),
}

impl Target {
    /// The addresses of its brokers, as clients want them.
    pub fn bootstrap(&self) -> &str {
        match self {
            Self::Given { bootstrap } => bootstrap,
            Self::Own(cluster) => &cluster.bootstrap,
        }
    }

    /// The cluster that the environment names (`HIGHWATER_BOOTSTRAP`), else one of ours of three brokers.
    pub fn of_tests() -> io::Result<Self> {
        match env::var("HIGHWATER_BOOTSTRAP") {
            Ok(bootstrap) => Ok(Self::Given { bootstrap }),
            // Members of the consumer protocol are told this, and move as soon as others do.
            Err(_) => {
                OwnCluster::start(&built()?, &["--set", "group.consumer.heartbeat.interval.ms=500"]).map(Self::Own)
            }
        }
    }
}

/// A cluster of three brokers and a controller: processes of the command line, in a temporary directory.
#[derive(Debug)]
pub struct OwnCluster {
    bootstrap: String,
    process: Child,
}

impl OwnCluster {
    /// Starts `highwater cluster` on ports from the kernel, and waits until clients can produce.
    pub fn start(binary: &std::path::Path, more: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["cluster", "--brokers", "3", "--base-port", "0"]).args(more);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let Some(stdout) = process.stdout.take() else { return Err(io::Error::other("no output")) };
        let mut lines = BufReader::new(stdout).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| bootstrap(&line));
        // Its output is read to the end, so that it never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let mut cluster = Self { bootstrap: String::new(), process };
        match ready {
            Some(bootstrap) => cluster.bootstrap = bootstrap,
            None => return Err(io::Error::other(format!("{command:?} ended before it was ready"))),
        }
        Ok(cluster)
    }
}

impl Drop for OwnCluster {
    /// Asked to end, so that it removes its directory; killed, if it doesn't.
    fn drop(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(20);
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The addresses in a line such as `ready bootstrap=127.0.0.1:19092,127.0.0.1:19093`.
fn bootstrap(line: &str) -> Option<String> {
    line.strip_prefix("ready bootstrap=").map(|addresses| addresses.trim().to_owned())
}

/// The broker's binary, built now: a test of one package can't name the binary of another.
pub fn built() -> io::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "highwater", "--bin", "highwater", "--message-format", "json"]);
    let output = build.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output()?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.ok_or_else(|| io::Error::other(format!("{build:?} made no executable")))
}
