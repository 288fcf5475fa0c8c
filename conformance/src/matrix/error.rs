//! Why the matrix can't be filled in.

use super::Method;
use std::io;
use std::path::{Path, PathBuf};

/// Why the matrix can't be filled in.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// A file.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A program can't be run.
    #[error("{program} can't be run: {error}")]
    Program {
        /// Which.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// A line that isn't in the form of the files of breaks.
    #[error("{file}:{line}: `break`, `what`, `in`, `-` or `+` is expected")]
    Malformed {
        /// The file.
        file: String,
        /// Its line.
        line: usize,
    },
    /// An entry without a sentence, a file, or what is replaced.
    #[error("the break {0} needs `what`, `in` and `-`")]
    Incomplete(String),
    /// Two breaks of one name.
    #[error("two breaks are called {0}")]
    Twice(String),
    /// A name that no break has.
    #[error("no break is called {0}; --list names them")]
    Unknown(String),
    /// A break whose text is not in the tree any more.
    #[error("{name}: {file} has its text {count} times, not once: mend the break")]
    Stale {
        /// The break.
        name: String,
        /// The file.
        file: String,
        /// How often it has the text.
        count: usize,
    },
    /// A method complains though nothing is broken.
    #[error("nothing is broken yet, and {method} complains already: {reason}")]
    Control {
        /// Which.
        method: Method,
        /// What it says.
        reason: String,
    },
    /// Results that can't be read.
    #[error("{path}: {error}", path = .path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// The user has had enough.
    #[error("interrupted")]
    Interrupted,
}

/// Names the file in an error.
pub(super) trait Context<T> {
    /// … namely this one.
    fn context(self, path: &Path) -> Result<T, MatrixError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, path: &Path) -> Result<T, MatrixError> {
        self.map_err(|error| MatrixError::Io { path: path.to_owned(), error })
    }
}
