//! What can go wrong with a log.

use crate::records::RecordError;
use highwater_spec::values::{BrokerId, Offset};
use std::io;
use std::path::{Path, PathBuf};

/// Why a log or a log directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The operating system refused.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes that should be a batch are none, and not because of a crash.
    #[error("{} is damaged at byte {position}: {reason}", path.display())]
    Damaged {
        /// The segment's file.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// What is wrong.
        reason: String,
    },
    /// A small text file doesn't say what it should.
    #[error("{}, line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Another process uses the log directory.
    #[error("the log directory {} is in use by another process, which holds its .lock", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The log directory is another node's.
    #[error("the log directory {} belongs to node {found}, and this is node {expected}", path.display())]
    OtherNode {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: BrokerId,
        /// Who opened it.
        expected: BrokerId,
    },
    /// The log directory is another cluster's.
    #[error("the log directory {} belongs to cluster {found}, and this node to {expected}", path.display())]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose the node is.
        expected: String,
    },
    /// A read from an offset that the log doesn't have.
    #[error("offset {from} lies outside of [{start}, {end}]")]
    OutOfRange {
        /// What was asked for.
        from: Offset,
        /// Where the log begins (inclusive).
        start: Offset,
        /// Where it ends (exclusive).
        end: Offset,
    },
    /// A batch that doesn't go on where the log ends.
    #[error("a batch of {count} offsets at {base} doesn't follow on a log that ends at {end}")]
    NotNext {
        /// Where the batch begins.
        base: Offset,
        /// How many offsets it should take.
        count: u32,
        /// Where the log ends (exclusive).
        end: Offset,
    },
    /// A batch that can't be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An earlier write, cut or flush failed, so that nobody knows what the disk holds.
    #[error("the log {} failed before, and is not used again until the next start", path.display())]
    Failed {
        /// The log's folder.
        path: PathBuf,
    },
    /// The log was deleted.
    #[error("the log was deleted")]
    Deleted,
}

/// Adds to an I/O error what was tried with which file.
pub(super) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, StorageError>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, StorageError> {
        self.map_err(|error| StorageError::Io { action, path: path.to_owned(), source: error.into() })
    }
}
