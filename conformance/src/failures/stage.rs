//! Where one case happens: a cluster of its own, and logs on it.

use super::cluster::{Cluster, Wish};
use super::log::Log;
use super::program::Program;
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;

/// Every replica of a log on three brokers; broker 1 leads at first.
pub const ALL: [BrokerId; 3] = [BrokerId(1), BrokerId(2), BrokerId(3)];

/// A cluster, all of it running when a case begins.
#[derive(Debug)]
pub struct Stage {
    /// The cluster.
    pub cluster: Cluster,
}

/// Plays one case from beginning to end. All processes have ended when this returns, also by a panic.
///
/// # Errors
/// What the case says; also when a node ended by itself, or panicked.
pub fn play(
    program: &Program,
    wish: Wish,
    script: impl AsyncFnOnce(&mut Stage) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stage = Stage { cluster: Cluster::start(program, wish).await? };
        let outcome = script(&mut stage).await;
        let failed = outcome.err().map(|failed| failed.message().unwrap_or("it failed").to_owned());
        let faults: Vec<_> = [failed, stage.cluster.ailment()].into_iter().flatten().collect();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(stage.cluster.with_what_was_said(&faults.join("\n  "))),
        }
    })
}

impl Stage {
    /// A log with a copy on each of `replicas`; the first leads.
    ///
    /// # Errors
    /// When it can't be made.
    pub async fn log(&self, topic: &str, replicas: &[BrokerId], min_insync_replicas: usize) -> Result<Log, Failed> {
        Log::create(topic, replicas, min_insync_replicas, self.cluster.addresses()).await
    }

    /// A log on three brokers, two of which must be in sync; broker 1 leads.
    ///
    /// # Errors
    /// When it can't be made.
    pub async fn usual_log(&self) -> Result<Log, Failed> {
        self.log("log", &ALL, 2).await
    }

    /// `kill -9`.
    pub fn kill(&mut self, broker: BrokerId) {
        self.cluster.process(broker).kill();
    }

    /// Starts a broker's process again.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(&mut self, broker: BrokerId) -> Result<(), Failed> {
        Ok(self.cluster.process(broker).start()?)
    }
}
