//! Where each leader epoch of a log began, on the disk.

use super::StorageError;
use super::durable;
use super::offset_checkpoint::{lines, text};
use highwater_spec::log::{EpochCache, EpochEntry};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::path::Path;

const NAME: &str = "leader-epoch-checkpoint";

pub(super) fn store(folder: &Path, epochs: &EpochCache) -> Result<(), StorageError> {
    let entry = |entry: &EpochEntry| format!("{} {}", entry.epoch.0, entry.start);
    durable::replace(folder, NAME, &text(epochs.entries().iter().map(entry)))
}

/// The epochs; none if they were never stored.
pub(super) fn load(folder: &Path) -> Result<Option<EpochCache>, StorageError> {
    let entry = |line: &str| {
        let (epoch, start) = line.split_once(' ')?;
        let entry = EpochEntry { epoch: LeaderEpoch(epoch.parse().ok()?), start: Offset(start.parse().ok()?) };
        (entry.epoch.0 >= 0 && entry.start.0 >= 0).then_some(entry)
    };
    Ok(lines(&folder.join(NAME), "an epoch and its first offset", entry)?.map(EpochCache::from_iter))
}
