//! A property that nothing violates is not trusted: each says how it can fail, and this is tried.

use highwater_checker::engine::{Progress, Search, StopOn};
use highwater_checker::museum::EXHIBITS;
use highwater_checker::replication::{Bounds, World};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::Rules;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The ways that the property's file names, as in `exhibit kip-320`, `rules KAFKA hw_gate=Open` or `break hw-falls`.
fn ways(property: &Property) -> Vec<String> {
    let file = Path::new(ROOT).join(format!("spec/src/property/{}.rs", property.name.replace('-', "_")));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let line = text.lines().find_map(|line| line.strip_prefix("//! Can fail: "));
    let line = line.unwrap_or_else(|| panic!("{} does not say how it can fail", file.display()));
    line.trim_end_matches('.').split("; ").map(str::to_owned).collect()
}

fn breaks(rules: Rules, bounds: Bounds, property: Property) -> bool {
    let search = Search { workers: 2, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    let world = World::judged_by(rules, bounds, &[property]);
    let report = search.run(&world, &Progress::default()).expect("no limit is given");
    report.properties[0].violation.is_some()
}

fn is_so(way: &str, property: &Property) -> bool {
    match way.split_once(' ') {
        Some(("exhibit", name)) => {
            let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name == name);
            let case = exhibit.unwrap_or_else(|| panic!("no exhibit is called {name}")).broken;
            let promised = if case.property.is_unconditional() { property.unconditional() } else { *property };
            breaks(case.rules, case.bounds, promised)
        }
        Some(("rules", rules)) => {
            let mut words = rules.split(' ');
            let base = Rules::baseline(words.next().unwrap_or_default()).expect("a baseline");
            let changes = words.map(|word| word.split_once('=').expect("a decision"));
            let rules = changes.fold(base, |rules, (field, way)| rules.with(field, way).expect("a decision"));
            let small = Bounds { min_isr: 2, records: 2, acks: 1, fences: 2, atomic_fetches: 1, ..Bounds::QUIET };
            breaks(rules, small, *property)
        }
        Some(("break", name)) => {
            let breaks = std::fs::read_to_string(Path::new(ROOT).join("breaks/spec.txt")).expect("they are there");
            breaks.lines().any(|line| line.strip_prefix("break ") == Some(name))
        }
        _ => panic!("`{way}` is neither an exhibit, nor rules, nor a break"),
    }
}

#[test]
fn every_property_fails_in_each_way_that_it_names() {
    let all = property::ALL.iter().chain(property::OF_THE_CONTROLLER).chain(property::OF_PRODUCERS);
    let all = all.chain([&property::LEADER_ACKNOWLEDGED_SURVIVES]);
    for property in all {
        for way in ways(property) {
            assert!(is_so(&way, property), "{} does not fail by {way}", property.name);
        }
    }
}
