//! Compacted logs: what must hold of them does, in worlds small enough for every run.

use highwater_checker::cleaning::{Bounds, Event, World};
use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::story;
use highwater_spec::rules::Rules;

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
