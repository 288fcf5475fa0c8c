//! A log's newest segment, as its writer knows it.

use super::index::{OffsetEntry, TimeEntry, relative};
use super::segment::{Segment, capacity};
use super::{LogConfig, StorageError};
use highwater_spec::log::ActiveSegment;
use highwater_spec::values::Offset;
use std::sync::Arc;
use std::time::Instant;

/// The segment that is appended to, and what appending needs to know of it.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    /// The largest timestamp of its first batch, if it has one.
    first_timestamp: Option<i64>,
    /// The largest timestamp so far, and whose it is.
    largest: Option<TimeEntry>,
    /// How many bytes of batches came since the last index entry.
    since_entry: u64,
    made: Instant,
}

impl Active {
    /// A segment of which nothing has been noted yet.
    pub(super) fn fresh(segment: Arc<Segment>) -> Self {
        Self { segment, first_timestamp: None, largest: None, since_entry: 0, made: Instant::now() }
    }

    /// A segment that was written, and noted, before.
    pub(super) fn resumed(segment: Arc<Segment>) -> Result<Self, StorageError> {
        let first_timestamp = segment.header_at(0)?.map(|header| header.max_timestamp).filter(|first| *first >= 0);
        let largest = segment.largest_timestamp()?;
        Ok(Self { first_timestamp, largest, ..Self::fresh(segment) })
    }

    /// What the decision to roll is made of.
    pub(super) fn summary(&self, config: &LogConfig) -> ActiveSegment {
        let limit = config.segment_index_bytes;
        let segment = &self.segment;
        ActiveSegment {
            base: segment.base,
            bytes: segment.size(),
            first_timestamp: self.first_timestamp,
            age_ms: i64::try_from(self.made.elapsed().as_millis()).unwrap_or(i64::MAX),
            // One entry of the time index is kept for the last of the segment.
            index_full: segment.offsets.len() >= capacity::<OffsetEntry>(limit)
                || segment.times.len() + 1 >= capacity::<TimeEntry>(limit),
        }
    }

    /// Notes a batch of `size` bytes that lies at `position`.
    pub(super) fn note(&mut self, batch: &Noted, config: &LogConfig) -> Result<(), StorageError> {
        let Noted { position, size, last_offset, max_timestamp } = *batch;
        let segment = &self.segment;
        let relative = relative(segment.base, last_offset);
        if position == 0 {
            self.first_timestamp = Some(max_timestamp).filter(|first| *first >= 0);
        }
        if let Some(relative) = relative
            && max_timestamp > self.largest.map_or(-1, |entry| entry.timestamp)
        {
            self.largest = Some(TimeEntry { timestamp: max_timestamp, relative });
        }
        if self.since_entry > u64::from(config.index_interval_bytes)
            && let (Some(relative), Ok(position)) = (relative, u32::try_from(position))
        {
            segment.offsets.push(OffsetEntry { relative, position })?;
            self.push_time()?;
            self.since_entry = 0;
        }
        self.since_entry += size;
        Ok(())
    }

    fn push_time(&self) -> Result<(), StorageError> {
        let Some(largest) = self.largest else { return Ok(()) };
        match self.segment.times.last()? {
            Some(last) if last.timestamp >= largest.timestamp => Ok(()),
            _ => self.segment.times.push(largest),
        }
    }

    /// Writes what its indexes still lack, so that the segment needs no writer any more.
    pub(super) fn seal(&self) -> Result<(), StorageError> {
        self.push_time()?;
        self.segment.offsets.store()?;
        self.segment.times.store()
    }
}

/// A batch, as indexes see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    /// Where it begins in the file.
    pub(super) position: u64,
    /// Its size in bytes.
    pub(super) size: u64,
    /// The offset of its last record (inclusive).
    pub(super) last_offset: Offset,
    /// Its largest timestamp in milliseconds.
    pub(super) max_timestamp: i64,
}
