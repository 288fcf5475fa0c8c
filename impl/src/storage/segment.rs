//! One segment: a file of batches, and its indexes.
//!
//! Not here: when it ends (`highwater_spec::log::must_roll`), what goes into the indexes ([`super::active`]).

use super::StorageError;
use super::error::Context;
use super::index::{Entry, Index, OffsetEntry, TimeEntry, is_whole, relative};
use super::names::{INDEX, LOG, OTHERS, TIME_INDEX, segment_file};
use super::scan::Scan;
use super::{durable, index, watch};
use crate::records::{BatchHeader, HEADER_SIZE};
use bytes::Bytes;
use highwater_spec::values::Offset;
use rustix::buffer::spare_capacity;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A segment, open. One thread writes it, any read it.
#[derive(Debug)]
pub(super) struct Segment {
    /// The offset that it begins at (inclusive).
    pub(super) base: Offset,
    pub(super) path: PathBuf,
    file: File,
    /// How many bytes of whole batches it has. Written after they are, so that no reader sees half of one.
    size: AtomicU64,
    pub(super) offsets: Index<OffsetEntry>,
    pub(super) times: Index<TimeEntry>,
}

impl Segment {
    /// A new one, in place of any that is there.
    pub(super) fn create(folder: &Path, base: Offset) -> Result<Self, StorageError> {
        Self::create_as(folder, base, "")
    }

    /// The same, of files whose names end so.
    pub(super) fn create_as(folder: &Path, base: Offset, ending: &str) -> Result<Self, StorageError> {
        let segment = Self::open_as(folder, base, ending)?;
        segment.offsets.clear()?;
        segment.times.clear()?;
        segment.set_size(0)?;
        Ok(segment)
    }

    /// The one that begins at `base`. Its indexes may be missing or wrong.
    pub(super) fn open(folder: &Path, base: Offset) -> Result<Self, StorageError> {
        Self::open_as(folder, base, "")
    }

    /// The same, of files whose names end so.
    pub(super) fn open_as(folder: &Path, base: Offset, ending: &str) -> Result<Self, StorageError> {
        let named = |kind| folder.join(segment_file(base, kind) + ending);
        let path = named(LOG);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).context("open", &path)?;
        let size = file.metadata().context("read", &path)?.len();
        Ok(Self {
            base,
            path,
            file,
            size: AtomicU64::new(size),
            offsets: Index::open(named(INDEX))?,
            times: Index::open(named(TIME_INDEX))?,
        })
    }

    /// Whether its indexes can be those of a segment, as far as their sizes tell.
    pub(super) fn has_indexes(folder: &Path, base: Offset) -> Result<bool, StorageError> {
        Ok(is_whole::<OffsetEntry>(&folder.join(segment_file(base, INDEX)))?
            && is_whole::<TimeEntry>(&folder.join(segment_file(base, TIME_INDEX)))?)
    }

    /// Removes its files.
    pub(super) fn remove(folder: &Path, base: Offset) -> Result<(), StorageError> {
        // The batches first: an index without them is dropped at the next start, and not the other way round.
        let mut endings = [LOG, INDEX, TIME_INDEX].into_iter().chain(OTHERS);
        endings.try_for_each(|ending| durable::remove(&folder.join(segment_file(base, ending))))
    }

    /// How many bytes of batches it has.
    pub(super) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Up to `length` bytes from `position` on; fewer only at the end of the file.
    pub(super) fn read(&self, position: u64, length: usize) -> Result<Bytes, StorageError> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let from = position + bytes.len() as u64;
            let read = rustix::io::retry_on_intr(|| rustix::io::pread(&self.file, spare_capacity(&mut bytes), from));
            if read.context("read", &self.path)? == 0 {
                break;
            }
        }
        bytes.truncate(length);
        Ok(bytes.into())
    }

    /// Writes at the end, all slices one after another. Readers see it when all is written.
    pub(super) fn write(&self, slices: &mut [IoSlice<'_>]) -> Result<(), StorageError> {
        /// How many slices the system takes at once.
        const MOST: usize = 1024;
        let mut rest = slices;
        let mut position = self.size();
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let some = &rest[..rest.len().min(MOST)];
            watch::asked(watch::Ask::Write, &self.path);
            let written = rustix::io::retry_on_intr(|| rustix::io::pwritev(&self.file, some, position));
            let written = written.context("write", &self.path)?;
            if written == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero)).context("write", &self.path);
            }
            position += written as u64;
            IoSlice::advance_slices(&mut rest, written);
        }
        self.size.store(position, Ordering::Release);
        Ok(())
    }

    /// Cuts it at `position`, where the first batch that reaches `to` begins, and its indexes with it.
    pub(super) fn cut(&self, position: u64, to: Offset) -> Result<(), StorageError> {
        let below = |entry: u32| self.base.plus(entry) < to;
        self.offsets.retain(|entry| below(entry.relative) && u64::from(entry.position) < position)?;
        self.times.retain(|entry| below(entry.relative))?;
        self.set_size(position)
    }

    fn set_size(&self, size: u64) -> Result<(), StorageError> {
        self.size.store(size, Ordering::Release);
        self.file.set_len(size).context("cut", &self.path)
    }

    /// How many bytes its larger index takes.
    pub(super) fn index_size(&self) -> u64 {
        let (offsets, times) = (self.offsets.len() * OffsetEntry::SIZE, self.times.len() * TimeEntry::SIZE);
        offsets.max(times) as u64
    }

    /// Makes its batches durable.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        durable::sync_data(&self.file, &self.path)
    }

    /// Makes its indexes durable, as far as they are stored.
    pub(super) fn sync_indexes(&self) -> Result<(), StorageError> {
        self.offsets.sync()?;
        self.times.sync()
    }

    /// The header of the batch that begins at `position`, if one does.
    pub(super) fn header_at(&self, position: u64) -> Result<Option<BatchHeader>, StorageError> {
        if position >= self.size() {
            return Ok(None);
        }
        Ok(BatchHeader::parse(&self.read(position, HEADER_SIZE)?).ok())
    }

    /// Where a batch begins that lies not after the one with `offset`: near before it, if the index is right.
    pub(super) fn position_before(&self, offset: Offset) -> Result<u64, StorageError> {
        let hint = self.offsets.last_where(|entry| self.base.plus(entry.relative) <= offset)?;
        match hint {
            Some(entry) if self.is_true(&entry)? => Ok(u64::from(entry.position)),
            _ => Ok(0),
        }
    }

    /// Whether an entry leads to the batch that it says. A wrong one costs time, never a wrong answer.
    pub(super) fn is_true(&self, entry: &OffsetEntry) -> Result<bool, StorageError> {
        let header = self.header_at(u64::from(entry.position))?;
        Ok(header.is_some_and(|header| header.last_offset() == self.base.plus(entry.relative)))
    }

    /// Where the first batch that reaches `offset` begins; the segment's size if none does.
    pub(super) fn position_of(&self, offset: Offset) -> Result<u64, StorageError> {
        for batch in Scan::headers(self, self.position_before(offset)?) {
            let batch = batch.map_err(|error| error.into_storage(self))?;
            if batch.header.next_offset() > offset {
                return Ok(batch.position);
            }
        }
        Ok(self.size())
    }

    /// The offset after its last record (exclusive); its base if it is empty.
    pub(super) fn next_offset(&self) -> Result<Offset, StorageError> {
        let mut next = self.base;
        for batch in Scan::headers(self, self.position_before(Offset(i64::MAX))?) {
            next = batch.map_err(|error| error.into_storage(self))?.header.next_offset();
        }
        Ok(next)
    }

    /// Whether its indexes fit its batches, as far as their last entries and a glance at the first batch tell.
    pub(super) fn indexes_fit(&self, index_interval: u64) -> Result<bool, StorageError> {
        let Some(first) = self.header_at(0)? else { return Ok(self.offsets.len() == 0 && self.times.len() == 0) };
        let offsets_fit = match self.offsets.last()? {
            Some(entry) => self.is_true(&entry)?,
            None => self.size() <= index_interval,
        };
        let times_fit = match self.times.last()? {
            Some(entry) => offsets_fit && self.is_true_time(&entry)?,
            None => first.max_timestamp < 0,
        };
        Ok(offsets_fit && times_fit)
    }

    /// Whether a time entry names the timestamp of the batch that it says.
    pub(super) fn is_true_time(&self, entry: &TimeEntry) -> Result<bool, StorageError> {
        let last = self.base.plus(entry.relative);
        let header = self.header_at(self.position_of(last)?)?;
        Ok(header.is_some_and(|header| header.last_offset() == last && header.max_timestamp == entry.timestamp))
    }

    /// The largest timestamp, and the last offset of the first batch that has it.
    pub(super) fn largest_timestamp(&self) -> Result<Option<TimeEntry>, StorageError> {
        let mut largest = self.times.last()?;
        let known = largest.map_or(self.base, |entry| self.base.plus(entry.relative));
        for batch in Scan::headers(self, self.position_before(known)?) {
            let header = batch.map_err(|error| error.into_storage(self))?.header;
            if let Some(relative) = index::relative(self.base, header.last_offset())
                && header.max_timestamp > largest.map_or(-1, |entry| entry.timestamp)
            {
                largest = Some(TimeEntry { timestamp: header.max_timestamp, relative });
            }
        }
        Ok(largest)
    }
}

/// The most entries that an index of `bytes` holds.
pub(super) fn capacity<E: Entry>(bytes: u32) -> usize {
    bytes as usize / E::SIZE
}

/// Whether `offset` can be named by an index of a segment that begins at `base`.
pub(super) fn reaches(base: Offset, offset: Offset) -> bool {
    relative(base, offset).is_some()
}
