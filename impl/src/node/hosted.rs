//! One hosted replica: its machine, its log, and what others see of it.

use super::cleaner::CleanWish;
use super::partitions::Partition;
use super::shard::{Surroundings, Told};
use crate::carrier::Net;
use crate::storage::{
    CleanAsk, CleanJob, Cleaned, FlushJob, Flushed, LogConfig, PartitionLog, PartitionName, StorageError,
};
use highwater_spec::log::{Batch, recover};
use highwater_spec::producer::Producers;
use highwater_spec::replica::{ReadView, Replica, Role};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerId, TopicPartition};
use std::sync::Arc;

/// One replica of this broker.
pub struct Hosted {
    /// What decides.
    pub machine: Replica<Net>,
    log: PartitionLog,
    shown: Arc<Partition>,
}

impl Hosted {
    /// Finds the replica on the disk, or makes an empty one.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn open(around: &Surroundings, told: &Told) -> Result<Self, StorageError> {
        let place = around.log_dirs.place(&told.name, told.partition.topic)?;
        let (log, found) = PartitionLog::open(&place.folder, told.config.clone(), &place.last_run)?;
        let machine = Replica::new(around.me, recover(found));
        let (view, reader) = (machine.read_view(), log.reader());
        let shown = Partition::new(told.partition, told.name.clone(), view, reader, log.recovery_point());
        let shown = Arc::new(shown);
        around.partitions.insert(Arc::clone(&shown));
        Ok(Self { machine, log, shown })
    }

    /// Which partition.
    pub fn id(&self) -> TopicPartition {
        self.shown.id
    }

    /// Its name.
    pub fn name(&self) -> &PartitionName {
        &self.shown.name
    }

    /// Keeps the log as configured from now on.
    pub fn configure(&mut self, config: LogConfig) {
        self.log.configure(config);
    }

    /// Appends; if that ended a segment, what has to be flushed of the log on another thread.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn append(&mut self, batches: &[Batch<Net>]) -> Result<Option<FlushJob>, StorageError> {
        let before = self.log.active_base();
        self.log.append(batches)?;
        let now = self.log.active_base();
        Ok(if now == before { None } else { self.log.flush_job(now) })
    }

    /// A flush of the log has ended.
    ///
    /// # Errors
    /// When it failed.
    pub fn note_flushed(&mut self, flushed: Result<Flushed, StorageError>) -> Result<(), StorageError> {
        self.on_log(|log| log.note_flushed(flushed?))
    }

    /// What the next round of cleaning has to do, if it is time for one.
    ///
    /// # Errors
    /// When the log can't be read.
    pub fn clean_job(&self, rules: &Rules, wish: &CleanWish) -> Result<Option<CleanJob>, StorageError> {
        let CleanWish { cleaned, now, room } = *wish;
        let (log_start, stable) = (self.machine.log().start, self.machine.high_watermark());
        self.log.clean_job(rules, &CleanAsk { log_start, stable, cleaned, now, room })
    }

    /// Puts what a round has written in its place, and says up to where the log is clean now (exclusive); none if the
    /// log was cut since.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn note_cleaned(&mut self, cleaned: &Cleaned) -> Result<Option<Offset>, StorageError> {
        self.log.note_cleaned(cleaned)
    }

    /// What the log says of its producers.
    pub fn producers(&self) -> &Producers {
        self.log.producers()
    }

    /// Their batches in the log count no more.
    pub fn forget_producers(&mut self, gone: &[ProducerId]) {
        self.log.forget_producers(gone);
    }

    /// Carries out what concerns the log.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn on_log(
        &mut self,
        action: impl FnOnce(&mut PartitionLog) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        action(&mut self.log)?;
        self.shown.set_recovery_point(self.log.recovery_point());
        Ok(())
    }

    /// Lets readers see `view` from now on, and wakes those who wait.
    pub fn publish(&self, view: ReadView) {
        self.shown.view.publish(view);
        self.shown.parked.wake_all();
    }

    /// Closes the log; the answer is whether what it says is sure to be there at the next start.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn close(self) -> Result<bool, StorageError> {
        // What failed once is not tried again: an fsync that fails and then succeeds has lost what it covered.
        if matches!(self.machine.role(), Role::Offline(_)) {
            return Ok(false);
        }
        self.log.close()?;
        Ok(true)
    }

    /// Deletes the log's files.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn delete(self) -> Result<(), StorageError> {
        self.log.delete()
    }
}
