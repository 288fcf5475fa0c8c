//! Writers that write all the time, so that whatever happens happens to requests under way.

use super::history::History;
use super::log::Log;
use super::until::until;
use super::writer::{Acks, Writer};
use libtest_mimic::Failed;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How many write at a time.
const WRITERS: u32 = 3;
/// Batches have from one to so many values.
const LARGEST_BATCH: u32 = 4;
/// Between two attempts of a writer: the load is to be there, not to fill the machine.
const PAUSE: Duration = Duration::from_millis(3);
/// After a failure, as clients do.
const BACKOFF: Duration = Duration::from_millis(50);
/// So many more acknowledged values, and the load goes on.
const GOES_ON: usize = 60;

/// Some writers to one log with acks=all. They end with this value.
#[derive(Debug)]
pub struct Load {
    history: History,
    stop: watch::Sender<bool>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins to write.
    #[must_use]
    pub fn on(log: &Log) -> Self {
        let (stop, stopping) = watch::channel(false);
        let writer = |_| tokio::spawn(write(Writer::new("load", log, Acks::All), stopping.clone()));
        let writers = (0..WRITERS).map(writer).collect();
        Self { history: log.history.clone(), stop, writers }
    }

    /// Waits until it is certain that values are acknowledged which were sent after this call.
    ///
    /// # Errors
    /// When none are.
    pub async fn goes_on(&self) -> Result<(), Failed> {
        let enough = self.history.acknowledged() + GOES_ON;
        until("the load goes on", async || match self.history.acknowledged() {
            acknowledged if acknowledged >= enough => Ok(()),
            acknowledged => Err(format!("{acknowledged} of {enough} acknowledged; {}", self.history.complaints())),
        })
        .await
    }

    /// Waits until every writer has heard what became of its last values, and writes no more.
    ///
    /// # Errors
    /// When a writer has panicked.
    pub async fn stop(mut self) -> Result<(), Failed> {
        self.stop.send_replace(true);
        for writer in self.writers.drain(..) {
            writer.await?;
        }
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.writers.iter().for_each(JoinHandle::abort);
    }
}

async fn write(mut writer: Writer, stopping: watch::Receiver<bool>) {
    for turn in 0.. {
        if *stopping.borrow() {
            return;
        }
        let written = writer.write(1 + turn % LARGEST_BATCH).await;
        sleep(if written.is_ok() { PAUSE } else { BACKOFF }).await;
    }
}
