//! Where one case happens: a cluster of its own, and logs on it.

use super::cluster::{Cluster, Wish};
use super::log::Log;
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;
use std::path::Path;

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
    binary: &Path,
    wish: Wish,
    script: impl AsyncFnOnce(&mut Stage) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stage = Stage { cluster: Cluster::start(binary, wish).await? };
        let outcome = script(&mut stage).await;
        let ailment = stage.cluster.ailment();
        match (outcome, ailment) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(ailment)) => Err(stage.cluster.with_what_was_said(ailment.into())),
            (Err(failed), None) => Err(stage.cluster.with_what_was_said(failed)),
            (Err(failed), Some(ailment)) => {
                let text = format!("{}\n  {ailment}", failed.message().unwrap_or_default());
                Err(stage.cluster.with_what_was_said(text.into()))
            }
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
