//! Finding records by their timestamps.
//!
//! Source: Kafka's `UnifiedLog.fetchOffsetByTimestamp`, `LogSegment.findOffsetByTimestamp`; KIP-734 for the largest.

use super::scan::{Scan, Scanned};
use super::segment::Segment;
use super::{LogReader, StorageError};
use crate::records::{Record, records};
use highwater_spec::values::{LeaderEpoch, Offset};

/// The most that the records of one batch may take when decompressed, in bytes.
const LIMIT: usize = 256 << 20;

/// A record that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// The epoch of the leader that appended it.
    pub leader_epoch: Option<LeaderEpoch>,
}

impl LogReader {
    /// The first record from `start` on (inclusive) and below `upto` (exclusive) whose timestamp is at least `at`, in
    /// milliseconds.
    ///
    /// # Errors
    /// As for [`LogReader::read`], and [`StorageError::Record`] for records that can't be read.
    pub fn offset_for_timestamp(
        &self,
        at: i64,
        start: Offset,
        upto: Offset,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        let wanted = |record: &Record| record.timestamp >= at && record.offset >= start;
        self.published.read(|log| {
            let upto = upto.min(log.end);
            for segment in log.from(start.max(log.start()?)).iter().take_while(|segment| segment.base < upto) {
                let from = start.max(position_hint(segment, at)?);
                for batch in batches(segment, from, upto)? {
                    let batch = batch?;
                    if batch.header.max_timestamp >= at
                        && let Some(found) = find(&batch, upto, wanted)?
                    {
                        return Ok(Some(found));
                    }
                }
            }
            Ok(None)
        })
    }

    /// The first of the records from `start` on (inclusive) and below `upto` (exclusive) that have the largest
    /// timestamp; none if no record has one.
    ///
    /// # Errors
    /// As for [`LogReader::offset_for_timestamp`].
    pub fn offset_of_max_timestamp(
        &self,
        start: Offset,
        upto: Offset,
    ) -> Result<Option<TimestampOffset>, StorageError> {
        self.published.read(|log| {
            let upto = upto.min(log.end);
            let mut largest: Option<(i64, Scanned)> = None;
            for segment in log.from(start.max(log.start()?)).iter().take_while(|segment| segment.base < upto) {
                for batch in batches(segment, start.max(largest_hint(segment, upto)?), upto)? {
                    let batch = batch?;
                    let timestamp = largest_in(&batch, start, upto)?;
                    if timestamp > largest.as_ref().map_or(-1, |(known, _)| *known) {
                        largest = Some((timestamp, batch));
                    }
                }
            }
            let Some((timestamp, batch)) = largest else { return Ok(None) };
            find(&batch, upto, |record| record.timestamp == timestamp && record.offset >= start)
        })
    }
}

/// Every batch that ends below this offset has smaller timestamps than `at` only.
fn position_hint(segment: &Segment, at: i64) -> Result<Offset, StorageError> {
    let before = segment.times.last_where(|entry| entry.timestamp < at)?;
    Ok(match before {
        Some(entry) if segment.is_true_time(&entry)? => segment.base.plus(entry.relative),
        _ => segment.base,
    })
}

/// No batch of the segment that ends before this offset has a larger timestamp than the one that it belongs to.
fn largest_hint(segment: &Segment, upto: Offset) -> Result<Offset, StorageError> {
    let known = segment.times.last_where(|entry| segment.base.plus(entry.relative) < upto)?;
    Ok(match known {
        Some(entry) if segment.is_true_time(&entry)? => segment.base.plus(entry.relative),
        _ => segment.base,
    })
}

/// The batches of `segment` from the one with `from` on that begin below `upto`.
fn batches(
    segment: &Segment,
    from: Offset,
    upto: Offset,
) -> Result<impl Iterator<Item = Result<Scanned, StorageError>>, StorageError> {
    let scan = Scan::batches(segment, segment.position_of(from)?);
    let scan = scan.map(|batch| batch.map_err(|error| error.into_storage(segment)));
    Ok(scan.take_while(move |batch| batch.as_ref().map_or(true, |batch| batch.header.base_offset < upto)))
}

/// The largest timestamp of the records of a batch from `start` on and below `upto`; −1 if there are none.
fn largest_in(batch: &Scanned, start: Offset, upto: Offset) -> Result<i64, StorageError> {
    if start <= batch.header.base_offset && batch.header.next_offset() <= upto {
        return Ok(batch.header.max_timestamp);
    }
    let mut largest = -1;
    for record in records(&batch.bytes, LIMIT)? {
        let Record { offset, timestamp, .. } = record?;
        if start <= offset && offset < upto {
            largest = timestamp.max(largest);
        }
    }
    Ok(largest)
}

/// The first record of a batch that is `wanted` and lies below `upto`.
fn find(
    batch: &Scanned,
    upto: Offset,
    wanted: impl Fn(&Record) -> bool,
) -> Result<Option<TimestampOffset>, StorageError> {
    for record in records(&batch.bytes, LIMIT)? {
        let record = record?;
        if wanted(&record) && record.offset < upto {
            let Record { offset, timestamp, .. } = record;
            return Ok(Some(TimestampOffset { offset, timestamp, leader_epoch: batch.header.leader_epoch }));
        }
    }
    Ok(None)
}
