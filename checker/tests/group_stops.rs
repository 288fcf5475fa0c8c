//! How much of a group stops: what tells eager from cooperative, in groups small enough for every run.

use highwater_checker::stops::{Change, Protocol, Stop, all, measured};

const CHANGES: [Change; 3] = [Change::Joins, Change::Leaves, Change::Crashes];

fn stop(protocol: Protocol, members: u8, change: Change) -> Stop {
    measured(protocol, members, 12, change).expect("it comes to rest")
}

// Verifies: client.consumer.eager
#[test]
fn an_eager_group_stops_as_a_whole() {
    for change in CHANGES {
        let stop = stop(Protocol::Eager, 4, change);
        let still_there = if change == Change::Joins { 4 } else { 3 };
        assert_eq!((stop.members_stopped, stop.partitions_stopped), (still_there, 12), "{stop:?}");
        assert!(stop.all_stopped_steps > 0, "{stop:?}");
        assert_eq!(stop.generations, 1, "{stop:?}");
    }
}

// Verifies: client.consumer.cooperative, client.consumer.revoke
#[test]
fn of_a_cooperative_group_only_what_moves_stops() {
    for (change, moved, generations) in [(Change::Joins, 2, 2), (Change::Leaves, 3, 1), (Change::Crashes, 3, 1)] {
        let stop = stop(Protocol::Cooperative, 4, change);
        let what = (stop.members_stopped, stop.all_stopped_steps, stop.partitions_stopped, stop.generations);
        assert_eq!(what, (0, 0, moved, generations), "{stop:?}");
    }
}

// Verifies: group.consumer.reconcile.*, group.consumer.leave
#[test]
fn of_a_group_of_the_consumer_protocol_what_moves_stops_for_less_long() {
    for (change, moved) in [(Change::Joins, 2), (Change::Leaves, 3), (Change::Crashes, 3)] {
        let stop = stop(Protocol::Consumer, 4, change);
        let what = (stop.members_stopped, stop.all_stopped_steps, stop.partitions_stopped, stop.generations);
        assert_eq!(what, (0, 0, moved, 1), "{stop:?}");
        let cooperative = self::stop(Protocol::Cooperative, 4, change);
        assert!(stop.partition_steps < cooperative.partition_steps, "{stop:?} {cooperative:?}");
        assert!(stop.requests < cooperative.requests, "{stop:?} {cooperative:?}");
    }
}

/// A crash is noticed when the session ends, and what was its is nobody's until then.
#[test]
fn a_crash_costs_a_session_whatever_the_protocol() {
    for protocol in [Protocol::Eager, Protocol::Cooperative, Protocol::Consumer] {
        let (leaves, crashes) = (stop(protocol, 4, Change::Leaves), stop(protocol, 4, Change::Crashes));
        assert!(crashes.steps > leaves.steps + 100, "{leaves:?} {crashes:?}");
        assert!(crashes.partition_steps > leaves.partition_steps + 300, "{leaves:?} {crashes:?}");
    }
}

#[test]
fn the_only_member_leaves_no_group_behind() {
    let error = measured(Protocol::Eager, 1, 6, Change::Leaves).expect_err("nobody is left");
    assert!(error.contains("a group of 1 members does not come to rest"), "{error}");
}

#[test]
fn each_size_is_measured_alike_every_time() {
    let measured = || all(&[2, 5], 6).expect("they come to rest");
    let stops = measured();
    assert_eq!(stops.len(), 18);
    assert_eq!(stops, measured());
    let joins = stops.iter().find(|stop| stop.name == "eager-joins-5").expect("it is there");
    assert_eq!((joins.members, joins.protocol, joins.change), (5, "eager", "joins"));
}
