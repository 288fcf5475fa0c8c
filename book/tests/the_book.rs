//! The book as it is committed.

use highwater_book::book;
use highwater_book::workspace::Workspace;
use std::path::Path;

#[test]
fn nothing_is_wrong_with_the_book() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let into = tempfile::tempdir().expect("a folder");
    let complaints = book::build(&Workspace::at(root), into.path()).expect("it is a book");
    let complaints: Vec<_> = complaints.iter().map(ToString::to_string).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
