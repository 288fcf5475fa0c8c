//! The files that the book speaks of, named as seen from the root of the workspace.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A workspace: the folder that has `book/`, `spec/`, `scenarios/` and the others.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
}

/// A file of code.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path, with `/` between folders.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl Workspace {
    /// The workspace in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// A file or folder of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Says why it can't be read. A path that leaves the workspace is refused.
    pub fn read(&self, name: &str) -> Result<String, String> {
        if Path::new(name).is_absolute() || name.split('/').any(|part| part == "..") {
            return Err(format!("{name} is not a path from the root of the workspace"));
        }
        fs::read_to_string(self.path(name)).map_err(|error| format!("can't read {name}: {error}"))
    }

    /// Every Rust file below a folder, by path; none if there is no such folder.
    ///
    /// # Errors
    /// If a folder or file can't be read.
    pub fn sources(&self, folder: &str) -> io::Result<Vec<Source>> {
        let mut found = Vec::new();
        if self.path(folder).is_dir() {
            self.collect(folder, &mut found)?;
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    fn collect(&self, folder: &str, found: &mut Vec<Source>) -> io::Result<()> {
        for entry in fs::read_dir(self.path(folder))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.collect(&path, found)?;
            } else if path.ends_with(".rs") {
                let text = fs::read_to_string(entry.path())?;
                found.push(Source { path, text });
            }
        }
        Ok(())
    }
}
