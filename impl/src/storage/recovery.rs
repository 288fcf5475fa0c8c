//! Opening a log: which segments there are, and which of their bytes are batches.
//!
//! What is looked through and what is dropped is decided by `highwater_spec::log::LastRun`. Source: Kafka's `LogLoader`.

use super::active::{Active, Noted};
use super::durable::{self, TEMPORARY};
use super::error::Context;
use super::names::{INDEX, LOG, TIME_INDEX, parse_segment_file};
use super::scan::{Scan, ScanError, damaged};
use super::segment::{Segment, reaches};
use super::{LogConfig, StorageError, epoch_checkpoint, swap};
use crate::records::{RecordError, check_copied};
use highwater_spec::log::{EpochCache, LastRun};
use highwater_spec::values::Offset;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A log that has been opened.
pub(super) struct Opened {
    /// Its segments by base offset, at least one.
    pub(super) segments: Vec<Arc<Segment>>,
    /// The last of them.
    pub(super) active: Active,
    /// The log end offset (exclusive).
    pub(super) end: Offset,
    pub(super) epochs: EpochCache,
}

/// Opens the log in `folder`, or begins one.
pub(super) fn open(folder: &Path, config: &LogConfig, last: &LastRun) -> Result<Opened, StorageError> {
    swap::finish(folder)?;
    let bases = tidy(folder)?;
    let stored = epoch_checkpoint::load(folder)?;
    let scan_from = last.first_to_scan(&bases, stored.is_some()).unwrap_or(bases.len());
    let mut loading =
        Loading { folder, config, last, epochs: stored.unwrap_or_default(), segments: Vec::new(), end: None };
    let kept = loading.load(&bases, scan_from)?;
    remove(folder, &bases[kept..])?;
    if loading.end.is_some_and(|end| last.begins_anew(end)) {
        tracing::warn!(log = %folder.display(), start = %last.log_start, "the log ends before its start, and begins anew");
        remove(folder, &bases[..kept])?;
        loading.segments.clear();
        loading.epochs = EpochCache::default();
    }
    loading.finish()
}

/// Removes what an earlier process didn't finish, and says which segments there are.
fn tidy(folder: &Path) -> Result<Vec<Offset>, StorageError> {
    let mut bases = Vec::new();
    let mut indexes = Vec::new();
    for entry in fs::read_dir(folder).context("list", folder)? {
        let path = entry.context("list", folder)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        match parse_segment_file(name) {
            Some((base, LOG)) => bases.push(base),
            Some((base, INDEX | TIME_INDEX)) => indexes.push((base, path)),
            Some((_, ending)) if ending.ends_with(".deleted") => durable::remove(&path)?,
            _ if name.ends_with(TEMPORARY) => durable::remove(&path)?,
            _ => {}
        }
    }
    bases.sort_unstable();
    let mut orphans = indexes.into_iter().filter(|(base, _)| bases.binary_search(base).is_err());
    orphans.try_for_each(|(_, path)| durable::remove(&path))?;
    Ok(bases)
}

/// Removes segments, the last one first, so that what is there at any time is the beginning of a log.
pub(super) fn remove(folder: &Path, bases: &[Offset]) -> Result<(), StorageError> {
    if bases.is_empty() {
        return Ok(());
    }
    bases.iter().rev().try_for_each(|base| Segment::remove(folder, *base))?;
    durable::sync_folder(folder)
}

struct Loading<'a> {
    folder: &'a Path,
    config: &'a LogConfig,
    last: &'a LastRun,
    epochs: EpochCache,
    segments: Vec<Arc<Segment>>,
    /// Where the segments loaded so far end (exclusive).
    end: Option<Offset>,
}

impl Loading<'_> {
    /// Loads segments up to the first that doesn't belong to the log any more, and says how many do.
    fn load(&mut self, bases: &[Offset], scan_from: usize) -> Result<usize, StorageError> {
        for (index, base) in bases.iter().enumerate() {
            if self.end.is_some_and(|end| !self.last.goes_on(end, *base)) {
                return self.dropped_from(index, *base);
            }
            let has_indexes = Segment::has_indexes(self.folder, *base)?;
            let segment = Arc::new(Segment::open(self.folder, *base)?);
            self.segments.push(Arc::clone(&segment));
            let interval = u64::from(self.config.index_interval_bytes);
            if index < scan_from && has_indexes && segment.indexes_fit(interval).unwrap_or(false) {
                self.end = Some(segment.next_offset()?);
            } else if !self.look_through(&segment)? {
                return Ok(index + 1);
            }
        }
        Ok(bases.len())
    }

    fn dropped_from(&self, index: usize, base: Offset) -> Result<usize, StorageError> {
        let (log, end) = (self.folder.display(), self.end.unwrap_or_default());
        if self.last.may_cut(end) {
            tracing::warn!(%log, %end, segment = %base, "segments that don't go on where the log ends are dropped");
            return Ok(index);
        }
        let reason = format!("the segment at {base} overlaps the one before it, which ends at {end}");
        Err(StorageError::Damaged { path: self.folder.to_owned(), position: 0, reason })
    }

    /// Looks at every batch, makes the indexes anew and notes epochs that the checkpoint lacks. Cuts the segment where
    /// something else than a batch begins; then the log ends there, and this is false.
    fn look_through(&mut self, segment: &Arc<Segment>) -> Result<bool, StorageError> {
        segment.offsets.clear()?;
        segment.times.clear()?;
        let mut active = Active::fresh(Arc::clone(segment));
        let mut end = segment.base;
        let mut invalid = None;
        for batch in Scan::batches(segment, 0) {
            match batch.and_then(|batch| self.look_at(segment, end, &batch.bytes, batch.position)) {
                Ok(noted) => {
                    active.note(&noted, self.config)?;
                    end = noted.last_offset.next();
                }
                Err(ScanError::Storage(error)) => return Err(error),
                Err(ScanError::Invalid { position, reason }) => {
                    invalid = Some((position, reason));
                    break;
                }
            }
        }
        active.seal()?;
        self.end = Some(end);
        let Some((position, reason)) = invalid else { return Ok(true) };
        if !self.last.may_cut(end) {
            return Err(damaged(segment, position, &reason));
        }
        tracing::warn!(segment = %segment.path.display(), position, %end, %reason, "the log is cut");
        segment.cut(position, end)?;
        segment.sync()?;
        Ok(false)
    }

    fn look_at(&mut self, segment: &Segment, end: Offset, bytes: &[u8], position: u64) -> Result<Noted, ScanError> {
        let invalid = |reason| ScanError::Invalid { position, reason };
        let header = check_copied(bytes).map_err(invalid)?;
        if header.base_offset < end || !reaches(segment.base, header.last_offset()) {
            return Err(invalid(RecordError::BaseOffset(header.base_offset.0)));
        }
        if let Some(epoch) = header.leader_epoch
            && self.epochs.latest() < Some(epoch)
        {
            self.epochs.assign(epoch, header.base_offset);
        }
        let (last_offset, max_timestamp) = (header.last_offset(), header.max_timestamp);
        Ok(Noted { position, size: bytes.len() as u64, last_offset, max_timestamp })
    }

    fn finish(mut self) -> Result<Opened, StorageError> {
        if self.segments.is_empty() {
            self.segments.push(Arc::new(Segment::create(self.folder, self.last.log_start)?));
            self.end = None;
        }
        let Some(newest) = self.segments.last().map(Arc::clone) else { return Err(StorageError::Deleted) };
        Ok(Opened {
            end: self.end.unwrap_or(newest.base),
            active: Active::resumed(newest)?,
            segments: self.segments,
            epochs: self.epochs,
        })
    }
}
