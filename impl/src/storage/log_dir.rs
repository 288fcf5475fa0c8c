//! A log directory: one of the folders that `log.dirs` names.
//!
//! Not here: the logs themselves ([`super::PartitionLog`]), and when checkpoints are written (the node). Source: Kafka's
//! `LogManager`.

use super::clean_shutdown::{self, Shutdown};
use super::error::Context;
use super::names::{DELETE, STRAY};
use super::offset_checkpoint::{self as checkpoint, CLEANED, HIGH_WATERMARKS, LOG_STARTS, Offsets, RECOVERY_POINTS};
use super::{MetaProperties, PartitionName, StorageError, durable, partition_metadata};
use highwater_spec::log::LastRun;
use highwater_spec::values::{BrokerEpoch, BrokerId, Offset, TopicId};
use rustix::fs::FlockOperation;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

const LOCK: &str = ".lock";

/// A log directory, locked. What its last process left behind has been read.
#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    meta: MetaProperties,
    shutdown: Shutdown,
    recovery_points: Offsets,
    high_watermarks: Offsets,
    log_starts: Offsets,
    /// Held open: the lock lasts as long.
    _lock: File,
}

/// A partition's folder in a log directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionFolder {
    /// Whose it is.
    pub name: PartitionName,
    /// The topic's id; none in the metadata log.
    pub topic_id: Option<TopicId>,
    /// Where it is.
    pub path: PathBuf,
}

impl LogDir {
    /// Opens and locks the directory, which is made and given an identity if need be. Removes what deleted partitions
    /// left, and the mark of a clean shutdown: from now on a crash is a crash.
    ///
    /// # Errors
    /// [`StorageError::Locked`]; [`StorageError::OtherNode`] and [`StorageError::OtherCluster`] if it isn't this node's;
    /// [`StorageError::Malformed`] for a checkpoint that can't be read; [`StorageError::Io`].
    pub fn open(path: &Path, cluster_id: &str, node_id: BrokerId) -> Result<Self, StorageError> {
        fs::create_dir_all(path).context("create", path)?;
        let lock = lock(path)?;
        let meta = identify(path, cluster_id, node_id)?;
        remove_deleted(path)?;
        let load = |name| checkpoint::load(path, name);
        let (recovery_points, high_watermarks, log_starts) =
            (load(RECOVERY_POINTS)?, load(HIGH_WATERMARKS)?, load(LOG_STARTS)?);
        // Last, so that a start that fails for another reason doesn't turn a clean shutdown into a crash.
        let shutdown = clean_shutdown::take(path)?;
        let path = path.to_owned();
        Ok(Self { path, meta, shutdown, recovery_points, high_watermarks, log_starts, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    #[must_use]
    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }

    /// Whether the last process shut down cleanly.
    #[must_use]
    pub fn was_clean(&self) -> bool {
        matches!(self.shutdown, Shutdown::Clean(_))
    }

    /// The broker epoch of the last process, if it shut down cleanly and had one.
    #[must_use]
    pub fn previous_broker_epoch(&self) -> Option<BrokerEpoch> {
        match self.shutdown {
            Shutdown::Clean(epoch) => epoch,
            Shutdown::Unclean => None,
        }
    }

    /// What the last process wrote down of a partition's log, for [`super::PartitionLog::open`].
    #[must_use]
    pub fn last_run(&self, partition: &PartitionName) -> LastRun {
        let of = |offsets: &Offsets| offsets.get(partition).copied().unwrap_or_default();
        LastRun {
            clean: self.was_clean(),
            recovery_point: of(&self.recovery_points),
            log_start: of(&self.log_starts),
            high_watermark: of(&self.high_watermarks),
            only_copy: false,
        }
    }

    /// The folders of partitions that it has, by name.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Malformed`] for a `partition.metadata`.
    pub fn partitions(&self) -> Result<Vec<PartitionFolder>, StorageError> {
        let mut found = Vec::new();
        for path in folders(&self.path)? {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(PartitionName::of_folder);
            if let Some(name) = name {
                found.push(PartitionFolder { name, topic_id: partition_metadata::load(&path)?, path });
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Where the log of `partition` lies, or would.
    #[must_use]
    pub fn folder_of(&self, partition: &PartitionName) -> PathBuf {
        self.path.join(partition.to_string())
    }

    /// Makes a folder for `partition` of the topic `topic_id`, durably, unless there is one, and says where.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn create(&self, partition: &PartitionName, topic_id: Option<TopicId>) -> Result<PathBuf, StorageError> {
        let folder = self.folder_of(partition);
        fs::create_dir_all(&folder).context("create", &folder)?;
        if let Some(topic_id) = topic_id {
            partition_metadata::store(&folder, topic_id)?;
        }
        durable::sync_folder(&self.path)?;
        Ok(folder)
    }

    /// Replaces what is written down of how far each log is durable, [`super::PartitionLog::recovery_point`]. To be done
    /// from time to time, at a shutdown, and after every truncation.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn store_recovery_points(&self, points: &BTreeMap<PartitionName, Offset>) -> Result<(), StorageError> {
        checkpoint::store(&self.path, RECOVERY_POINTS, points)
    }

    /// Replaces what is written down of high watermarks.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn store_high_watermarks(&self, offsets: &BTreeMap<PartitionName, Offset>) -> Result<(), StorageError> {
        checkpoint::store(&self.path, HIGH_WATERMARKS, offsets)
    }

    /// Replaces what is written down of where logs begin.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn store_log_starts(&self, offsets: &BTreeMap<PartitionName, Offset>) -> Result<(), StorageError> {
        checkpoint::store(&self.path, LOG_STARTS, offsets)
    }

    /// Up to where each compacted log has been cleaned (exclusive), as it was written down last.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Malformed`].
    pub fn cleaned(&self) -> Result<BTreeMap<PartitionName, Offset>, StorageError> {
        checkpoint::load(&self.path, CLEANED)
    }

    /// Replaces what is written down of how far logs have been cleaned.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn store_cleaned(&self, offsets: &BTreeMap<PartitionName, Offset>) -> Result<(), StorageError> {
        checkpoint::store(&self.path, CLEANED, offsets)
    }

    /// The topic that a partition's folder belongs to; none if there is no folder, or nothing in it yet.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Malformed`] for its `partition.metadata`.
    pub fn topic_of(&self, partition: &PartitionName) -> Result<Option<TopicId>, StorageError> {
        partition_metadata::load(&self.folder_of(partition))
    }

    /// Sets a folder aside that belongs to no partition of the cluster any more, as Kafka does: renamed, for someone to
    /// look at, and where it went.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn set_aside(&self, partition: &PartitionName) -> Result<PathBuf, StorageError> {
        let folder = self.folder_of(partition);
        let names = (0_u32..).map(|number| match number {
            0 => format!("{partition}{STRAY}"),
            _ => format!("{partition}.{number}{STRAY}"),
        });
        let mut free = names.map(|name| self.path.join(name)).filter(|path| !path.exists());
        let aside = free.next().unwrap_or_else(|| folder.clone());
        fs::rename(&folder, &aside).context("rename", &folder)?;
        durable::sync_folder(&self.path)?;
        Ok(aside)
    }

    /// Leaves the mark of a clean shutdown. Every log is closed and every checkpoint stored before.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn mark_clean(&self, epoch: Option<BrokerEpoch>) -> Result<(), StorageError> {
        clean_shutdown::leave(&self.path, epoch)
    }
}

fn lock(folder: &Path) -> Result<File, StorageError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).context("open", &path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StorageError::Locked { path: folder.to_owned() }),
        Err(error) => Err(error).context("lock", &path),
    }
}

fn identify(folder: &Path, cluster_id: &str, node_id: BrokerId) -> Result<MetaProperties, StorageError> {
    let Some(found) = MetaProperties::load(folder)? else {
        let new = MetaProperties::new(cluster_id, node_id).context("name", folder)?;
        new.store(folder)?;
        return Ok(new);
    };
    let path = folder.to_owned();
    if found.node_id != node_id {
        return Err(StorageError::OtherNode { path, found: found.node_id, expected: node_id });
    }
    if found.cluster_id != cluster_id {
        let expected = cluster_id.to_owned();
        return Err(StorageError::OtherCluster { path, found: found.cluster_id, expected });
    }
    Ok(found)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = fs::read_dir(folder).context("list", folder)?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.context("list", folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

fn remove_deleted(folder: &Path) -> Result<(), StorageError> {
    let name = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(DELETE));
    let mut doomed = folders(folder)?.into_iter().filter(name);
    doomed.try_for_each(|path| fs::remove_dir_all(&path).context("remove", &path))
}
