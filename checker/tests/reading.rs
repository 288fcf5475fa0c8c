//! What a consumer reads of a log that is cut: what must hold of it does, in worlds small enough for every run.

use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::reading::{Bounds, Event, World};
use highwater_checker::story;
use highwater_spec::property::reading::{READ_OF_ONE_LOG, READ_OF_THE_LEADER};
use highwater_spec::rules::{FetchFencing, Rules};

const CUT: Bounds = Bounds::QUIET;

fn explored(world: &World) -> Report<Event> {
    let search = Search { workers: 2, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    search.run(world, &Progress::default()).expect("no limit is given")
}

fn holds(bounds: Bounds) {
    let world = World::new(Rules::KAFKA, bounds);
    let report = explored(&world);
    if let Some(property) = report.violated().next() {
        let events = property.violation.as_deref().unwrap_or_default();
        let told = story::tell(&world, events, None).expect("it can be told");
        panic!("{} does not hold:\n{told}", property.name);
    }
    assert!(report.distinct > 100, "{bounds:?}: {} states", report.distinct);
}

// Verifies: client.consumer.truncation.check, client.consumer.truncation.leader, client.consumer.truncation.resume,
// client.consumer.truncation.fence, client.consumer.truncation.stale
#[test]
fn nothing_is_passed_over_where_a_log_is_cut_while_it_is_read() {
    holds(CUT);
    holds(Bounds { restarts: 1, ..CUT });
    holds(Bounds { in_flight: 2, records: 2, ..CUT });
    holds(Bounds { elections: 2, records: 2, restarts: 1, ..CUT });
}

/// One election is noticed whatever the replica that leads has.
// Verifies: client.consumer.truncation.check
#[test]
fn one_election_hides_nothing() {
    holds(Bounds { returns: 1, restarts: 1, ..CUT });
}

/// What comes back with a second election hides what it cut: a consumer fetches on as if nothing had happened.
// Verifies: client.consumer.truncation.check
#[test]
fn what_comes_back_is_taken_for_what_was_read() {
    let bounds = Bounds { records: 2, elections: 2, returns: 1, ..CUT };
    let breaks = |property| explored(&World::judged_by(Rules::KAFKA, bounds, &[property])).violated().count();
    assert_eq!((breaks(READ_OF_THE_LEADER), breaks(READ_OF_ONE_LOG)), (1, 0), "it is not read on");
}

/// A consumer that is told no epochs notices a shorter log only.
// Verifies: client.consumer.truncation.check
#[test]
fn without_epochs_records_are_passed_over_silently() {
    let old = Rules { fetch_fencing: FetchFencing::Unfenced, ..Rules::KAFKA };
    let breaks = |records| explored(&World::judged_by(old, Bounds { records, ..CUT }, &[READ_OF_ONE_LOG]));
    assert_eq!(breaks(3).violated().count(), 1);
}
