//! Programs in the cache directory: their sources, and what a language's own tool fetches and builds for them.

use crate::command::{self, Ended};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// For the slowest of networks and machines.
const PATIENCE: Duration = Duration::from_secs(600);
/// The file that says that everything is there.
const DONE: &str = ".done";

/// Why a client can't be had.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Nobody says where the cache directory is.
    #[error("no cache directory: neither XDG_CACHE_HOME nor HOME is set")]
    NoCache,
    /// A tool failed.
    #[error("{name} can't be had: `{command}` failed in {}; it said:\n{said}", dir.display())]
    Tool {
        /// Which client.
        name: String,
        /// What was run.
        command: String,
        /// Where.
        dir: PathBuf,
        /// What it wrote.
        said: String,
    },
    /// A file can't be written, or a tool not be started.
    #[error("{name} can't be had: {path}: {source}")]
    Io {
        /// Which client.
        name: String,
        /// On what.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Apache's jars can't be had.
    #[error(transparent)]
    Jars(#[from] crate::apache_kafka::Error),
}

/// A program to install.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its directory in the cache: name and version.
    pub name: &'static str,
    /// File names and texts.
    pub sources: &'static [(&'static str, &'static str)],
}

impl Program {
    /// The directory of the program, ready to run. `commands`, which are run in it one after another, do their work once;
    /// again if a source has changed.
    ///
    /// # Errors
    /// When a command fails; what it said is told.
    pub fn install(&self, commands: impl FnOnce(&Path) -> Vec<Command>) -> Result<PathBuf, InstallError> {
        let cache = crate::cache_dir().ok_or(InstallError::NoCache)?.join("clients");
        self.install_in(&cache, commands)
    }

    fn install_in(&self, cache: &Path, commands: impl FnOnce(&Path) -> Vec<Command>) -> Result<PathBuf, InstallError> {
        let dir = cache.join(self.name);
        fs::create_dir_all(cache).map_err(self.io(cache))?;
        let _lock = self.lock(&cache.join(format!("{}.lock", self.name)))?;
        if self.is_installed(&dir) {
            return Ok(dir);
        }
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(self.io(&dir))?;
        }
        fs::create_dir_all(&dir).map_err(self.io(&dir))?;
        for (name, text) in self.sources {
            fs::write(dir.join(name), text).map_err(self.io(&dir.join(name)))?;
        }
        for mut command in commands(&dir) {
            self.run(command.current_dir(&dir), &dir)?;
        }
        fs::write(dir.join(DONE), "").map_err(self.io(&dir))?;
        Ok(dir)
    }

    fn is_installed(&self, dir: &Path) -> bool {
        let same = |(name, text): &(&str, &str)| fs::read_to_string(dir.join(name)).is_ok_and(|found| found == *text);
        dir.join(DONE).exists() && self.sources.iter().all(same)
    }

    fn run(&self, command: &mut Command, dir: &Path) -> Result<(), InstallError> {
        let told = format!("{command:?}");
        let Ended { success, stdout, stderr } =
            command::run(command, b"", PATIENCE).map_err(self.io(Path::new(&told)))?;
        if success {
            return Ok(());
        }
        let said = format!("{stdout}{stderr}");
        Err(InstallError::Tool { name: self.name.to_owned(), command: told, dir: dir.to_owned(), said })
    }

    /// Held while it is installed, so that two processes don't do it at once.
    fn lock(&self, path: &Path) -> Result<File, InstallError> {
        let file = File::create(path).map_err(self.io(path))?;
        let locked = rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive);
        locked.map_err(|error| self.io(path)(error.into()))?;
        Ok(file)
    }

    fn io(&self, path: &Path) -> impl FnOnce(io::Error) -> InstallError {
        let (name, path) = (self.name.to_owned(), path.display().to_string());
        move |source| InstallError::Io { name, path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<Command> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        vec![command]
    }

    #[test]
    fn a_program_is_installed_once_and_again_when_it_has_changed() {
        let cache = tempfile::tempdir().unwrap();
        let install = |sources, script: &str| {
            Program { name: "program-1", sources }.install_in(cache.path(), |_| shell(script)).unwrap()
        };
        let dir = install(&[("source", "a")], "cat source > made");
        assert_eq!(fs::read_to_string(dir.join("made")).unwrap(), "a");
        install(&[("source", "a")], "false");
        install(&[("source", "b")], "cat source > made");
        assert_eq!(fs::read_to_string(dir.join("made")).unwrap(), "b");
    }

    #[test]
    fn what_a_tool_said_is_told_and_it_is_tried_again() {
        let cache = tempfile::tempdir().unwrap();
        let program = Program { name: "program-1", sources: &[] };
        let refused =
            program.install_in(cache.path(), |_| shell("echo no network >&2; false")).unwrap_err().to_string();
        assert!(refused.contains("program-1") && refused.contains("no network"), "{refused}");
        assert!(program.install_in(cache.path(), |_| shell("false")).is_err());
        assert!(program.install_in(cache.path(), |_| shell("true")).is_ok());
    }
}
