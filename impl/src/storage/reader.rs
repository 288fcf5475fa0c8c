//! Reading a log, from any thread.

use super::StorageError;
use super::published::Published;
use super::segment::Segment;
use crate::records::{BatchHeader, RecordError};
use bytes::Bytes;
use highwater_spec::values::Offset;
use std::sync::Arc;

/// How much is read at once to find a batch, which begins somewhat after the place that the index knows.
const WINDOW: usize = 8 << 10;

/// A log's reading side. It holds no lock while it reads, and never returns bytes of two histories.
#[derive(Clone, Debug)]
pub struct LogReader {
    pub(super) published: Arc<Published>,
}

impl LogReader {
    pub(super) fn new(published: Arc<Published>) -> Self {
        Self { published }
    }

    /// Whole batches from the one that has `from` on, none that reaches past `upto` (exclusive). At most `max_bytes`,
    /// except that with `at_least_one` the first comes whole however large it is. Fewer where a segment ends.
    ///
    /// # Errors
    /// [`StorageError::OutOfRange`] if the log doesn't have `from`, nor ends there; [`StorageError::Deleted`],
    /// [`StorageError::Damaged`], [`StorageError::Io`].
    pub fn read(
        &self,
        from: Offset,
        upto: Offset,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Bytes, StorageError> {
        self.published.read(|log| {
            let (start, end) = (log.start()?, log.end);
            if from < start || from > end {
                return Err(StorageError::OutOfRange { from, start, end });
            }
            let ask = Ask { from, upto: upto.min(end), max_bytes, at_least_one };
            let segments = log.from(from).iter().take_while(|segment| segment.base < ask.upto);
            for segment in segments.filter(|_| from < ask.upto) {
                if let Some(bytes) = ask.read(segment)? {
                    return Ok(bytes);
                }
            }
            Ok(Bytes::new())
        })
    }

    /// How many bytes the batches take that have offsets from `from` on (inclusive) and below `upto` (exclusive), give or
    /// take the batch that has `upto`. The indexes tell; no records are read.
    ///
    /// # Errors
    /// [`StorageError::Damaged`], [`StorageError::Io`].
    pub fn size_between(&self, from: Offset, upto: Offset) -> Result<u64, StorageError> {
        self.published.read(|log| {
            let upto = upto.min(log.end);
            let mut bytes = 0;
            for segment in log.from(from).iter().take_while(|segment| segment.base < upto) {
                let begin = if segment.base < from { segment.position_of(from)? } else { 0 };
                bytes += segment.position_of(upto)?.saturating_sub(begin);
            }
            Ok(bytes)
        })
    }

    /// The log end offset (exclusive).
    #[must_use]
    pub fn end(&self) -> Offset {
        self.published.end()
    }

    /// How many bytes of batches the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.published.size()
    }
}

struct Ask {
    from: Offset,
    upto: Offset,
    max_bytes: usize,
    at_least_one: bool,
}

impl Ask {
    /// What is asked for of one segment; none if that ends before `from`.
    fn read(&self, segment: &Segment) -> Result<Option<Bytes>, StorageError> {
        let size = segment.size();
        let mut position = segment.position_before(self.from)?;
        while position < size {
            let window = segment.read(position, WINDOW.min(until(position, size)))?;
            let passed = self.pass(segment, position, &window)?;
            position += passed.bytes;
            if let Some(first) = passed.first {
                return self.take(segment, position, &first).map(Some);
            }
        }
        Ok(None)
    }

    /// Passes the batches in `window` that end before `from`.
    fn pass(&self, segment: &Segment, position: u64, window: &Bytes) -> Result<Passed, StorageError> {
        let mut bytes = 0;
        loop {
            let rest = usize::try_from(bytes).ok().and_then(|passed| window.get(passed..)).unwrap_or_default();
            match BatchHeader::parse(rest) {
                Ok(header) if header.next_offset() > self.from => return Ok(Passed { bytes, first: Some(header) }),
                Ok(header) => bytes += header.size() as u64,
                Err(RecordError::Incomplete { .. }) if bytes > 0 => return Ok(Passed { bytes, first: None }),
                Err(reason) => {
                    let (path, position) = (segment.path.clone(), position + bytes);
                    return Err(StorageError::Damaged { path, position, reason: reason.to_string() });
                }
            }
        }
    }

    /// Takes batches from `position` on, where `first` begins, as many as are allowed.
    fn take(&self, segment: &Segment, position: u64, first: &BatchHeader) -> Result<Bytes, StorageError> {
        if first.next_offset() > self.upto {
            return Ok(Bytes::new());
        }
        if first.size() > self.max_bytes {
            return if self.at_least_one { segment.read(position, first.size()) } else { Ok(Bytes::new()) };
        }
        let allowed = segment.read(position, self.max_bytes.min(until(position, segment.size())))?;
        let mut taken = 0;
        while let Ok(header) = BatchHeader::parse(&allowed[taken..])
            && header.next_offset() <= self.upto
            && header.size() <= allowed.len() - taken
        {
            taken += header.size();
        }
        Ok(allowed.slice(..taken))
    }
}

fn until(position: u64, size: u64) -> usize {
    usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX)
}

struct Passed {
    /// How many bytes of batches were passed; the last of them may end after the window.
    bytes: u64,
    /// The batch after them, if the window has its header.
    first: Option<BatchHeader>,
}
