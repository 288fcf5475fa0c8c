//! Groups of the consumer protocol: what must hold of them does, in worlds small enough for every run.

use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::group::members::{Bounds, Event, World};
use highwater_checker::story;
use highwater_spec::property::consumer_group::{HOLDERS_COMMIT, ONE_ASSIGNEE};
use highwater_spec::rules::{CommitEpoch, Release, Rules};

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

// Verifies: group.consumer.offset.commit
#[test]
fn only_who_holds_a_partition_commits_there() {
    holds(Bounds { records: 1, impatience: 1, ..TWO });
    holds(Bounds { records: 2, impatience: 1, expiries: 1, partitions: 1, ..TWO });
    holds(Bounds { records: 1, breaks: 1, partitions: 1, ..TWO });
    holds(Bounds { records: 1, members: 3, partitions: 1, ..TWO });
}

// Verifies: group.consumer.offset.commit, group.consumer.offset.fetch, log-backed.answer
#[test]
fn offsets_survive_their_coordinator() {
    holds(Bounds { records: 2, moves: 1, late_commits: 1, partitions: 1, ..TWO });
}

/// What is compared is the epoch. That makes it so, for an epoch ends when a partition is given up.
#[test]
fn where_earlier_epochs_count_another_ones_partition_is_committed() {
    let lax = Rules { commit_epoch: CommitEpoch::UpToItsOwn, ..Rules::KAFKA };
    let world = World::judged_by(lax, Bounds { records: 1, ..TWO }, &[HOLDERS_COMMIT]);
    assert_eq!(explored(&world, 1).violated().count(), 1);
}

/// The coordinator's own books show it too.
#[test]
fn a_partition_that_is_free_too_soon_has_two_owners() {
    let early = Rules { release: Release::WhenTold, ..Rules::KAFKA };
    let world = World::judged_by(early, TWO, &[ONE_ASSIGNEE]);
    assert_eq!(explored(&world, 1).violated().count(), 1);
}
