//! What is broken, as data: the text files in `breaks/`.
//!
//! An entry is a name, a sentence, a file, and what is replaced in it by what:
//!
//! ```text
//! break hw-falls
//! what a leader's high watermark follows a follower that was cut back
//! in spec/src/replica/high_watermark.rs
//! - |end| end.max(self.high_watermark)
//! + |end| end
//! ```

use super::MatrixError;
use super::error::Context;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The files, in the order of their rows.
const FILES: [&str; 2] = ["breaks/spec.txt", "breaks/shell.txt"];

/// Where a break is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A decision: in `spec/`.
    Spec,
    /// What carries decisions out: in `impl/`.
    Shell,
}

/// Something that is done wrongly on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Break {
    /// Its name.
    pub name: String,
    /// What is wrong then, in a sentence.
    pub what: String,
    /// The file, from the root of the tree.
    pub file: String,
    /// What the file has exactly once.
    pub old: String,
    /// What takes its place.
    pub new: String,
}

impl Break {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Place {
        if self.file.starts_with("spec/") { Place::Spec } else { Place::Shell }
    }

    /// The file's text with this break made in it.
    ///
    /// # Errors
    /// [`MatrixError::Stale`] unless the text has its place exactly once.
    pub fn made_in(&self, text: &str) -> Result<String, MatrixError> {
        match text.matches(&self.old).count() {
            1 => Ok(text.replacen(&self.old, &self.new, 1)),
            count => Err(MatrixError::Stale { name: self.name.clone(), file: self.file.clone(), count }),
        }
    }
}

/// Every break of the tree at `root`.
///
/// # Errors
/// When a file can't be read, isn't in its form, or names a break a second time.
pub fn all(root: &Path) -> Result<Vec<Break>, MatrixError> {
    let mut all: Vec<Break> = Vec::new();
    for file in FILES {
        let path = root.join(file);
        for broken in parse(file, &fs::read_to_string(&path).context(&path)?)? {
            if all.iter().any(|known| known.name == broken.name) {
                return Err(MatrixError::Twice(broken.name));
            }
            all.push(broken);
        }
    }
    Ok(all)
}

fn parse(file: &str, text: &str) -> Result<Vec<Break>, MatrixError> {
    let mut breaks: Vec<Break> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = || MatrixError::Malformed { file: file.to_owned(), line: number };
        // An empty line of the replaced text has no blank after its sign.
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "break" {
            breaks.push(Break { name: rest.to_owned(), ..Break::default() });
            continue;
        }
        let broken = breaks.last_mut().ok_or_else(malformed)?;
        match word {
            "what" => broken.what = rest.to_owned(),
            "in" => broken.file = rest.to_owned(),
            "-" => add_line(&mut broken.old, rest),
            "+" => add_line(&mut broken.new, rest),
            _ => return Err(malformed()),
        }
    }
    let lacks = |broken: &&Break| broken.what.is_empty() || broken.file.is_empty() || broken.old.is_empty();
    match breaks.iter().find(lacks) {
        Some(broken) => Err(MatrixError::Incomplete(broken.name.clone())),
        None => Ok(breaks),
    }
}

fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "# why\n\nbreak a\nwhat b c\nin spec/src/d.rs\n-   old {\n- }\n+ new\n";

    #[test]
    fn an_entry_is_read_with_its_blanks() {
        let found = parse("f", ENTRY).unwrap();
        let [broken] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((broken.name.as_str(), broken.what.as_str()), ("a", "b c"));
        assert_eq!((broken.old.as_str(), broken.new.as_str()), ("  old {\n}", "new"));
        assert_eq!(broken.place(), Place::Spec);
        assert_eq!(broken.made_in("x\n  old {\n}\n").unwrap(), "x\nnew\n");
        assert!(broken.made_in("").is_err() && broken.made_in("  old {\n}  old {\n}").is_err());
    }

    #[test]
    fn a_fault_is_told() {
        assert!(matches!(parse("f", "what b\n"), Err(MatrixError::Malformed { line: 1, .. })));
        assert!(matches!(parse("f", &format!("{ENTRY}? x\n")), Err(MatrixError::Malformed { line: 9, .. })));
        assert!(matches!(parse("f", "break a\nwhat b\nin c\n+ d\n"), Err(MatrixError::Incomplete(_))));
    }

    /// Whoever changes code that a break replaces changes the break as well.
    #[test]
    fn every_break_fits_the_tree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for broken in all(&root).unwrap() {
            let text = fs::read_to_string(root.join(&broken.file)).unwrap();
            assert_ne!(broken.made_in(&text).unwrap(), text, "{}", broken.name);
        }
    }
}
