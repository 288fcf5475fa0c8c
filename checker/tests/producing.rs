//! What a producer writes: what must hold of it does, in worlds small enough for every run.

use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::producing::{Bounds, Event, World};
use highwater_checker::story;
use highwater_spec::property::producing::{ACKED_IS_THERE, REFUSED_IS_NOT, SENT_IN_ORDER, SENT_ONCE};
use highwater_spec::rules::Rules;

const SMALL: Bounds = Bounds { records: 3, ..Bounds::QUIET };

fn explored(world: &World, workers: usize) -> Report<Event> {
    let search = Search { workers, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    search.run(world, &Progress::default()).expect("no limit is given")
}

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

// Verifies: client.producer.retry, client.producer.retry.order, client.producer.number, producer.sequence.duplicate
#[test]
fn what_is_sent_again_is_written_once_and_in_order() {
    holds(Bounds { breaks: 2, delays: 1, failovers: 1, ..SMALL });
    holds(Bounds { breaks: 2, delays: 1, in_flight: 3, ..SMALL });
    holds(Bounds { records: 4, failovers: 2, ..SMALL });
}

// Verifies: client.producer.expire, client.producer.resolve, client.producer.bump, client.producer.outcome
#[test]
fn what_is_given_up_is_told_as_it_is() {
    holds(Bounds { breaks: 2, expiries: 2, failovers: 1, ..SMALL });
    holds(Bounds { breaks: 1, refusals: 2, retries: 2, in_flight: 1, ..SMALL });
}

// Verifies: client.producer.outcome
#[test]
fn without_numbers_what_is_told_is_true_all_the_same() {
    let unnumbered = Bounds { idempotent: 0, breaks: 1, delays: 1, expiries: 1, failovers: 1, ..SMALL };
    let promised = [ACKED_IS_THERE, REFUSED_IS_NOT];
    let report = explored(&World::judged_by(Rules::KAFKA, unnumbered, &promised), 2);
    assert_eq!(report.violated().count(), 0);
}

// Verifies: client.producer.in-flight
#[test]
fn one_at_a_time_stays_in_order_even_without_numbers() {
    let one = Bounds { idempotent: 0, in_flight: 1, breaks: 1, ..SMALL };
    let breaks = |property| explored(&World::judged_by(Rules::KAFKA, one, &[property]), 1).violated().count();
    assert_eq!((breaks(SENT_IN_ORDER), breaks(SENT_ONCE)), (0, 1));
}

#[test]
fn what_only_the_leader_has_is_lost_with_it() {
    let world = World::judged_by(Rules::KAFKA, Bounds { leader_acks: 1, failovers: 1, ..SMALL }, &[ACKED_IS_THERE]);
    assert_eq!(explored(&world, 1).violated().count(), 1);
}
