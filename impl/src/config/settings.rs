//! Names and values from three sources, before anyone asks what they mean.

use super::error::ConfigError;
use super::properties;
use super::{Key, keys};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// What the names of environment variables begin with.
const PREFIX: &str = "HIGHWATER_";

/// The environment variable that sets `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}

/// Where a setting was made. A greater one wins over a smaller one; of equal ones, the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: its default.
    Default,
    /// A properties file, at this line (from 1).
    File(PathBuf, usize),
    /// This environment variable.
    Environment(String),
    /// The command line.
    Flag,
}

impl Source {
    fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(..) => 1,
            Self::Environment(_) => 2,
            Self::Flag => 3,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(variable) => write!(f, "environment variable {variable}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// A name that no setting has. It is ignored, as Kafka does, but its owner should hear of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}: {key} is not a setting that Highwater knows; ignored")]
pub struct UnknownSetting {
    /// Where it was set.
    pub source_name: Source,
    /// The name.
    pub key: String,
}

/// What the user set, and where.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    by_name: BTreeMap<String, (Source, String)>,
}

impl Settings {
    /// Adds a file in the format of Java's properties.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a line is not in that format.
    pub fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        self.add_text(path, &text)
    }

    pub(super) fn add_text(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        for property in properties::parse(text) {
            let (line, key, value) =
                property.map_err(|(line, problem)| ConfigError::BadLine { path: path.to_owned(), line, problem })?;
            self.add(Source::File(path.to_owned(), line), key, value);
        }
        Ok(())
    }

    /// Adds environment variables; those that don't begin with `HIGHWATER_` are passed over.
    pub fn add_environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (variable, value) in variables {
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            let key = rest.to_lowercase().replace('_', ".");
            self.add(Source::Environment(variable), key, value);
        }
    }

    /// Adds a setting from the command line.
    pub fn add_flag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.add(Source::Flag, key.into(), value.into());
    }

    fn add(&mut self, source: Source, key: String, value: String) {
        // Kafka's older name. Taken here, so that either name may overrule the other.
        let key = if key == "log.dir" { "log.dirs".to_owned() } else { key };
        let older = self.by_name.get(&key).is_none_or(|(there, _)| there.rank() <= source.rank());
        if older {
            self.by_name.insert(key, (source, value));
        }
    }

    /// Every value that was set, by its name.
    pub(super) fn values(&self) -> BTreeMap<String, String> {
        self.by_name.iter().map(|(name, (_, value))| (name.clone(), value.clone())).collect()
    }

    /// The settings that don't exist, in the order of their names.
    pub fn unknown(&self) -> impl Iterator<Item = UnknownSetting> + '_ {
        let known = |name: &str| keys().any(|key| key.name == name);
        let unknown = self.by_name.iter().filter(move |(name, _)| !known(name));
        unknown.map(|(key, (source, _))| UnknownSetting { source_name: source.clone(), key: key.clone() })
    }

    /// A flag that does nothing is a slip of the pen: the command line has no history that one must get along with.
    pub(super) fn refuse_unknown_flags(&self) -> Result<(), ConfigError> {
        match self.unknown().find(|unknown| unknown.source_name == Source::Flag) {
            Some(unknown) => Err(ConfigError::UnknownFlag { key: unknown.key }),
            None => Ok(()),
        }
    }

    /// The value of a setting, trimmed as Kafka does, and where it comes from.
    pub(super) fn text(&self, name: &str) -> Option<(&str, Source)> {
        self.by_name.get(name).map(|(source, value)| (value.trim(), source.clone()))
    }

    /// The meaning of a setting: `parse` gives it, or says what is allowed.
    pub(super) fn read<T>(
        &self,
        key: &'static str,
        default: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let set = self.text(key).or(default.map(|value| (value, Source::Default)));
        let (value, source_name) = set.ok_or(ConfigError::Missing { key })?;
        parse(value).map_err(|allowed| ConfigError::Malformed { source_name, key, value: value.to_owned(), allowed })
    }

    /// As [`Settings::read`], by the table of keys.
    pub(super) fn read_key<T>(&self, key: &Key, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        self.read(key.name, key.default, parse)
    }
}
