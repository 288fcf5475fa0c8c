//! Marks are complete: what the machines mark is what `marks::ALL` lists, and rules without a mark are known.

use highwater_spec::marks;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rules that no world that is walked can come to, and why.
const UNMARKED: &[(&str, &str)] = &[
    ("controller.config", "its operators do not ask for anything"),
    ("controller.elr.min-isr-changed", "its operators do not ask for anything"),
    ("controller.isr.last", "today's rules keep an ELR"),
    ("controller.producer-ids.", "its producers have no ids"),
    ("controller.topic.", "its topic is there from the beginning"),
    ("group.coordinator.epoch", "a broker asks for it before there is a coordinator"),
    ("log.clean.", "its logs have no segments"),
    ("log.recovery.cut", "its logs have no segments"),
    ("log.recovery.gap", "its logs have no segments"),
    ("log.recovery.intact", "its logs have no segments"),
    ("log.recovery.point", "its logs have no segments"),
    ("log.recovery.scan", "its logs have no segments"),
    ("log.recovery.start", "its logs have no segments"),
    ("log.recovery.whole", "its logs have no segments"),
    ("log.roll.", "its logs have no segments"),
    ("replica.epoch.end", "its followers ask by their fetches, its clients not at all"),
    ("replica.produce.duplicate", "its producers have no ids"),
    ("replica.produce.sequence", "its producers have no ids"),
    ("replica.producers.", "its producers have no ids"),
    ("replica.read.cut", "the shell breaks such reads off"),
    ("replica.read.latest", "its clients do not ask for offsets"),
    ("replica.read.start", "its clients do not ask for offsets"),
];

/// The folders whose rules are marked.
const MACHINES: [&str; 6] = ["replica", "broker", "controller", "log", "group", "client/consumer"];

/// Whether rules that begin with it are a machine's.
fn is_subject(word: &str) -> bool {
    MACHINES.iter().any(|machine| machine.split('/').next() == Some(word))
}

/// Words that look like rules and are settings.
fn is_setting(word: &str) -> bool {
    word.ends_with(".ms") || ["client.id", "group.instance.id"].contains(&word)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

fn texts() -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = MACHINES.iter().flat_map(|machine| sources(&src.join(machine)));
    files.map(|path| fs::read_to_string(path).expect("a source file is text")).collect()
}

/// Each `guard!` and `rule!` of the machines: its name, whether it is a guard, and what stands behind the name.
fn marked(texts: &[String]) -> Vec<(&str, bool, &str)> {
    let of = |is_guard: bool, opening: &'static str| {
        texts.iter().flat_map(move |text| text.split(opening).skip(1)).map(move |rest| {
            let (_, rest) = rest.split_once('"').expect("a mark has a name");
            let (id, rest) = rest.split_once('"').expect("a name ends");
            (id, is_guard, rest.trim_start_matches([',', ' ', '\n']))
        })
    };
    of(true, "guard!(").chain(of(false, "rule!(")).collect()
}

#[test]
fn every_mark_of_the_machines_is_listed_and_every_listed_one_is_there() {
    let texts = texts();
    let there: BTreeSet<_> = marked(&texts).into_iter().map(|(id, is_guard, _)| (id, is_guard)).collect();
    let listed: BTreeSet<_> = marks::ALL.iter().map(|mark| (mark.id, mark.is_guard)).collect();
    assert_eq!(there, listed);
    assert!(marks::ALL.is_sorted_by(|one, next| one.id < next.id), "by name, and none twice");
}

#[test]
fn a_name_marks_one_place_or_two_branches() {
    let texts = texts();
    let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (id, _, rest) in marked(&texts) {
        places.entry(id).or_default().push(rest.split(')').next().unwrap_or_default());
    }
    for (id, mut places) in places {
        places.sort_unstable();
        assert!(places.len() == 1 || places == ["false", "true"], "{id} marks {places:?}");
    }
}

#[test]
fn every_rule_of_the_machines_has_a_mark_or_a_reason() {
    let texts = texts();
    let comments = texts.iter().flat_map(|text| text.lines()).filter(|line| line.trim_start().starts_with("//"));
    let words = comments.flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_rule = |word: &str| {
        let mut parts = word.split('.');
        parts.next().is_some_and(is_subject) && word.contains('.') && parts.all(is_part)
    };
    let named: BTreeSet<_> = words.filter(|word| is_rule(word) && !is_setting(word)).collect();
    let marked: BTreeSet<_> = marks::ALL.iter().map(marks::Mark::rule).collect();
    let covers = |known: &str, rule: &str| rule == known || known.ends_with('.') && rule.starts_with(known);
    for rule in &named {
        let excused = UNMARKED.iter().any(|(known, _)| covers(known, rule));
        assert!(marked.contains(rule) != excused, "{rule}: either it has a mark, or UNMARKED says why not");
    }
    for (known, why) in UNMARKED {
        assert!(named.iter().any(|rule| covers(known, rule)), "{known} needs no excuse ({why}): no comment names it");
    }
    for rule in marked {
        assert!(named.contains(rule), "{rule} is marked, and no comment of the machines names it");
    }
}
