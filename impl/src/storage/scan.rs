//! Going through a segment, batch by batch.

use super::StorageError;
use super::segment::Segment;
use crate::records::{BatchHeader, RecordError};
use bytes::Bytes;

/// How much is read at once when every batch is looked at.
const LARGE: usize = 1 << 20;
/// How much is read at once when a batch near by is looked for.
const SMALL: usize = 8 << 10;

/// A batch, and where it lies.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Where it begins.
    pub(super) position: u64,
    /// What its header says.
    pub(super) header: BatchHeader,
    /// All of it, or nothing if only headers are wanted.
    pub(super) bytes: Bytes,
}

/// Why a scan ends early.
#[derive(Debug)]
pub(super) enum ScanError {
    /// The file can't be read.
    Storage(StorageError),
    /// At this position there is no batch.
    Invalid { position: u64, reason: RecordError },
}

impl ScanError {
    pub(super) fn into_storage(self, segment: &Segment) -> StorageError {
        match self {
            Self::Storage(error) => error,
            Self::Invalid { position, reason } => damaged(segment, position, &reason),
        }
    }
}

/// The segment is damaged at `position`.
pub(super) fn damaged(segment: &Segment, position: u64, reason: &RecordError) -> StorageError {
    StorageError::Damaged { path: segment.path.clone(), position, reason: reason.to_string() }
}

/// The batches of a segment from a position on, in order; ends after the first error.
pub(super) struct Scan<'a> {
    segment: &'a Segment,
    position: u64,
    end: u64,
    piece: usize,
    whole: bool,
    /// What has been read from `position` on.
    window: Bytes,
}

impl<'a> Scan<'a> {
    /// Headers only.
    pub(super) fn headers(segment: &'a Segment, position: u64) -> Self {
        Self { segment, position, end: segment.size(), piece: SMALL, whole: false, window: Bytes::new() }
    }

    /// Whole batches.
    pub(super) fn batches(segment: &'a Segment, position: u64) -> Self {
        Self { piece: LARGE, whole: true, ..Self::headers(segment, position) }
    }

    fn take(&mut self) -> Result<Scanned, ScanError> {
        let position = self.position;
        let invalid = |reason| ScanError::Invalid { position, reason };
        let left = usize::try_from(self.end - position).unwrap_or(usize::MAX);
        let mut parsed = BatchHeader::parse(&self.window);
        if let Err(RecordError::Incomplete { .. }) = parsed {
            self.fill(self.piece.min(left))?;
            parsed = BatchHeader::parse(&self.window);
        }
        let header = parsed.map_err(invalid)?;
        let size = header.size();
        if size > left {
            return Err(invalid(RecordError::Incomplete { needed: size, present: left }));
        }
        if self.whole && size > self.window.len() {
            self.fill(size.max(self.piece).min(left))?;
            if size > self.window.len() {
                return Err(invalid(RecordError::Incomplete { needed: size, present: self.window.len() }));
            }
        }
        self.position += size as u64;
        let bytes = self.window.split_to(size.min(self.window.len()));
        Ok(Scanned { position, header, bytes: if self.whole { bytes } else { Bytes::new() } })
    }

    fn fill(&mut self, length: usize) -> Result<(), ScanError> {
        self.window = self.segment.read(self.position, length).map_err(ScanError::Storage)?;
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Scanned, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.end {
            return None;
        }
        let taken = self.take();
        if taken.is_err() {
            self.position = self.end;
        }
        Some(taken)
    }
}
