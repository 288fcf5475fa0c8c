//! The thread that notes now and then how far each log is durable, and the high watermarks.
//!
//! Source: Kafka's `log.flush.offset.checkpoint.interval.ms`, `replica.high.watermark.checkpoint.interval.ms`.

use super::log_dirs::LogDirs;
use super::partitions::{Partition, Partitions};
use super::timers::Timers;
use crate::cells::{Drained, Inbox};
use crate::storage::StorageError;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Checkpoint {
    RecoveryPoints,
    HighWatermarks,
}

/// What the thread works with.
pub struct Checkpoints {
    /// Where the notes lie.
    pub log_dirs: Arc<LogDirs>,
    /// What they are about.
    pub partitions: Arc<Partitions>,
    /// Between two notes of recovery points.
    pub recovery_points: Duration,
    /// Between two notes of high watermarks.
    pub high_watermarks: Duration,
}

impl Checkpoints {
    /// Runs until `end` is closed.
    pub fn run(self, end: &Inbox<Infallible>) {
        let mut timers = Timers::new();
        let due = |checkpoint| Instant::now() + self.every(checkpoint).max(Duration::from_millis(1));
        for checkpoint in [Checkpoint::RecoveryPoints, Checkpoint::HighWatermarks] {
            timers.set(checkpoint, due(checkpoint));
        }
        while end.drain(&mut Vec::new(), timers.next()) != Drained::Closed {
            while let Some(checkpoint) = timers.take_due(Instant::now()) {
                if let Err(error) = self.write(checkpoint, &self.partitions.all()) {
                    tracing::error!(?checkpoint, %error, "a checkpoint was not written");
                }
                timers.set(checkpoint, due(checkpoint));
            }
        }
    }

    fn every(&self, checkpoint: Checkpoint) -> Duration {
        match checkpoint {
            Checkpoint::RecoveryPoints => self.recovery_points,
            Checkpoint::HighWatermarks => self.high_watermarks,
        }
    }

    fn write(&self, checkpoint: Checkpoint, partitions: &[Arc<Partition>]) -> Result<(), StorageError> {
        match checkpoint {
            Checkpoint::RecoveryPoints => self.log_dirs.write_recovery_points(partitions),
            Checkpoint::HighWatermarks => self.log_dirs.write_high_watermarks(partitions),
        }
    }
}
