//! What a log's writer lets its readers see.
//!
//! A reader takes a copy of the list of segments and reads without any lock. Appending needs none either: bytes appear
//! below a segment's size only when they are whole. Cutting does: it is counted before the first byte goes, and a reader
//! that finds another count when it is done throws away what it has and reads again. So no read mixes two histories.

use super::StorageError;
use super::segment::Segment;
use highwater_spec::values::Offset;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// A log's segments by base offset; never none, unless the log is deleted.
pub(super) type Segments = Arc<[Arc<Segment>]>;

#[derive(Debug)]
pub(super) struct Published {
    state: RwLock<State>,
    /// The log end offset (exclusive).
    end: AtomicI64,
}

#[derive(Clone, Debug)]
struct State {
    segments: Segments,
    /// How often the log has been cut.
    cuts: u64,
}

/// A log as a reader sees it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) segments: Segments,
    /// The log end offset (exclusive).
    pub(super) end: Offset,
}

impl Snapshot {
    /// The log's first offset (inclusive).
    ///
    /// # Errors
    /// [`StorageError::Deleted`].
    pub(super) fn start(&self) -> Result<Offset, StorageError> {
        self.segments.first().map(|segment| segment.base).ok_or(StorageError::Deleted)
    }

    /// The segments from the one with `offset` on.
    pub(super) fn from(&self, offset: Offset) -> &[Arc<Segment>] {
        let after = self.segments.partition_point(|segment| segment.base <= offset);
        &self.segments[after.saturating_sub(1)..]
    }
}

impl Published {
    pub(super) fn new(segments: &[Arc<Segment>], end: Offset) -> Self {
        Self { state: RwLock::new(State { segments: segments.into(), cuts: 0 }), end: AtomicI64::new(end.0) }
    }

    /// Readers may read below `end` now.
    pub(super) fn appended(&self, end: Offset) {
        self.end.store(end.0, Ordering::Release);
    }

    /// There is a new segment.
    pub(super) fn rolled(&self, segments: &[Arc<Segment>]) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).segments = segments.into();
    }

    /// Lets readers see `segments` up to `end` only, then carries out `cut`. Who reads from now on waits until that is
    /// done; who read before reads again.
    pub(super) fn cut<T>(&self, segments: &[Arc<Segment>], end: Offset, cut: impl FnOnce() -> T) -> T {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { segments: segments.into(), cuts: state.cuts + 1 };
        self.end.store(end.0, Ordering::Release);
        cut()
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often the log has been cut.
    pub(super) fn cuts(&self) -> u64 {
        self.state().cuts
    }

    /// The log end offset (exclusive).
    pub(super) fn end(&self) -> Offset {
        Offset(self.end.load(Ordering::Acquire))
    }

    /// How many bytes the segments hold.
    pub(super) fn size(&self) -> u64 {
        self.state().segments.iter().map(|segment| segment.size()).sum()
    }

    /// What `attempt` reads while the log isn't cut.
    pub(super) fn read<T>(&self, attempt: impl Fn(&Snapshot) -> Result<T, StorageError>) -> Result<T, StorageError> {
        loop {
            let (cuts, snapshot) = {
                let state = self.state();
                (state.cuts, Snapshot { segments: Arc::clone(&state.segments), end: self.end() })
            };
            let read = attempt(&snapshot);
            if self.cuts() == cuts {
                return read;
            }
        }
    }
}
