//! Cleaning a compacted log: a round of it as a job for another thread.
//!
//! What is cleaned and what stays is decided by `highwater_spec::log::clean`. A job reads segments that are written to no
//! more, and writes new ones beside them; the log puts them in place ([`super::PartitionLog::note_cleaned`]). Source:
//! Kafka's `Cleaner`.

use super::active::{Active, Noted};
use super::names::CLEANED;
use super::scan::Scan;
use super::segment::Segment;
use super::swap::{self, Group};
use super::{LogConfig, StorageError, durable};
use crate::records::{BatchHeader, Record, emptied, records, rewritten};
use bytes::Bytes;
use highwater_spec::log::clean::{
    Cleaning, DirtyPart, Fate, Found, GroupLimits, Kind, Latest, Ratio, Round, SealedSegment, grouped,
    kept_of_producers,
};
use highwater_spec::producer::Producers;
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerId};
use std::collections::BTreeSet;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most that the records of one batch may take when decompressed, in bytes.
const MOST_DECOMPRESSED: usize = 256 << 20;
/// How much is gathered before it is written, in bytes.
const PIECE: usize = 1 << 20;

/// What a log does not know itself of the round that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct CleanAsk {
    /// The log's first offset that can be read (inclusive).
    pub log_start: Offset,
    /// Everything below is committed, and in no open transaction (exclusive).
    pub stable: Offset,
    /// Up to where earlier rounds have cleaned it (exclusive), if any is known of.
    pub cleaned: Option<Offset>,
    /// Milliseconds since 1970.
    pub now: i64,
    /// `log.cleaner.dedupe.buffer.size`: how many bytes the keys of one round may take.
    pub room: u64,
}

/// What a log knows of itself.
pub(super) struct Known<'a> {
    pub(super) folder: &'a Path,
    /// All segments but the active one.
    pub(super) sealed: &'a [Arc<Segment>],
    pub(super) active_base: Offset,
    /// The log end offset (exclusive).
    pub(super) end: Offset,
}

/// One round of cleaning, to be run on any thread. The log may be written to, and cut, meanwhile.
#[derive(Debug)]
pub struct CleanJob {
    folder: PathBuf,
    config: LogConfig,
    rules: Rules,
    part: DirtyPart,
    /// The segments up to the end of that part, the first one first.
    segments: Vec<Arc<Segment>>,
    kept: BTreeSet<(ProducerId, Offset)>,
    cuts: u64,
    now: i64,
    room: u64,
}

/// What a [`CleanJob`] has written.
#[derive(Debug)]
pub struct Cleaned {
    /// How often the log had been cut when the job was made.
    pub(super) cuts: u64,
    /// The new segments, in order.
    pub(super) groups: Vec<Group>,
    /// Up to where the log is clean with them (exclusive).
    pub(super) upto: Offset,
}

/// The round that is due, if one is.
pub(super) fn job(
    known: Known<'_>,
    durable: Offset,
    config: LogConfig,
    producers: &Producers,
    cuts: u64,
    rules: &Rules,
    ask: &CleanAsk,
) -> Result<Option<CleanJob>, StorageError> {
    let Known { folder, sealed, active_base, end: log_end } = known;
    let CleanAsk { log_start, stable, cleaned, now, room } = *ask;
    let summaries = sealed.iter().map(|segment| summary(segment, &config)).collect::<Result<Vec<_>, _>>()?;
    let cleaning = Cleaning { sealed: &summaries, active_base, log_start, log_end, stable, durable, cleaned };
    let part = cleaning.dirty_part(&config.cleaning, now);
    if !part.is_due(&config.cleaning, now) {
        return Ok(None);
    }
    let segments = sealed.iter().filter(|segment| segment.base < part.upto).map(Arc::clone).collect();
    let (kept, folder, rules) = (kept_of_producers(producers, stable), folder.to_owned(), *rules);
    Ok(Some(CleanJob { folder, config, rules, part, segments, kept, cuts, now, room }))
}

/// What the choice needs to know of a segment; times are looked up only if the configuration asks for them.
fn summary(segment: &Segment, config: &LogConfig) -> Result<SealedSegment, StorageError> {
    let (mut first_timestamp, mut largest_timestamp) = (None, None);
    if config.cleaning.max_lag_ms < i64::MAX {
        first_timestamp = segment.header_at(0)?.map(|header| header.max_timestamp).filter(|first| *first >= 0);
    }
    if config.cleaning.min_lag_ms > 0 {
        largest_timestamp = segment.largest_timestamp()?.map(|entry| entry.timestamp);
    }
    Ok(SealedSegment { base: segment.base, bytes: segment.size(), first_timestamp, largest_timestamp })
}

impl CleanJob {
    /// How much of what can be cleaned has not been: the dirtiest log should be cleaned first.
    #[must_use]
    pub fn dirty_ratio(&self) -> Ratio {
        self.part.ratio()
    }

    /// Reads the log, and writes what stays of it. What it has written before it failed is removed; so it is, and there
    /// is no answer, if `goes_on` has said no.
    ///
    /// # Errors
    /// [`StorageError::Damaged`], [`StorageError::Record`] for records that can't be read, [`StorageError::Io`].
    pub fn run(&self, goes_on: impl Fn() -> bool) -> Result<Option<Cleaned>, StorageError> {
        let written = self.write(&goes_on);
        if !matches!(written, Ok(Some(_))) {
            swap::keep_only(&self.folder, &[])?;
        }
        written
    }

    fn write(&self, goes_on: &dyn Fn() -> bool) -> Result<Option<Cleaned>, StorageError> {
        let Some(latest) = self.latest(goes_on)? else { return Ok(None) };
        let targets: Vec<_> = self.segments.iter().filter(|segment| segment.base < latest.upto()).collect();
        let sizes: Vec<_> =
            targets.iter().map(|segment| (segment.base, segment.size(), segment.index_size())).collect();
        let limits = GroupLimits {
            segment_bytes: self.config.segment_bytes.into(),
            index_bytes: self.config.segment_index_bytes.into(),
        };
        let (kept, now, delete_retention_ms) = (&self.kept, self.now, self.config.delete_retention_ms);
        let round = Round { rules: &self.rules, latest: &latest, kept, now, delete_retention_ms };
        let mut groups = Vec::new();
        let mut rest = &targets[..];
        for count in grouped(&sizes, self.part.upto, &limits) {
            let (group, later) = rest.split_at(count);
            if !goes_on() {
                return Ok(None);
            }
            groups.extend(self.write_group(group, &round)?);
            rest = later;
        }
        durable::sync_folder(&self.folder)?;
        Ok(Some(Cleaned { cuts: self.cuts, groups, upto: latest.upto() }))
    }

    /// The last offset of each key in the dirty part.
    fn latest(&self, goes_on: &dyn Fn() -> bool) -> Result<Option<Latest<Bytes>>, StorageError> {
        let mut latest = Latest::new(self.part.from, self.room);
        for segment in &self.segments {
            if segment.next_offset()? <= self.part.from {
                continue;
            }
            for batch in Scan::batches(segment, segment.position_of(self.part.from)?) {
                let batch = batch.map_err(|error| error.into_storage(segment))?;
                let found = match kind(&batch.header) {
                    Kind::Data => read(&batch.bytes)?,
                    Kind::Untouched => Vec::new(),
                };
                let keys = found.into_iter().filter_map(|record| Some((record.offset, record.key?)));
                // A slice of its batch would keep all of it in memory.
                let own = keys.map(|(offset, key)| (offset, Bytes::copy_from_slice(&key), key.len()));
                latest.note(batch.header.next_offset(), own);
                if latest.is_full() {
                    return Ok(Some(latest));
                }
                if !goes_on() {
                    return Ok(None);
                }
            }
        }
        latest.reach(self.part.upto);
        Ok(Some(latest))
    }

    /// Writes what stays of some neighbours as one segment; none if it is one, and all of it stays.
    fn write_group(&self, group: &[&Arc<Segment>], round: &Round<'_, Bytes>) -> Result<Option<Group>, StorageError> {
        let (new, same) = self.write_segments(group, round)?;
        Ok((group.len() > 1 || !same).then_some(new))
    }

    fn write_segments(&self, group: &[&Arc<Segment>], round: &Round<'_, Bytes>) -> Result<(Group, bool), StorageError> {
        let base = group.first().map_or(Offset(0), |segment| segment.base);
        let mut new = NewSegment::create(&self.folder, base, &self.config)?;
        let mut batches = group.iter().flat_map(|segment| {
            Scan::batches(segment, 0).map(|batch| batch.map_err(|error| error.into_storage(segment)))
        });
        let mut next = batches.next().transpose()?;
        let mut same = true;
        while let Some(batch) = next {
            next = batches.next().transpose()?;
            let left = left_of(&batch.header, &batch.bytes, next.is_none(), round)?;
            same &= left.as_ref().is_some_and(|left| *left == batch.bytes);
            if let Some(left) = left {
                new.push(left)?;
            }
        }
        new.finish()?;
        let others: Vec<_> = group.iter().skip(1).map(|segment| segment.base).collect();
        let last = others.last().copied().unwrap_or(base);
        Ok((Group { base, others, last }, same))
    }
}

fn kind(header: &BatchHeader) -> Kind {
    let attributes = header.attributes;
    if attributes.is_control() || attributes.is_transactional() { Kind::Untouched } else { Kind::Data }
}

fn read(batch: &Bytes) -> Result<Vec<Record>, StorageError> {
    Ok(records(batch, MOST_DECOMPRESSED)?.collect::<Result<_, _>>()?)
}

/// What a round leaves of a batch.
fn left_of(
    header: &BatchHeader,
    bytes: &Bytes,
    is_last: bool,
    round: &Round<'_, Bytes>,
) -> Result<Option<Bytes>, StorageError> {
    let producer = header.has_producer().then_some(ProducerId(header.producer_id));
    let (end, kind, delete_horizon) = (header.next_offset(), kind(header), header.delete_horizon());
    let found = Found { end, kind, producer, delete_horizon, is_last };
    let mut read = if kind == Kind::Data { read(bytes)? } else { Vec::new() };
    let summaries = read.iter().map(|record| (record.offset, record.key.as_ref(), record.value.is_none()));
    Ok(match round.fate(&found, summaries) {
        Fate::Stays => Some(bytes.clone()),
        Fate::Rewritten { stays, delete_horizon } => {
            let mut stays = stays.into_iter();
            read.retain(|_| stays.next() == Some(true));
            Some(rewritten(header, &read, delete_horizon)?)
        }
        Fate::Emptied => Some(emptied(header)?),
        Fate::Goes => None,
    })
}

/// A segment that is being written.
struct NewSegment<'a> {
    active: Active,
    config: &'a LogConfig,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    size: u64,
}

impl<'a> NewSegment<'a> {
    fn create(folder: &Path, base: Offset, config: &'a LogConfig) -> Result<Self, StorageError> {
        let segment = Arc::new(Segment::create_as(folder, base, CLEANED)?);
        Ok(Self { active: Active::fresh(segment), config, waiting: Vec::new(), waiting_bytes: 0, size: 0 })
    }

    fn push(&mut self, batch: Bytes) -> Result<(), StorageError> {
        let header = BatchHeader::parse(&batch)?;
        let (position, size) = (self.size, batch.len() as u64);
        let (last_offset, max_timestamp) = (header.last_offset(), header.max_timestamp);
        self.active.note(&Noted { position, size, last_offset, max_timestamp }, self.config)?;
        self.size += size;
        self.waiting_bytes += batch.len();
        self.waiting.push(batch);
        if self.waiting_bytes >= PIECE { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StorageError> {
        let mut slices: Vec<_> = self.waiting.iter().map(|batch| IoSlice::new(batch)).collect();
        self.active.segment.write(&mut slices)?;
        self.waiting.clear();
        self.waiting_bytes = 0;
        Ok(())
    }

    /// Makes it durable.
    fn finish(mut self) -> Result<(), StorageError> {
        self.write()?;
        self.active.seal()?;
        self.active.segment.sync()?;
        self.active.segment.sync_indexes()
    }
}
