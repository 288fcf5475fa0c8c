//! What is known so far, in a file: the matrix can be filled in parts.

use super::error::Context;
use super::{Break, MatrixError, Method, Place, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The file, from the root of the tree.
const FILE: &str = "book/results/matrix.json";
/// The command that writes it.
const COMMAND: &str = "highwater-conform matrix";

/// The matrix, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// The command that writes it.
    pub command: String,
    /// One row for each break, in the breaks' order.
    pub breaks: Vec<Row>,
}

/// What is known of one break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What is wrong then.
    pub what: String,
    /// Where it is.
    pub place: Place,
    /// By method, what noticed it; `None`: the method was asked and noticed nothing. One that wasn't asked is absent.
    pub found: BTreeMap<String, Option<String>>,
}

impl Row {
    /// What a method said, if it was asked.
    #[must_use]
    pub fn of(&self, method: Method) -> Option<Option<&str>> {
        self.found.get(method.name()).map(Option::as_deref)
    }

    /// Whether someone was asked, and nobody noticed.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        !self.found.is_empty() && self.found.values().all(Option::is_none)
    }
}

impl Results {
    /// What the file in the tree at `root` says of these breaks; of the others it says nothing any more.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn load(root: &Path, breaks: &[Break]) -> Result<Self, MatrixError> {
        let path = root.join(FILE);
        let known = match fs::read_to_string(&path) {
            Ok(text) => {
                let read = |error| MatrixError::Results { path: path.clone(), error };
                serde_json::from_str::<Self>(&text).map_err(read)?.breaks
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).context(&path),
        };
        let row = |broken: &Break| {
            let known = known.iter().find(|row| row.name == broken.name);
            let found = known.map(|row| row.found.clone()).unwrap_or_default();
            Row { name: broken.name.clone(), what: broken.what.clone(), place: broken.place(), found }
        };
        Ok(Self { command: COMMAND.to_owned(), breaks: breaks.iter().map(row).collect() })
    }

    /// Notes a verdict; one that could not be reached takes away what was known.
    pub fn note(&mut self, broken: &Break, method: Method, verdict: &Verdict) {
        let Some(row) = self.breaks.iter_mut().find(|row| row.name == broken.name) else { return };
        let name = method.name().to_owned();
        match verdict {
            Verdict::Noticed(by) => row.found.insert(name, Some(by.clone())),
            Verdict::Unnoticed => row.found.insert(name, None),
            Verdict::Undecided(_) => row.found.remove(&name),
        };
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn store(&self, root: &Path) -> Result<(), MatrixError> {
        let path = root.join(FILE);
        let temporary = path.with_extension("tmp");
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|error| MatrixError::Results { path: path.clone(), error })? + "\n";
        path.parent().map_or(Ok(()), fs::create_dir_all).context(&path)?;
        fs::write(&temporary, text).context(&temporary)?;
        fs::rename(&temporary, &path).context(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_in_parts_is_kept_together() {
        let root = tempfile::tempdir().unwrap();
        let broken = |name: &str| Break { name: name.to_owned(), ..Break::default() };
        let (a, b) = (broken("a"), broken("b"));
        let mut first = Results::load(root.path(), &[a.clone(), b.clone()]).unwrap();
        first.note(&a, Method::Loom, &Verdict::Unnoticed);
        first.note(&b, Method::Loom, &Verdict::Unnoticed);
        first.store(root.path()).unwrap();
        let mut second = Results::load(root.path(), &[broken("new"), a.clone()]).unwrap();
        second.note(&a, Method::Client, &Verdict::Noticed("x".to_owned()));
        second.store(root.path()).unwrap();
        let read = Results::load(root.path(), &[broken("new"), a.clone()]).unwrap();
        assert_eq!(read, second);
        let [new, row] = read.breaks.as_slice() else { panic!("{read:?}") };
        assert!(!new.is_hole() && !row.is_hole() && first.breaks[0].is_hole());
        assert_eq!((row.of(Method::Loom), row.of(Method::Client)), (Some(None), Some(Some("x"))));
        assert_eq!(row.of(Method::Checker), None);
        second.note(&a, Method::Client, &Verdict::Undecided(String::new()));
        assert!(second.breaks[1].is_hole());
    }
}
