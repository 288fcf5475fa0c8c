//! Compacted logs: what must hold of them does, in worlds small enough for every run; and the exhibit is caught, has its
//! shortest scenario, and a twin that holds.

use highwater_checker::cleaning::{Bounds, Event, World};
use highwater_checker::engine::stateright::count_with_stateright;
use highwater_checker::engine::{Explorable, Progress, Report, Search, StopOn};
use highwater_checker::museum::{CLEANING_EXHIBITS, Casing};
use highwater_checker::narrated::Narrated;
use highwater_checker::story;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Expects, Scenario, Word};
use std::path::Path;
use std::sync::Arc;

const SMALL: Bounds =
    Bounds { keys: 2, records: 3, rolls: 2, cleanings: 2, retentions: 1, crashes: 1, ..Bounds::QUIET };

fn explored(world: &World, workers: usize) -> Report<Event> {
    let search = Search { workers, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    search.run(world, &Progress::default()).expect("no limit is given")
}

// Verifies: log.clean.latest, log.clean.tombstone, log.clean.beyond, log.clean.producer, log.clean.end
#[test]
fn what_counts_of_a_log_stays() {
    for bounds in
        [Bounds { copies: 1, idempotent: 1, ..SMALL }, Bounds { crowded: 1, cleanings: 3, retentions: 2, ..SMALL }]
    {
        let world = World::new(Rules::KAFKA, bounds);
        if let Some(property) = explored(&world, 2).violated().next() {
            let events = property.violation.as_deref().unwrap_or_default();
            let told = story::tell(&world, events, None).expect("it can be told");
            panic!("{} does not hold:\n{told}", property.name);
        }
    }
}

// Verifies: log.clean.end
#[test]
fn the_exhibit_has_its_shortest_scenario_and_its_twin_holds() {
    for exhibit in CLEANING_EXHIBITS {
        let world = exhibit.broken.world();
        let report = explored(&world, 1);
        let events = report.properties[0].violation.as_ref().expect("an exhibit breaks");
        let breaks = Expects::Breaks(Word::new(exhibit.broken.property.name).expect("a name is a word"));
        let told = story::tell(&world, events, Some(breaks)).expect("the search has made it happen").to_string();
        let file = format!("{}/../scenarios/{}.scenario", env!("CARGO_MANIFEST_DIR"), exhibit.name);
        let found = std::fs::read_to_string(Path::new(&file)).unwrap_or_else(|error| panic!("{file}: {error}\n{told}"));
        let update = format!("highwater-check {0} --workers 1 --scenario scenarios/{0}.scenario", exhibit.name);
        assert_eq!(told, found, "to update it: {update}");
        let scenario: Scenario = found.parse().expect("it is a scenario");
        let end = story::follow(&world, &scenario).unwrap_or_else(|parting| panic!("{}: {parting:?}", exhibit.name));
        assert!(world.reason(&end, exhibit.broken.property.name).is_some(), "{}", exhibit.name);
        assert_eq!(explored(&exhibit.mended.world(), 2).violated().count(), 0, "{}", exhibit.name);
    }
}

#[test]
fn two_engines_find_the_same_states() {
    let world = World::new(Rules::KAFKA, SMALL);
    let own = explored(&world, 2);
    let theirs = count_with_stateright(Arc::new(world), 2);
    assert_eq!((own.distinct, theirs.violated), (theirs.distinct, Vec::new()));
}

#[test]
fn events_read_back_as_they_are_printed() {
    let world = World::new(Rules::KAFKA, SMALL);
    let mut events = Vec::new();
    world.candidates(&world.initial(), &mut events);
    for event in events {
        let text = format!("highwater scenario 1\nworld cleaning brokers=1\nrules KAFKA\n\n> {event}\n");
        let parsed: Scenario = text.parse().expect("an event is a line");
        let read = World::read_event(&parsed.steps().next().expect("one step").input).expect("it reads back");
        assert_eq!(read, event);
    }
}
