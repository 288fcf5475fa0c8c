//! Every exhibit of the museum is caught, has its shortest scenario, and a twin that holds.

use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::kind::{Kind, Model, Visitor};
use highwater_checker::museum::{self, Exhibit, Kind as Shows};
use highwater_checker::story;
use highwater_spec::scenario::{Expects, Scenario, Word};
use std::path::Path;

fn explored<W: Kind>(world: &W, workers: usize) -> Report<W::Event> {
    let search = Search { workers, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    search.run(world, &Progress::default()).expect("no limit is given")
}

/// Explores the case that breaks, and tells how.
struct Told(Exhibit);

impl Visitor for Told {
    type Answer = String;

    fn visit<W: Kind>(self, world: &W) -> String {
        let report = explored(world, 1);
        let events = report.properties[0].violation.as_ref().unwrap_or_else(|| panic!("{} is not caught", self.0.name));
        let breaks = Expects::Breaks(Word::new(self.0.broken.property()).expect("a name is a word"));
        story::tell(world, events, Some(breaks)).expect("the search has made it happen").to_string()
    }
}

/// Runs its scenario, and asks what is wrong at the end.
struct Run<'a>(Exhibit, &'a Scenario);

impl Visitor for Run<'_> {
    type Answer = Option<String>;

    fn visit<W: Kind>(self, world: &W) -> Option<String> {
        let end = story::follow(world, self.1).unwrap_or_else(|parting| panic!("{}: {parting:?}", self.0.name));
        world.reason(&end, self.0.broken.property())
    }
}

/// Explores the twin, and counts what does not hold.
struct Twin;

impl Visitor for Twin {
    type Answer = usize;

    fn visit<W: Kind>(self, world: &W) -> usize {
        explored(world, 2).violated().count()
    }
}

fn scenario(exhibit: &Exhibit) -> String {
    let file = format!("{}/../scenarios/{}.scenario", env!("CARGO_MANIFEST_DIR"), exhibit.name);
    std::fs::read_to_string(Path::new(&file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn every_exhibit_has_its_shortest_scenario() {
    for exhibit in museum::all() {
        let world = exhibit.broken.model(None, &[]).expect("no bounds are changed");
        let update = format!("highwater-check {0} --workers 1 --scenario scenarios/{0}.scenario", exhibit.name);
        assert_eq!(world.visit(Told(exhibit)), scenario(&exhibit), "to update it: {update}");
    }
}

#[test]
fn every_scenario_runs_and_breaks_what_it_says() {
    for exhibit in museum::all() {
        let scenario: Scenario = scenario(&exhibit).parse().unwrap_or_else(|error| panic!("{}: {error}", exhibit.name));
        let world = Model::of_scenario(&scenario).unwrap_or_else(|error| panic!("{}: {error}", exhibit.name));
        assert!(world.visit(Run(exhibit, &scenario)).is_some(), "{}", exhibit.name);
    }
}

// Verifies: group.coordinator.epoch, group.join.static, assignor.sticky.claim, client.consumer.cooperative
// Verifies: client.producer.retry, client.producer.bump, log.clean.end
#[test]
fn every_twin_holds() {
    // Those of brokers take longer; the command `highwater-check` explores them.
    let of_brokers = museum::EXHIBITS.len();
    for exhibit in museum::all().skip(of_brokers) {
        let world = exhibit.mended.model(None, &[]).expect("no bounds are changed");
        assert_eq!(world.visit(Twin), 0, "{}", exhibit.name);
    }
}

#[test]
fn bugs_and_losses_of_brokers_are_what_the_museum_promises() {
    let count = |kind| museum::EXHIBITS.iter().filter(|exhibit| exhibit.kind == kind).count();
    assert_eq!((count(Shows::Bug), count(Shows::ExpectedLoss)), (8, 2));
}
