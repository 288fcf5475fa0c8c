//! Consumer groups: what must hold of them does, in worlds small enough for every run; and each exhibit is caught, has
//! its shortest scenario, and a twin that holds.

use highwater_checker::engine::stateright::count_with_stateright;
use highwater_checker::engine::{Explorable, Progress, Report, Search, StopOn};
use highwater_checker::group::{Bounds, Event, World};
use highwater_checker::museum::{Casing, GROUP_EXHIBITS};
use highwater_checker::narrated::Narrated;
use highwater_checker::story;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Expects, Scenario, Word};
use std::path::Path;
use std::sync::Arc;

const SMALL: Bounds = Bounds { partitions: 1, ..Bounds::QUIET };

fn explored(world: &World, workers: usize) -> Report<Event> {
    let search = Search { workers, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    search.run(world, &Progress::default()).expect("no limit is given")
}

// Verifies: group.coordinator.epoch, group.join.static
#[test]
fn groups_keep_their_word() {
    let bounds = [
        Bounds { crashes: 1, ..SMALL },
        Bounds { crashes: 1, cooperative: 1, ..SMALL },
        Bounds { crashes: 1, fixed: 1, ..SMALL },
        Bounds { moves: 1, late_commits: 1, ..SMALL },
        Bounds { expiries: 1, ..SMALL },
        Bounds { breaks: 1, ..SMALL },
        Bounds { closes: 1, ..SMALL },
        Bounds { impatience: 1, ..SMALL },
        Bounds { returns: 1, repeats: 1, ..SMALL },
        Bounds { moves: 1, repeats: 1, ..SMALL },
        Bounds { same_instance: 1, crashes: 1, ..SMALL },
        Bounds { impatience: 1, commits: 1, fixed: 1, ..SMALL },
        Bounds { slow_polls: 1, ..SMALL },
    ];
    for bounds in bounds {
        let world = World::new(Rules::KAFKA, bounds);
        if let Some(property) = explored(&world, 2).violated().next() {
            let events = property.violation.as_deref().unwrap_or_default();
            let told = story::tell(&world, events, None).expect("it can be told");
            panic!("{} does not hold:\n{told}", property.name);
        }
    }
}

// Verifies: group.coordinator.epoch, group.join.static, assignor.sticky.claim, client.consumer.cooperative
#[test]
fn every_exhibit_has_its_shortest_scenario_and_its_twin_holds() {
    for exhibit in GROUP_EXHIBITS {
        let world = exhibit.broken.world();
        let report = explored(&world, 1);
        let events = report.properties[0].violation.as_ref().expect("an exhibit breaks");
        let breaks = Expects::Breaks(Word::new(exhibit.broken.property.name).expect("a name is a word"));
        let told = story::tell(&world, events, Some(breaks)).expect("the search has made it happen").to_string();
        let file = format!("{}/../scenarios/{}.scenario", env!("CARGO_MANIFEST_DIR"), exhibit.name);
        let found = std::fs::read_to_string(Path::new(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
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
    let world = World::new(Rules::KAFKA, Bounds { crashes: 1, ..SMALL });
    let own = explored(&world, 2);
    let theirs = count_with_stateright(Arc::new(world), 2);
    assert_eq!((own.distinct, theirs.violated), (theirs.distinct, Vec::new()));
}

#[test]
fn events_read_back_as_they_are_printed() {
    let world = World::new(Rules::KAFKA, Bounds { expiries: 1, ..SMALL });
    let mut events = Vec::new();
    world.candidates(&world.initial(), &mut events);
    for event in events {
        let text = format!("highwater scenario 1\nworld group members=2\nrules KAFKA\n\n> {event}\n");
        let parsed: Scenario = text.parse().expect("an event is a line");
        let read = World::read_event(&parsed.steps().next().expect("one step").input).expect("it reads back");
        assert_eq!(read, event);
    }
}
