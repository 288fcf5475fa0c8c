//! Making a log durable.
//!
//! A flush takes as long as the disk does. Who can't wait takes the [`FlushJob`] to another thread, and tells the log
//! what came of it.

use super::segment::Segment;
use super::{StorageError, durable};
use highwater_spec::values::Offset;
use std::path::PathBuf;
use std::sync::Arc;

/// What has to be flushed, to be run on any thread. The log may be written to, and cut, meanwhile.
#[derive(Debug)]
pub struct FlushJob {
    pub(super) folder: PathBuf,
    /// Segments that are written to no more: their indexes have to be durable too.
    pub(super) sealed: Vec<Arc<Segment>>,
    /// The newest one, if its records are to be durable.
    pub(super) active: Option<Arc<Segment>>,
    /// Whether files were made since the folder was flushed.
    pub(super) folder_changed: bool,
    pub(super) flushed: Flushed,
}

impl FlushJob {
    /// Flushes. When it fails, the log must not be used any more: nobody knows what the disk holds, and a second
    /// flush would say that all is well.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn run(self) -> Result<Flushed, StorageError> {
        for segment in &self.sealed {
            segment.sync()?;
            segment.sync_indexes()?;
        }
        if let Some(active) = &self.active {
            active.sync()?;
        }
        if self.folder_changed {
            durable::sync_folder(&self.folder)?;
        }
        Ok(self.flushed)
    }
}

/// What a [`FlushJob`] made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flushed {
    /// Everything below is durable (exclusive), unless the log was cut since.
    pub(super) upto: Offset,
    /// How often the log had been cut when the job was made.
    pub(super) cuts: u64,
    /// The newest segment when the job was made.
    pub(super) newest: Offset,
}

impl Flushed {
    /// Everything below is durable (exclusive), unless the log was cut since.
    #[must_use]
    pub fn upto(&self) -> Offset {
        self.upto
    }
}
