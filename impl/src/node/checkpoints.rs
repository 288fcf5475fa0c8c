//! The thread that notes now and then how far each log is durable, and the high watermarks.
//!
//! Source: Kafka's `log.flush.offset.checkpoint.interval.ms`, `replica.high.watermark.checkpoint.interval.ms`.

use super::log_dirs::LogDirs;
use super::partitions::{Partition, Partitions};
use super::timers::Timers;
use crate::cells::Drained;
use crate::door::{Done, Enters, Entrance, Place, What};
use crate::storage::StorageError;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checkpoint {
    /// How far each log is durable.
    RecoveryPoints,
    /// The high watermarks.
    HighWatermarks,
}

/// What reaches the thread.
pub enum Event {
    /// A timer that the door has let through.
    Due(Checkpoint),
    /// To be called when everything sent before has been dealt with.
    Mark(Done),
}

impl Enters for Event {
    fn arrival(&self) -> Option<(Place, What)> {
        None
    }

    fn mark(done: Done) -> Self {
        Self::Mark(done)
    }
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
    /// Runs until the way to it is closed.
    pub fn run(self, entrance: &Entrance<Event>) {
        let before = entrance.clone();
        let mut timers = Timers::before(move |checkpoint: &Checkpoint| {
            let checkpoint = *checkpoint;
            before.hold_timer(Place::Broker, format!("{checkpoint:?}"), move || Event::Due(checkpoint))
        });
        let due = |checkpoint| Instant::now() + self.every(checkpoint).max(Duration::from_millis(1));
        for checkpoint in [Checkpoint::RecoveryPoints, Checkpoint::HighWatermarks] {
            timers.set(checkpoint, due(checkpoint));
        }
        let mut events = Vec::new();
        while entrance.drain(&mut events, timers.next()) != Drained::Closed {
            let noted = |checkpoint, timers: &mut Timers<Checkpoint>| {
                if let Err(error) = self.write(checkpoint, &self.partitions.all()) {
                    tracing::error!(?checkpoint, %error, "a checkpoint was not written");
                }
                timers.set(checkpoint, due(checkpoint));
            };
            for event in events.drain(..) {
                match event {
                    Event::Due(checkpoint) if timers.take(&checkpoint) => noted(checkpoint, &mut timers),
                    Event::Due(_) => {}
                    Event::Mark(done) => done(),
                }
            }
            while let Some(checkpoint) = timers.take_due(Instant::now()) {
                noted(checkpoint, &mut timers);
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
