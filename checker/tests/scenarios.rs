//! A scenario that departs from the specification is told where.

use highwater_checker::kind::Model;
use highwater_checker::replication::World;
use highwater_checker::story::{self, Parting};
use highwater_spec::scenario::Scenario;
use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios")).join(format!("{name}.scenario"))
}

fn scenario(name: &str) -> Scenario {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn world(scenario: &Scenario) -> World {
    match Model::of_scenario(scenario) {
        Ok(Model::Replication(world)) => world,
        other => panic!("no replication world: {other:?}"),
    }
}

/// The scenario with one line changed, and where the specification parts from it.
fn tampered(change: impl Fn(&str) -> String) -> Parting {
    let text = scenario("acks-1").to_string();
    let changed: Scenario = change(&text).parse().expect("it is still a scenario");
    story::follow(&world(&changed), &changed).map(|_| ()).expect_err("it departs from the specification")
}

fn line_of(text: &str) -> usize {
    let told = scenario("acks-1").to_string();
    1 + told.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no line has {text:?}"))
}

#[test]
fn a_wrong_output_is_named() {
    let parting = tampered(|text| text.replacen("b1 appends m1/e0 at 0", "b1 appends m1/e0 at 1", 1));
    assert_eq!(parting.line, line_of("b1 appends m1/e0 at 0"));
    assert!(parting.what.contains("`b1 appends m1/e0 at 0`"), "{}", parting.what);
}

#[test]
fn a_missing_output_is_named() {
    let parting = tampered(|text| text.replacen("< b1 appends m1/e0 at 0\n", "", 1));
    assert_eq!(parting.line, line_of("b1 appends m1/e0 at 0"));
}

#[test]
fn a_wrong_state_is_named() {
    let parting = tampered(|text| text.replacen("elr {}", "elr {b2}", 1));
    assert_eq!(parting.line, line_of("= controller"));
    assert!(parting.what.contains("the specification has  controller end"), "{}", parting.what);
}

#[test]
fn an_impossible_event_is_named_with_its_reason() {
    let parting = tampered(|text| text.replacen("> b1 fetches", "> b2 starts", 1));
    assert_eq!(parting.line, line_of("> b1 fetches"));
    assert!(parting.what.contains("it runs already"), "{}", parting.what);
}

#[test]
fn an_unreadable_event_is_named_with_its_column() {
    let parting = tampered(|text| text.replacen("> b1 fetches", "> b1 sleeps", 1));
    assert_eq!(parting.line, line_of("> b1 fetches"));
    assert!(parting.what.contains("column 6"), "{}", parting.what);
}

#[test]
fn retelling_restores_what_was_changed_and_keeps_comments() {
    let text = scenario("acks-1").to_string();
    let changed = text.replacen("elr {}", "elr {b2}", 1).replacen("\n> client", "\n# so it begins\n> client", 1);
    let changed: Scenario = changed.parse().expect("it is still a scenario");
    let retold = story::retell(&world(&changed), &changed).expect("its events are possible");
    assert_eq!(retold.to_string(), text.replacen("\n> client", "\n# so it begins\n> client", 1));
}
