//! The node's log directory, shared by its threads.

use super::partitions::Partition;
use crate::storage::{LogDir, PartitionName, StorageError};
use crate::wire::Uuid;
use highwater_spec::log::LastRun;
use highwater_spec::values::{BrokerEpoch, Offset, TopicId, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The directory, held for as long as the node runs.
pub struct LogDirs {
    dir: Mutex<LogDir>,
    /// The partitions that were asked for since the start.
    placed: Mutex<BTreeSet<PartitionName>>,
}

/// Where a replica lies, and what the last process wrote down of it.
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// What was written down.
    pub last_run: LastRun,
}

impl LogDirs {
    /// This one.
    pub fn new(dir: LogDir) -> Self {
        Self { dir: Mutex::new(dir), placed: Mutex::default() }
    }

    /// Where a replica lies. A folder of that name which is another topic's, deleted meanwhile, makes way.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn place(&self, name: &PartitionName, topic: TopicId) -> Result<Place, StorageError> {
        let dir = self.dir();
        // What the last process wrote down is about what it left: not about a topic of that name that is made later.
        let first = self.placed.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        let last_run = match dir.topic_of(name)? {
            Some(found) if found == topic => dir.last_run(name),
            Some(_) => {
                set_aside(&dir, name)?;
                LastRun::UNKNOWN
            }
            None if first => dir.last_run(name),
            None => LastRun::UNKNOWN,
        };
        Ok(Place { folder: dir.create(name, Some(topic))?, last_run })
    }

    /// Sets aside what belongs to no partition of the cluster any more: topics that were deleted while the broker was
    /// down, say.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn set_strays_aside(&self, belongs: impl Fn(TopicPartition) -> bool) -> Result<(), StorageError> {
        let dir = self.dir();
        for folder in dir.partitions()? {
            let Some(topic) = folder.topic_id else { continue };
            if !belongs(TopicPartition { topic, index: folder.name.index }) {
                set_aside(&dir, &folder.name)?;
            }
        }
        Ok(())
    }

    /// Notes how far logs are durable, and their high watermarks.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write_checkpoints(&self, partitions: &[Arc<Partition>]) -> Result<(), StorageError> {
        self.write_recovery_points(partitions)?;
        self.write_high_watermarks(partitions)
    }

    /// Notes how far logs are durable.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write_recovery_points(&self, partitions: &[Arc<Partition>]) -> Result<(), StorageError> {
        self.dir().store_recovery_points(&by_name(partitions, Partition::recovery_point))
    }

    /// Notes high watermarks.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write_high_watermarks(&self, partitions: &[Arc<Partition>]) -> Result<(), StorageError> {
        let of = |partition: &Partition| partition.view.read().high_watermark;
        self.dir().store_high_watermarks(&by_name(partitions, of))
    }

    /// Up to where each compacted log has been cleaned (exclusive), as the last process wrote it down.
    ///
    /// # Errors
    /// When the disk fails, or the file is malformed.
    pub fn cleaned(&self) -> Result<BTreeMap<PartitionName, Offset>, StorageError> {
        self.dir().cleaned()
    }

    /// Notes how far logs have been cleaned.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write_cleaned(&self, offsets: &BTreeMap<PartitionName, Offset>) -> Result<(), StorageError> {
        self.dir().store_cleaned(offsets)
    }

    /// Leaves the mark of a clean shutdown.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn write_clean_shutdown(&self, epoch: BrokerEpoch) -> Result<(), StorageError> {
        self.dir().mark_clean(Some(epoch))
    }

    /// The registration that the last process ended with, if it ended cleanly.
    pub fn previous_broker_epoch(&self) -> Option<BrokerEpoch> {
        self.dir().previous_broker_epoch()
    }

    /// The directory's id.
    pub fn directory_id(&self) -> Uuid {
        Uuid(self.dir().meta().directory_id)
    }

    /// One thread at a time: checkpoints are whole files.
    fn dir(&self) -> MutexGuard<'_, LogDir> {
        self.dir.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set_aside(dir: &LogDir, name: &PartitionName) -> Result<(), StorageError> {
    let aside = dir.set_aside(name)?;
    tracing::warn!(partition = %name, folder = %aside.display(), "its topic is gone: its log was set aside");
    Ok(())
}

fn by_name(partitions: &[Arc<Partition>], offset: impl Fn(&Partition) -> Offset) -> BTreeMap<PartitionName, Offset> {
    partitions.iter().map(|partition| (partition.name.clone(), offset(partition))).collect()
}
