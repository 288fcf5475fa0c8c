//! The scenarios of the museum are what the checker finds, and a scenario that departs from the specification is told
//! where.

use highwater_checker::catalog::Model;
use highwater_checker::engine::{Progress, Search, StopOn};
use highwater_checker::museum::{Casing, EXHIBITS, Kind};
use highwater_checker::narrated::Narrated;
use highwater_checker::replication::World;
use highwater_checker::story::{self, Parting};
use highwater_spec::scenario::{Event, Expects, Scenario, Word};
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

#[test]
fn every_exhibit_has_its_shortest_scenario() {
    for exhibit in EXHIBITS {
        let world = exhibit.broken.world();
        let search = Search { workers: 1, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
        let report = search.run(&world, &Progress::default()).expect("no limit is given");
        let events = report.properties[0].violation.as_ref().expect("an exhibit breaks");
        let breaks = Expects::Breaks(Word::new(exhibit.broken.property.name).expect("a name is a word"));
        let told = story::tell(&world, events, Some(breaks)).expect("the search has made it happen");
        let update = format!("highwater-check {0} --workers 1 --scenario scenarios/{0}.scenario", exhibit.name);
        assert_eq!(told.to_string(), scenario(exhibit.name).to_string(), "to update it: {update}");
    }
}

#[test]
fn every_scenario_runs_and_breaks_what_it_says() {
    for exhibit in EXHIBITS {
        let scenario = scenario(exhibit.name);
        let world = world(&scenario);
        let end = story::follow(&world, &scenario).unwrap_or_else(|parting| panic!("{}: {parting:?}", exhibit.name));
        assert!(world.reason(&end, exhibit.broken.property.name).is_some(), "{}", exhibit.name);
    }
}

#[test]
fn bugs_and_losses_are_what_the_museum_promises() {
    let count = |kind| EXHIBITS.iter().filter(|exhibit| exhibit.kind == kind).count();
    assert_eq!((count(Kind::Bug), count(Kind::ExpectedLoss)), (8, 2));
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

/// Every event that happens in some worlds reads back as it is printed.
#[test]
fn events_read_back_as_they_are_printed() {
    let mut seen = 0;
    for exhibit in EXHIBITS {
        let world = exhibit.broken.world();
        let mut states = vec![highwater_checker::engine::Explorable::initial(&world)];
        for depth in 0..200 {
            let Some(state) = states.get(depth).cloned() else { break };
            let mut events = Vec::new();
            highwater_checker::engine::Explorable::candidates(&world, &state, &mut events);
            for event in events {
                let text = format!("highwater scenario 1\nworld replication brokers=2\nrules KAFKA\n\n> {event}\n");
                let parsed: Scenario = text.parse().expect("an event is a line");
                let read: Event =
                    World::read_event(&parsed.steps().next().expect("one step").input).expect("it reads back");
                assert_eq!(read, event);
                states.extend(highwater_checker::engine::Explorable::apply(&world, &state, &event));
                seen += 1;
            }
        }
    }
    assert!(seen > 1000, "{seen} events");
}
