//! Consumer groups: what must hold of them does, in worlds small enough for every run.

use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::group::{Bounds, Event, World};
use highwater_checker::story;
use highwater_spec::rules::Rules;

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
