//! Rules have names: what a property says that it verifies is named by the code that carries it out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What the first word of a rule's name may be.
const SUBJECTS: [&str; 9] =
    ["replica", "log", "log-backed", "broker", "controller", "producer", "group", "assignor", "client"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let mut found: Vec<_> = paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_id(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    let named = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    parts.len() >= 2 && SUBJECTS.contains(&parts[0]) && parts.iter().all(named)
}

/// The rules that comments of the machines name, in backquotes.
fn named_by_code() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&src).into_iter().filter(|path| !path.starts_with(src.join("property")));
    let mut named = BTreeSet::new();
    for path in files {
        let text = text(&path);
        let comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
        named.extend(comments.flat_map(|line| line.split('`')).filter(|word| is_id(word)).map(str::to_owned));
    }
    named
}

/// What each property says that it verifies: names, or beginnings of names followed by `*`.
fn verified() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/property");
    let mut verified = Vec::new();
    for path in sources(&folder).into_iter().filter(|path| !path.ends_with("mod.rs")) {
        let file = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = text(&path);
        let line = text.lines().find_map(|line| line.strip_prefix("//! Verifies: "));
        let Some(line) = line else {
            assert!(text.contains("Not among the properties that must hold"), "{file} does not say what it verifies");
            continue;
        };
        verified.extend(line.trim_end_matches('.').split(", ").map(|rule| (file.clone(), rule.to_owned())));
    }
    verified
}

#[test]
fn what_a_property_verifies_is_a_rule_that_the_code_names() {
    let known = named_by_code();
    for (file, rule) in verified() {
        let found = match rule.strip_suffix('*') {
            Some(beginning) => known.iter().any(|id| id.starts_with(beginning)),
            None => known.contains(&rule),
        };
        assert!(found, "{file} verifies {rule}, which no code names; there are {known:#?}");
    }
}

#[test]
fn every_machine_names_its_rules() {
    let known = named_by_code();
    for subject in SUBJECTS {
        assert!(known.iter().any(|id| id.starts_with(&format!("{subject}."))), "no rule of {subject} is named");
    }
    assert!(known.len() > 60, "{} rules are named", known.len());
}
