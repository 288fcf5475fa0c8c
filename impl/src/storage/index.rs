//! A segment's two indexes: from offsets to positions, and from timestamps to offsets.
//!
//! Entries are few (one per `index.interval.bytes`) and ascend in both columns. The newest stay in memory until there
//! are enough of them for a write, so that an append costs none and a read near the end neither; a crash loses them, and
//! recovery makes them again. Source: Kafka's `OffsetIndex`, `TimeIndex`.

use super::error::Context;
use super::{StorageError, durable};
use highwater_spec::values::Offset;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many entries are read or written at once.
const BLOCK: usize = 512;

/// What an index consists of.
pub(super) trait Entry: Copy {
    /// Its size in the file, in bytes.
    const SIZE: usize;
    fn put(self, out: &mut Vec<u8>);
    fn get(raw: &[u8]) -> Option<Self>;
}

/// A batch, by its last offset (counted from the segment's base), and where in the file it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetEntry {
    pub(super) relative: u32,
    pub(super) position: u32,
}

impl Entry for OffsetEntry {
    const SIZE: usize = 8;

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn get(raw: &[u8]) -> Option<Self> {
        let (relative, rest) = raw.split_first_chunk()?;
        Some(Self { relative: u32::from_be_bytes(*relative), position: u32::from_be_bytes(*rest.first_chunk()?) })
    }
}

/// The largest timestamp so far in milliseconds, and the last offset (counted from the segment's base) of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeEntry {
    pub(super) timestamp: i64,
    pub(super) relative: u32,
}

impl Entry for TimeEntry {
    const SIZE: usize = 12;

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.relative.to_be_bytes());
    }

    fn get(raw: &[u8]) -> Option<Self> {
        let (timestamp, rest) = raw.split_first_chunk()?;
        Some(Self { timestamp: i64::from_be_bytes(*timestamp), relative: u32::from_be_bytes(*rest.first_chunk()?) })
    }
}

/// `offset`, counted from `base`; none if an entry can't hold that.
pub(super) fn relative(base: Offset, offset: Offset) -> Option<u32> {
    offset.0.checked_sub(base.0)?.try_into().ok().filter(|relative| *relative <= i32::MAX.cast_unsigned())
}

/// One index of one segment. One thread changes it, any read it.
#[derive(Debug)]
pub(super) struct Index<E> {
    path: PathBuf,
    file: File,
    entries: RwLock<Entries<E>>,
}

#[derive(Debug)]
struct Entries<E> {
    /// How many are in the file.
    stored: usize,
    /// Those after them.
    tail: Vec<E>,
}

impl<E: Entry> Index<E> {
    /// The index in this file, which is made if need be.
    pub(super) fn open(path: PathBuf) -> Result<Self, StorageError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).context("open", &path)?;
        let length = file.metadata().context("read", &path)?.len();
        let stored = usize::try_from(length).unwrap_or(usize::MAX) / E::SIZE;
        Ok(Self { path, file, entries: RwLock::new(Entries { stored, tail: Vec::new() }) })
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries<E>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries<E>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        let entries = self.read();
        entries.stored + entries.tail.len()
    }

    /// The newest entry.
    pub(super) fn last(&self) -> Result<Option<E>, StorageError> {
        self.last_where(|_| true)
    }

    /// The last entry that `holds`, which it does for none after one for which it doesn't.
    pub(super) fn last_where(&self, holds: impl Fn(&E) -> bool) -> Result<Option<E>, StorageError> {
        let stored = {
            let entries = self.read();
            if let Some(found) = entries.tail.partition_point(&holds).checked_sub(1) {
                return Ok(entries.tail.get(found).copied());
            }
            entries.stored
        };
        self.last_stored_where(stored, holds).context("read", &self.path)
    }

    fn last_stored_where(&self, stored: usize, holds: impl Fn(&E) -> bool) -> io::Result<Option<E>> {
        // It holds for every entry below `low`, and for none from `high` on. Most look for the newest.
        let (mut low, mut high) = (0, stored);
        let mut probe = stored.saturating_sub(BLOCK);
        while high - low > BLOCK {
            match self.block(probe, 1)?.first() {
                Some(entry) if holds(entry) => low = probe + 1,
                _ => high = probe,
            }
            probe = low + (high - low) / 2;
        }
        let from = low.saturating_sub(1);
        let block = self.block(from, high - from)?;
        Ok(block.partition_point(holds).checked_sub(1).and_then(|found| block.get(found).copied()))
    }

    fn block(&self, from: usize, count: usize) -> io::Result<Vec<E>> {
        let mut raw = vec![0; count * E::SIZE];
        self.file.read_exact_at(&mut raw, (from * E::SIZE) as u64)?;
        Ok(raw.chunks_exact(E::SIZE).filter_map(E::get).collect())
    }

    /// Adds an entry, larger than the last one.
    pub(super) fn push(&self, entry: E) -> Result<(), StorageError> {
        let full = {
            let mut entries = self.write();
            entries.tail.push(entry);
            entries.tail.len() >= BLOCK
        };
        if full { self.store() } else { Ok(()) }
    }

    /// Writes to the file what is in memory only.
    pub(super) fn store(&self) -> Result<(), StorageError> {
        let (position, raw) = {
            let entries = self.read();
            let mut raw = Vec::with_capacity(entries.tail.len() * E::SIZE);
            entries.tail.iter().for_each(|entry| entry.put(&mut raw));
            (entries.stored * E::SIZE, raw)
        };
        self.file.write_all_at(&raw, position as u64).context("write", &self.path)?;
        let mut entries = self.write();
        entries.stored += entries.tail.len();
        entries.tail.clear();
        Ok(())
    }

    /// Keeps the entries that `hold`, which none does after one that doesn't.
    pub(super) fn retain(&self, holds: impl Fn(&E) -> bool) -> Result<(), StorageError> {
        self.store()?;
        let mut kept = self.len();
        while kept > 0 {
            let from = kept.saturating_sub(BLOCK);
            let block = self.block(from, kept - from).context("read", &self.path)?;
            let holding = block.partition_point(&holds);
            kept = from + holding;
            if holding > 0 {
                break;
            }
        }
        self.write().stored = kept;
        self.file.set_len((kept * E::SIZE) as u64).context("cut", &self.path)
    }

    /// Removes every entry.
    pub(super) fn clear(&self) -> Result<(), StorageError> {
        *self.write() = Entries { stored: 0, tail: Vec::new() };
        self.file.set_len(0).context("cut", &self.path)
    }

    /// Makes the stored entries durable.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        durable::sync(&self.file, &self.path)
    }
}

/// Whether the file at `path` can be an index of such entries.
pub(super) fn is_whole<E: Entry>(path: &Path) -> Result<bool, StorageError> {
    match path.metadata() {
        Ok(metadata) => Ok(metadata.len() % E::SIZE as u64 == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("read", path),
    }
}
