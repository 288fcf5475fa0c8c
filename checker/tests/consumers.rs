//! Groups of the consumer protocol: what must hold of them does, in worlds small enough for every run.

use highwater_checker::engine::stateright::count_with_stateright;
use highwater_checker::engine::{Explorable, Progress, Report, Search, StopOn};
use highwater_checker::group::members::{Bounds, Event, World};
use highwater_checker::narrated::Narrated;
use highwater_checker::story;
use highwater_spec::property::consumer_group::{ConsumerProperty, OF_CONSUMERS};
use highwater_spec::rules::{Release, Rules};
use highwater_spec::scenario::Scenario;
use std::sync::Arc;

const TWO: Bounds = Bounds::QUIET;

fn explored(world: &World, workers: usize) -> Report<Event> {
    let search = Search { workers, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    search.run(world, &Progress::default()).expect("no limit is given")
}

/// Everything holds, and something has happened.
fn holds(bounds: Bounds) {
    let world = World::new(Rules::KAFKA, bounds);
    let report = explored(&world, 2);
    if let Some(property) = report.violated().next() {
        let events = property.violation.as_deref().unwrap_or_default();
        let told = story::tell(&world, events, None).expect("it can be told");
        panic!("{} does not hold:\n{told}", property.name);
    }
    assert!(report.distinct > 100, "{bounds:?}: {} states", report.distinct);
}

// Verifies: group.consumer.reconcile.*, group.consumer.target, group.consumer.fence
#[test]
fn members_that_come_and_go_share_every_partition() {
    holds(TWO);
    holds(Bounds { leaves: 1, ..TWO });
    holds(Bounds { crashes: 1, ..TWO });
    holds(Bounds { leaves: 1, fixed: 1, ..TWO });
    holds(Bounds { grows: 1, ..TWO });
}

// Verifies: group.consumer.fence, group.consumer.session, group.consumer.rebalance-timeout
#[test]
fn members_that_are_silent_slow_or_cut_off_share_every_partition() {
    holds(Bounds { expiries: 1, ..TWO });
    holds(Bounds { slow: 1, ..TWO });
    holds(Bounds { breaks: 1, ..TWO });
}

// Verifies: group.consumer.load
#[test]
fn members_whose_coordinator_moves_share_every_partition() {
    holds(Bounds { moves: 1, late_commits: 1, ..TWO });
}

// Verifies: group.consumer.reconcile.wait
#[test]
fn three_members_share_every_partition() {
    holds(Bounds { members: 3, ..TWO });
}

/// What breaks under `rules`, if anything.
fn broken(rules: Rules, property: ConsumerProperty) -> Option<Vec<Event>> {
    let world = World::judged_by(rules, TWO, &[property]);
    explored(&world, 1).properties[0].violation.clone()
}

/// As it came to by KAFKA-16147: a partition that its member has yet to give up counts as free.
#[test]
fn a_partition_that_is_free_too_soon_has_two_readers() {
    let early = Rules { release: Release::WhenTold, ..Rules::KAFKA };
    for name in ["one-assignee", "one-reader"] {
        let property = *OF_CONSUMERS.iter().find(|property| property.name == name).expect("it is a property");
        assert!(broken(early, property).is_some(), "{name} does not notice");
        assert!(broken(Rules::KAFKA, property).is_none(), "{name}");
    }
}

#[test]
fn two_engines_find_the_same_states() {
    let world = World::new(Rules::KAFKA, Bounds { crashes: 1, ..TWO });
    let own = explored(&world, 2);
    let theirs = count_with_stateright(Arc::new(world), 2);
    assert_eq!((own.distinct, theirs.violated), (theirs.distinct, Vec::new()));
}

#[test]
fn events_read_back_as_they_are_printed() {
    let world = World::new(Rules::KAFKA, Bounds { expiries: 1, ..TWO });
    let mut events = Vec::new();
    world.candidates(&world.initial(), &mut events);
    for event in events {
        let text = format!("highwater scenario 1\nworld consumers members=2\nrules KAFKA\n\n> {event}\n");
        let parsed: Scenario = text.parse().expect("an event is a line");
        let read = World::read_event(&parsed.steps().next().expect("one step").input).expect("it reads back");
        assert_eq!(read, event);
    }
}
