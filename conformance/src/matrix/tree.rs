//! A copy of the tree, in which one thing at a time is broken.

use super::error::Context;
use super::{Break, MatrixError};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The copy. It is removed with this value.
#[derive(Debug)]
pub(super) struct Tree {
    dir: TempDir,
    target: PathBuf,
}

impl Tree {
    /// A copy of what git knows of the tree at `root`, as it is now; it is built in `target`, or beside the copy.
    pub(super) fn copy(root: &Path, target: Option<&Path>) -> Result<Self, MatrixError> {
        let made = tempfile::Builder::new().prefix("highwater-matrix-").tempdir();
        let dir = made.context(Path::new("a temporary directory"))?;
        let target = target.map_or_else(|| dir.path().join("target"), Path::to_owned);
        let tree = Self { dir, target };
        for name in known_to_git(root)? {
            let (from, to) = (root.join(&name), tree.path().join(&name));
            if from.is_file() {
                to.parent().map_or(Ok(()), fs::create_dir_all).context(&to)?;
                fs::copy(&from, &to).context(&from)?;
            }
        }
        let temporary = tree.temporary();
        fs::create_dir_all(&temporary).context(&temporary)?;
        Ok(tree)
    }

    /// Its root.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    /// Where it is built.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Where what runs on it leaves its temporary files; they go with the copy.
    pub(super) fn temporary(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }

    /// Does `work` while the break is made; mends it then, whatever came of it.
    pub(super) fn while_broken<T>(
        &self,
        broken: &Break,
        work: impl FnOnce() -> Result<T, MatrixError>,
    ) -> Result<T, MatrixError> {
        let path = self.path().join(&broken.file);
        let sound = fs::read_to_string(&path).context(&path)?;
        fs::write(&path, broken.made_in(&sound)?).context(&path)?;
        let done = work();
        fs::write(&path, sound).context(&path)?;
        done
    }
}

fn known_to_git(root: &Path) -> Result<Vec<String>, MatrixError> {
    let mut git = Command::new("git");
    let listed = git.current_dir(root).args(["ls-files", "-z", "-co", "--exclude-standard"]).output();
    let failed = |error| MatrixError::Program { program: "git".to_owned(), error };
    let listed = listed.map_err(failed)?;
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stderr).trim().to_owned();
        return Err(failed(std::io::Error::other(said)));
    }
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}
