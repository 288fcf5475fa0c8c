//! The log of one partition, as its one writer has it.
//!
//! Source: Kafka's `UnifiedLog`, `LocalLog`.

use super::active::{Active, Noted};
use super::clean::{self, CleanAsk, CleanJob, Cleaned, Known};
use super::error::Context;
use super::names::DELETE;
use super::published::Published;
use super::segment::{Segment, reaches};
use super::{FlushJob, Flushed, LogConfig, LogReader, StorageError};
use super::{
    PartitionName, durable, epoch_checkpoint, meta_properties, offset_checkpoint, power_cut, producers, recovery, swap,
};
use crate::carrier::Net;
use crate::records::{BatchHeader, HEADER_SIZE, stamped};
use highwater_spec::log::{Batch, EpochCache, Found, Incoming, LastRun, RollLimits, must_roll};
use highwater_spec::producer::{Producers, Sequenced};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerId};
use std::fs;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One partition's log. Dropping it is like a crash of the process: use [`PartitionLog::close`].
///
/// After an operation has failed, every later one fails with [`StorageError::Failed`], until the log is opened again.
#[derive(Debug)]
pub struct PartitionLog {
    folder: PathBuf,
    config: LogConfig,
    segments: Vec<Arc<Segment>>,
    active: Active,
    /// The log end offset (exclusive).
    end: Offset,
    /// Everything below is durable (exclusive).
    recovery_point: Offset,
    /// Whether the folder has files that a power loss would take.
    folder_changed: bool,
    /// What the log says of its producers.
    producers: Producers,
    published: Arc<Published>,
    failed: bool,
}

impl PartitionLog {
    /// Opens the log in `folder`, which is made if need be, and recovers it as `last` demands.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Malformed`] for its epoch checkpoint; [`StorageError::Damaged`] for a log
    /// that was shut down cleanly and yet isn't whole.
    pub fn open(folder: &Path, config: LogConfig, last: &LastRun) -> Result<(Self, Found), StorageError> {
        fs::create_dir_all(folder).context("create", folder)?;
        let opened = recovery::open(folder, &config, last)?;
        if !last.is_whole(opened.end) {
            let reason = format!("it ends at {}, and was durable up to {}", opened.end, last.recovery_point);
            return Err(StorageError::Damaged { path: folder.to_owned(), position: 0, reason });
        }
        let recovery_point = last.recovery_point_now(opened.end);
        let start = opened.segments.first().map_or(opened.end, |first| first.base).max(last.log_start);
        // A note about what was not durable may be about a log that was lost.
        let trusted = recovery_point.max(start);
        let begins = |offset| opened.segments.iter().any(|segment| segment.base == offset);
        producers::remove(folder, |offset| offset > trusted || !begins(offset))?;
        let log = Self {
            producers: producers::load(folder, &opened.segments, trusted)?,
            published: Arc::new(Published::new(&opened.segments, opened.end)),
            folder: folder.to_owned(),
            config,
            segments: opened.segments,
            active: opened.active,
            end: opened.end,
            recovery_point,
            folder_changed: true,
            failed: false,
        };
        log.mark_cut(log.end)?;
        let (end, high_watermark, producers) = (log.end, last.high_watermark, log.producers.clone());
        Ok((log, Found { start, end, epochs: opened.epochs, high_watermark, producers }))
    }

    /// Notes in its folder how far it is durable, for a log that is in no checkpoint of its directory.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn note_recovery_point(&self) -> Result<(), StorageError> {
        let name = self.folder.file_name().and_then(|name| name.to_str()).and_then(PartitionName::of_folder);
        let points = name.map(|name| (name, self.recovery_point)).into_iter().collect();
        offset_checkpoint::store(&self.folder, offset_checkpoint::RECOVERY_POINTS, &points)
    }

    /// What [`PartitionLog::note_recovery_point`] noted last; 0 if it never did.
    ///
    /// # Errors
    /// [`StorageError::Io`]; [`StorageError::Malformed`].
    pub fn noted_recovery_point(folder: &Path) -> Result<Offset, StorageError> {
        let points = offset_checkpoint::load(folder, offset_checkpoint::RECOVERY_POINTS)?;
        Ok(points.into_values().next().unwrap_or_default())
    }

    /// Keeps the log like this from now on.
    pub fn configure(&mut self, config: LogConfig) {
        self.config = config;
    }

    /// Writes batches at the end, with their offsets and epochs stamped on them; nothing is copied, nothing flushed.
    ///
    /// # Errors
    /// [`StorageError::NotNext`] for a batch that begins below the log's end, [`StorageError::Record`] for one
    /// without a header, [`StorageError::Io`].
    pub fn append(&mut self, batches: &[Batch<Net>]) -> Result<(), StorageError> {
        self.attempt(|log| log.write_batches(batches))
    }

    /// Cuts everything at and above `to`, durably: neither a read that begins when this has returned nor the next start
    /// sees any of it. A batch that reaches past `to` goes as a whole.
    ///
    /// The recovery point may be lower afterwards; the one that was written down should be replaced.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn truncate(&mut self, to: Offset) -> Result<(), StorageError> {
        self.attempt(|log| {
            if to >= log.end {
                return Ok(());
            }
            producers::remove(&log.folder, |offset| offset > to)?;
            match log.segments.partition_point(|segment| segment.base <= to) {
                0 => log.begin_at(to),
                kept => log.cut_within(kept, to),
            }
        })
    }

    /// Drops everything, durably, and begins an empty log at `at`.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn truncate_fully(&mut self, at: Offset) -> Result<(), StorageError> {
        self.attempt(|log| {
            producers::remove(&log.folder, |_| true)?;
            log.producers = Producers::default();
            log.begin_at(at)
        })
    }

    /// Makes everything below `upto` durable. Returns when that is done.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn flush(&mut self, upto: Offset) -> Result<(), StorageError> {
        self.attempt(|log| match log.flush_job(upto) {
            Some(job) => log.note_flushed(job.run()?),
            None => Ok(()),
        })
    }

    /// What has to be flushed so that everything below `upto` is durable; none if it is already.
    #[must_use]
    pub fn flush_job(&self, upto: Offset) -> Option<FlushJob> {
        let upto = upto.min(self.end);
        if upto <= self.recovery_point {
            return None;
        }
        let from = self.segments.partition_point(|segment| segment.base <= self.recovery_point).saturating_sub(1);
        let to = self.segments.partition_point(|segment| segment.base < upto);
        let mut sealed = self.segments[from..to].to_vec();
        let active = sealed.pop_if(|segment| segment.base == self.active.segment.base);
        let flushed = Flushed { upto, cuts: self.published.cuts(), newest: self.active.segment.base };
        Some(FlushJob { folder: self.folder.clone(), sealed, active, folder_changed: self.folder_changed, flushed })
    }

    /// Moves the recovery point to where a [`FlushJob`] of this log flushed; not so if the log was cut since.
    ///
    /// # Errors
    /// [`StorageError::Io`], for a flush mark.
    pub fn note_flushed(&mut self, flushed: Flushed) -> Result<(), StorageError> {
        if flushed.cuts != self.published.cuts() {
            return Ok(());
        }
        self.folder_changed &= flushed.newest != self.active.segment.base;
        self.recovery_point = self.recovery_point.max(flushed.upto);
        if self.config.record_flush_marks { power_cut::mark(&self.folder, flushed.upto) } else { Ok(()) }
    }

    /// What the next round of cleaning has to do, if it is time for one. It may run on any thread while the log is used.
    ///
    /// # Errors
    /// [`StorageError::Damaged`], [`StorageError::Io`].
    pub fn clean_job(&self, rules: &Rules, ask: &CleanAsk) -> Result<Option<CleanJob>, StorageError> {
        if self.failed || !self.config.compact {
            return Ok(None);
        }
        let (sealed, config) = (&self.segments[..self.segments.len().saturating_sub(1)], self.config.clone());
        let known = Known { folder: &self.folder, sealed, active_base: self.active.segment.base, end: self.end };
        let durable = self.recovery_point;
        clean::job(known, durable, config, &self.producers, self.published.cuts(), rules, ask)
    }

    /// Puts what a [`CleanJob`] of this log has written in the place of what it was written from, and says up to where
    /// the log is clean now (exclusive); none if the log was cut since, when what was written goes.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn note_cleaned(&mut self, cleaned: &Cleaned) -> Result<Option<Offset>, StorageError> {
        let mut upto = None;
        self.attempt(|log| {
            let valid = cleaned.cuts == log.published.cuts();
            swap::keep_only(&log.folder, if valid { &cleaned.groups } else { &[] })?;
            if !valid {
                return Ok(());
            }
            for group in &cleaned.groups {
                let new = Arc::new(swap::swap(&log.folder, group)?);
                let from = log.segments.partition_point(|segment| segment.base < new.base);
                let to = log.segments.partition_point(|segment| segment.base <= group.last);
                log.segments.splice(from..to, [new]);
            }
            log.published.rolled(&log.segments);
            upto = Some(cleaned.upto);
            Ok(())
        })?;
        Ok(upto)
    }

    /// Replaces the epoch checkpoint, durably.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn store_epochs(&mut self, epochs: &EpochCache) -> Result<(), StorageError> {
        self.attempt(|log| epoch_checkpoint::store(&log.folder, epochs))
    }

    /// A reader. It stays valid whatever happens to the log.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        LogReader::new(Arc::clone(&self.published))
    }

    /// Where the segment begins that is written to: everything below is in segments that are written to no more.
    #[must_use]
    pub fn active_base(&self) -> Offset {
        self.active.segment.base
    }

    /// What the log says of its producers.
    #[must_use]
    pub fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Remembers these no more.
    pub fn forget_producers(&mut self, gone: &[ProducerId]) {
        gone.iter().for_each(|id| self.producers.expire(*id));
    }

    /// Everything below is durable (exclusive).
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// The log end offset (exclusive).
    #[must_use]
    pub fn end(&self) -> Offset {
        self.end
    }

    /// Where the log lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Flushes everything, indexes too, so that the next start may take the log for clean.
    ///
    /// # Errors
    /// [`StorageError::Io`], [`StorageError::Failed`].
    pub fn close(mut self) -> Result<(), StorageError> {
        self.attempt(|log| {
            log.active.seal()?;
            log.active.segment.sync_indexes()?;
            log.active.segment.sync()?;
            producers::note(&log.folder, log.end, &log.producers)?;
            durable::sync_folder(&log.folder)?;
            match log.flush_job(log.end) {
                Some(job) => log.note_flushed(job.run()?),
                None => Ok(()),
            }
        })
    }

    /// Deletes the log: renames its folder, so that it is gone whatever happens next, then removes that.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn delete(self) -> Result<(), StorageError> {
        self.published.cut(&[], self.end, || ());
        let id = meta_properties::random_id().context("name", &self.folder)?;
        let mut name = self.folder.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:032x}{DELETE}", u128::from_be_bytes(id)));
        let doomed = self.folder.with_file_name(name);
        fs::rename(&self.folder, &doomed).context("rename", &self.folder)?;
        if let Some(parent) = self.folder.parent() {
            durable::sync_folder(parent)?;
        }
        fs::remove_dir_all(&doomed).context("remove", &doomed)
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Self) -> Result<(), StorageError>) -> Result<(), StorageError> {
        if self.failed {
            return Err(StorageError::Failed { path: self.folder.clone() });
        }
        let done = work(self);
        self.failed = done.is_err();
        done
    }

    fn write_batches(&mut self, batches: &[Batch<Net>]) -> Result<(), StorageError> {
        let limits = RollLimits {
            segment_bytes: u64::from(self.config.segment_bytes),
            segment_ms: i64::try_from(self.config.segment_ms).unwrap_or(i64::MAX),
        };
        let mut active = self.active.summary(&self.config);
        let mut run = Vec::with_capacity(batches.len());
        let mut end = self.end;
        for batch in batches {
            let next = Stamped::new(batch, end)?;
            end = batch.end();
            if must_roll(&active, &next.incoming(), &limits) {
                self.write_run(&run)?;
                run.clear();
                self.roll(self.begin_of(&next))?;
                active = self.active.summary(&self.config);
            }
            active.bytes += next.size();
            active.first_timestamp = active.first_timestamp.or(Some(next.max_timestamp).filter(|_| run.is_empty()));
            run.push(next);
        }
        self.write_run(&run)
    }

    fn write_run(&mut self, run: &[Stamped<'_>]) -> Result<(), StorageError> {
        let Some(last) = run.last() else { return Ok(()) };
        let mut position = self.active.segment.size();
        let mut slices: Vec<_> = run.iter().flat_map(Stamped::slices).collect();
        self.active.segment.write(&mut slices)?;
        for batch in run {
            let (size, last_offset, max_timestamp) = (batch.size(), batch.last_offset, batch.max_timestamp);
            self.active.note(&Noted { position, size, last_offset, max_timestamp }, &self.config)?;
            position += size;
            if let Some(sequenced) = &batch.producer {
                self.producers.appended(sequenced, batch.base, batch.count);
            }
        }
        self.end = last.last_offset.next();
        self.published.appended(self.end);
        Ok(())
    }

    /// Where a segment begins whose first batch is `next`: at the end of the log, also where that batch begins after it,
    /// so that segments follow one another without gaps.
    fn begin_of(&self, next: &Stamped<'_>) -> Offset {
        if reaches(self.end, next.last_offset) { self.end } else { next.base }
    }

    fn roll(&mut self, base: Offset) -> Result<(), StorageError> {
        self.active.seal()?;
        producers::note(&self.folder, base, &self.producers)?;
        self.begin_segment(base)?;
        self.published.rolled(&self.segments);
        Ok(())
    }

    fn begin_segment(&mut self, base: Offset) -> Result<(), StorageError> {
        let segment = Arc::new(Segment::create(&self.folder, base)?);
        self.segments.push(Arc::clone(&segment));
        self.active = Active::fresh(segment);
        self.folder_changed = true;
        Ok(())
    }

    /// Keeps the first `kept` segments, and of the last of them what lies below `to`.
    fn cut_within(&mut self, kept: usize, to: Offset) -> Result<(), StorageError> {
        // Later segments go first: what is there at any time, after a crash too, is the beginning of this log.
        let later: Vec<_> = self.segments.drain(kept..).map(|segment| segment.base).collect();
        recovery::remove(&self.folder, &later)?;
        let Some(newest) = self.segments.last().map(Arc::clone) else { return self.begin_at(to) };
        let position = newest.position_of(to)?;
        self.published.cut(&self.segments, to, || newest.cut(position, to))?;
        newest.sync()?;
        self.active = Active::resumed(newest)?;
        self.cut_to(to)
    }

    fn begin_at(&mut self, at: Offset) -> Result<(), StorageError> {
        let bases: Vec<_> = self.segments.drain(..).map(|segment| segment.base).collect();
        recovery::remove(&self.folder, &bases)?;
        self.begin_segment(at)?;
        durable::sync_folder(&self.folder)?;
        self.published.cut(&self.segments, at, || ());
        self.cut_to(at)
    }

    fn cut_to(&mut self, end: Offset) -> Result<(), StorageError> {
        self.end = end;
        if self.producers.reach_past(end) {
            self.producers = producers::load(&self.folder, &self.segments, end)?;
        }
        self.recovery_point = self.recovery_point.min(end);
        self.mark_cut(end)
    }

    fn mark_cut(&self, end: Offset) -> Result<(), StorageError> {
        if self.config.record_flush_marks { power_cut::lower_mark(&self.folder, end) } else { Ok(()) }
    }
}

/// A batch on its way into the file: its header with offset and epoch, and the rest of it as it came.
struct Stamped<'a> {
    header: [u8; HEADER_SIZE],
    rest: &'a [u8],
    base: Offset,
    count: u32,
    producer: Option<Sequenced>,
    last_offset: Offset,
    max_timestamp: i64,
}

impl<'a> Stamped<'a> {
    fn new(batch: &'a Batch<Net>, end: Offset) -> Result<Self, StorageError> {
        let Batch { base, count, epoch, ref producer, ref bytes } = *batch;
        let header = stamped(bytes, base, epoch)?;
        let parsed = BatchHeader::parse(&header)?;
        if base < end || parsed.offset_count() != count || parsed.size() != bytes.len() {
            return Err(StorageError::NotNext { base, count, end });
        }
        let rest = bytes.get(HEADER_SIZE..).unwrap_or_default();
        let (producer, last_offset, max_timestamp) = (*producer, parsed.last_offset(), parsed.max_timestamp);
        Ok(Self { header, rest, base, count, producer, last_offset, max_timestamp })
    }

    fn size(&self) -> u64 {
        (HEADER_SIZE + self.rest.len()) as u64
    }

    fn slices(&self) -> [IoSlice<'_>; 2] {
        [IoSlice::new(&self.header), IoSlice::new(self.rest)]
    }

    fn incoming(&self) -> Incoming {
        Incoming { bytes: self.size(), last_offset: self.last_offset, max_timestamp: self.max_timestamp }
    }
}
