//! What README.md says of the museum is so.

use highwater_checker::museum;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The last exhibit whose twin has a story of its own, as README.md has it.
const LAST_MENDED: &str = "known-epoch";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn names() -> Vec<&'static str> {
    museum::all().map(|exhibit| exhibit.name).collect()
}

#[test]
fn the_museum_is_listed_whole() {
    let readme = fs::read_to_string(root().join("README.md")).expect("it is there");
    let museum = readme.split("\n## ").find(|section| section.starts_with("The museum\n")).expect("a section");
    let listed: Vec<_> = museum.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(listed, names(), "as `highwater-check list` has them");
}

#[test]
fn the_first_eight_twins_have_stories() {
    let up_to_last = names().iter().position(|name| *name == LAST_MENDED).expect("an exhibit") + 1;
    let first: BTreeSet<_> = names()[..up_to_last].iter().map(|name| format!("{name}.scenario")).collect();
    assert_eq!(first.len(), 8);
    let files = fs::read_dir(root().join("scenarios/mended")).expect("it is there");
    let mended: BTreeSet<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(mended, first);
}
