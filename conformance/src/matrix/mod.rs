//! The mutation matrix: known bugs down, methods across, each cell noticed or not, and by what.
//!
//! A break ([`Break`]) is a decision of the specification, or a deed of the shell, done wrongly on purpose. Each is made in
//! a copy of the tree, never in the tree itself, and every method that it can concern is asked whether it notices. A break
//! that nobody notices is a hole: in a property, in a world, or in a test.
//!
//! Not here: what the methods do. They are the project's own commands, run on the copy.

mod ask;
mod breaks;
mod error;
mod interrupt;
mod job;
mod method;
mod results;
mod table;
mod told;
mod tree;

pub use breaks::{Break, Place, all};
pub use error::MatrixError;
pub use method::Method;
pub use results::{Results, Row};
pub use table::table;

use ask::Asking;
use std::path::{Path, PathBuf};

/// What came of asking one method about one break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is noticed, and by what.
    Noticed(String),
    /// It is not.
    Unnoticed,
    /// The method could not tell, and why.
    Undecided(String),
}

/// What is to be asked.
#[derive(Debug)]
pub struct Question {
    /// About which breaks.
    pub breaks: Vec<Break>,
    /// Which methods, in this order.
    pub methods: Vec<Method>,
    /// Where the copy is built; `None`: in a temporary directory, as the copy is.
    pub target: Option<PathBuf>,
}

/// Asks every method about every break that it can concern, and tells each verdict as it comes. The tree is the one at
/// `root`. Before, every method is asked about the tree as it is: one that complains then can't be asked at all.
///
/// # Errors
/// When a method complains though nothing is broken, when a break fits the tree no more, and when it is interrupted.
/// Nothing is left behind then either.
pub fn ask(
    root: &Path,
    question: &Question,
    mut told: impl FnMut(&Break, Method, Verdict) -> Result<(), MatrixError>,
) -> Result<(), MatrixError> {
    let asking = Asking::on_copy_of(root, question.target.as_deref())?;
    let mut methods = Vec::new();
    for method in &question.methods {
        if question.breaks.iter().any(|broken| method.concerns(broken)) {
            asking.control(*method)?;
            methods.push(*method);
        }
    }
    for broken in &question.breaks {
        asking.tree().while_broken(broken, || {
            for method in methods.iter().filter(|method| method.concerns(broken)) {
                told(broken, *method, asking.about(*method, Some(broken))?)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}
