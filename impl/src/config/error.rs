//! What can be wrong with a node's settings, said so that it can be mended.

use super::settings::{Source, variable};
use std::io;
use std::path::PathBuf;

/// Why a node's settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the properties file {}: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line of the file is not in the format of Java's properties.
    #[error("{}:{line}: {problem}", .path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A setting without default isn't set.
    #[error("{key} is not set: set it in the properties file ({key}=…), as {} or with --set {key}=…", variable(key))]
    Missing {
        /// Its name.
        key: &'static str,
    },
    /// A value is not what its setting allows.
    #[error("{source_name}: {key}={value} is not valid; allowed: {allowed}")]
    Malformed {
        /// Where it was set.
        source_name: Source,
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// A flag names a setting that doesn't exist. (In a file, that is a warning.)
    #[error("--set {key}=…: there is no such setting; `highwater serve --help` lists them")]
    UnknownFlag {
        /// The name.
        key: String,
    },
    /// Values that are valid by themselves, but not together.
    #[error("{0}")]
    Contradiction(String),
}
