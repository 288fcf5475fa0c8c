//! The thread that cleans compacted logs, the dirtiest first.
//!
//! Whether a log is to be cleaned and what stays of it is decided by `highwater_spec::log::clean`. A log's shard says
//! what there is to do and puts the result in its place; the work in between is done here. Source: Kafka's `LogCleaner`,
//! `LogCleanerManager`.

use super::broker_host::Shards;
use super::log_dirs::LogDirs;
use super::partitions::Partitions;
use super::shard::Event;
use crate::carrier::Timestamp;
use crate::storage::{CleanJob, PartitionName, StorageError};
use highwater_spec::values::{Offset, TopicPartition};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What the shard of a log must be told about a round.
#[derive(Clone, Copy, Debug)]
pub struct CleanWish {
    /// Up to where earlier rounds have cleaned the log (exclusive), if any is known of.
    pub cleaned: Option<Offset>,
    /// Milliseconds since 1970.
    pub now: i64,
    /// How many bytes the keys of the round may take.
    pub room: u64,
}

/// Tells the thread to end.
#[derive(Clone, Default)]
pub struct Stopped(Arc<(Mutex<bool>, Condvar)>);

impl Stopped {
    /// It is to end.
    pub fn stop(&self) {
        let (stopped, told) = &*self.0;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        told.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until it is to end.
    fn wait(&self, time: Duration) -> bool {
        let (stopped, told) = &*self.0;
        let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = told.wait_timeout_while(stopped, time, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The thread's own state.
pub struct Cleaner {
    shards: Shards,
    partitions: Arc<Partitions>,
    log_dirs: Arc<LogDirs>,
    room: u64,
    /// What the last process has written down of logs that were not looked at since.
    noted: BTreeMap<PartitionName, Offset>,
    /// Up to where each log is clean (exclusive).
    cleaned: HashMap<TopicPartition, Offset>,
    /// Logs that could not be cleaned: not tried again until the broker starts again.
    uncleanable: HashSet<TopicPartition>,
}

impl Cleaner {
    /// A thread that has not looked at any log yet. The keys of a round may take `room` bytes.
    ///
    /// # Errors
    /// When what the last process wrote down can't be read.
    pub fn new(
        shards: Shards,
        partitions: Arc<Partitions>,
        log_dirs: Arc<LogDirs>,
        room: u64,
    ) -> Result<Self, StorageError> {
        let noted = log_dirs.cleaned()?;
        let (cleaned, uncleanable) = (HashMap::new(), HashSet::new());
        Ok(Self { shards, partitions, log_dirs, room, noted, cleaned, uncleanable })
    }

    /// Looks for logs to clean, time and again, until it is to end.
    pub fn run(mut self, backoff: Duration, stopped: &Stopped) {
        while !stopped.wait(backoff) {
            let mut jobs = self.jobs(stopped);
            jobs.sort_by_key(|(_, job)| Reverse(job.dirty_ratio()));
            for (partition, job) in jobs {
                if stopped.is_stopped() {
                    return;
                }
                if let Err(error) = self.clean(partition, &job, stopped) {
                    tracing::error!(?partition, %error, "its log can't be cleaned");
                    self.uncleanable.insert(partition);
                }
            }
        }
    }

    /// The rounds that are due.
    fn jobs(&mut self, stopped: &Stopped) -> Vec<(TopicPartition, CleanJob)> {
        let now = Timestamp::now().0;
        let mut jobs = Vec::new();
        for found in self.partitions.all() {
            let partition = found.id;
            if stopped.is_stopped() || self.uncleanable.contains(&partition) {
                continue;
            }
            if let Some(noted) = self.noted.remove(&found.name) {
                self.cleaned.entry(partition).or_insert(noted);
            }
            let wish = CleanWish { cleaned: self.cleaned.get(&partition).copied(), now, room: self.room };
            let (reply, answer) = oneshot::channel();
            self.shards.send(partition, Event::CleaningConsidered(partition, wish, reply));
            jobs.extend(answer.blocking_recv().ok().map(|job| (partition, job)));
        }
        jobs
    }

    fn clean(&mut self, partition: TopicPartition, job: &CleanJob, stopped: &Stopped) -> Result<(), StorageError> {
        let Some(cleaned) = job.run(|| !stopped.is_stopped())? else { return Ok(()) };
        let (reply, answer) = oneshot::channel();
        self.shards.send(partition, Event::Cleaned(partition, cleaned, reply));
        // No answer: the log was cut or deleted meanwhile, or its disk has failed.
        let Ok(upto) = answer.blocking_recv() else { return Ok(()) };
        self.cleaned.insert(partition, upto);
        self.write_down()
    }

    /// Replaces what is written down. What is not there any more is left out.
    fn write_down(&mut self) -> Result<(), StorageError> {
        let there = self.partitions.all();
        let is_there = |id: &TopicPartition| there.iter().any(|partition| partition.id == *id);
        self.cleaned.retain(|id, _| is_there(id));
        let of = |name: &PartitionName, id| Some((name.clone(), *self.cleaned.get(id)?));
        let mut offsets = self.noted.clone();
        offsets.extend(there.iter().filter_map(|partition| of(&partition.name, &partition.id)));
        self.log_dirs.write_cleaned(&offsets)
    }
}
