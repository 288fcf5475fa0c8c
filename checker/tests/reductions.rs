//! Leaving out what no rule can read, and names, changes no verdict: not where all is well, and not where a rule is
//! broken.

use highwater_checker::engine::{Explorable, Progress, Report, Search, StopOn};
use highwater_checker::group::{self, members};
use highwater_checker::museum::EXHIBITS;
use highwater_checker::replication::{Bounds, World};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::{
    CommitEpoch, CommitFencing, CoordinatorEpoch, HwGate, HwQuorum, IsrAdmission, IsrBrokerEpoch, Release, Rules,
    StaticRejoin, StickyClaims,
};
use highwater_spec::scenario::Event;

fn explored(rules: Rules, bounds: Bounds, properties: &[Property], stop_on: StopOn) -> Report<Event> {
    let search = Search { workers: 2, time_limit: None, memory_limit: None, stop_on };
    search.run(&World::judged_by(rules, bounds, properties), &Progress::default()).expect("no limit is given")
}

/// The properties that are violated anywhere, each with the length of its shortest counterexample.
fn verdicts(rules: Rules, bounds: Bounds) -> (u64, Vec<(&'static str, Option<usize>)>) {
    let report = explored(rules, bounds, property::ALL, StopOn::Never);
    let verdicts = report.properties.iter().map(|judged| (judged.name, judged.violation.as_ref().map(Vec::len)));
    (report.distinct, verdicts.collect())
}

/// Today's rules, and rules that break one thing each.
fn ways() -> Vec<Rules> {
    vec![
        Rules::KAFKA,
        Rules::V0_10,
        Rules::V2_0,
        Rules::V3_9,
        Rules::V4_1,
        Rules { hw_gate: HwGate::Open, ..Rules::KAFKA },
        Rules { hw_quorum: HwQuorum::CommittedIsr, ..Rules::KAFKA },
        Rules { isr_admission: IsrAdmission::HighWatermark, ..Rules::KAFKA },
        Rules { isr_broker_epoch: IsrBrokerEpoch::Unchecked, ..Rules::KAFKA },
    ]
}

#[test]
fn dead_variables_change_no_verdict() {
    let bounds =
        Bounds { min_isr: 2, fences: 1, power_losses: 1, atomic_fetches: 1, atomic_proposals: 1, ..Bounds::QUIET };
    for rules in ways() {
        let (raw_states, raw) = verdicts(rules, Bounds { raw: 1, ..bounds });
        let (states, reduced) = verdicts(rules, bounds);
        assert_eq!(raw, reduced, "under {rules}");
        assert!(states < raw_states, "under {rules}: {states} of {raw_states} states");
    }
}

#[test]
fn names_change_no_verdict() {
    let bounds = Bounds { brokers: 3, fences: 1, atomic_fetches: 1, atomic_proposals: 1, ..Bounds::QUIET };
    for rules in ways() {
        let (all_states, all) = verdicts(rules, bounds);
        let (states, by_any_name) = verdicts(rules, Bounds { symmetric: 1, ..bounds });
        let violated = |verdicts: &[(&'static str, Option<usize>)]| -> Vec<&'static str> {
            verdicts.iter().filter(|(_, length)| length.is_some()).map(|(name, _)| *name).collect()
        };
        assert_eq!(violated(&all), violated(&by_any_name), "under {rules}");
        assert!(states < all_states, "under {rules}: {states} of {all_states} states");
    }
}

#[test]
fn raw_exhibits_break_in_as_many_steps() {
    for exhibit in EXHIBITS.iter().filter(|exhibit| exhibit.name != "kip-101-2") {
        let case = exhibit.broken;
        let length = |bounds: Bounds| {
            let report = explored(case.rules, bounds, &[case.property], StopOn::FirstViolation);
            report.properties[0].violation.as_ref().map(Vec::len)
        };
        assert_eq!(length(Bounds { raw: 1, ..case.bounds }), length(case.bounds), "{}", exhibit.name);
    }
}

/// The states of a world, and the properties that are violated first in it, with the length of the counterexample: by
/// some of these rules there is no end to what may follow.
fn judged<W: Explorable>(world: &W) -> (u64, Vec<(&'static str, Option<usize>)>) {
    let search = Search { workers: 2, time_limit: None, memory_limit: None, stop_on: StopOn::FirstViolation };
    let report = search.run(world, &Progress::default()).expect("no limit is given");
    let verdicts = report.properties.iter().map(|judged| (judged.name, judged.violation.as_ref().map(Vec::len)));
    (report.distinct, verdicts.collect())
}

/// Which process is which changes no verdict, and no counterexample's length.
fn numbers_change_nothing<W: Explorable>(told: &str, breaks: bool, world: impl Fn(u8) -> W) {
    let ((raw_states, raw), (states, symmetric)) = (judged(&world(1)), judged(&world(0)));
    assert_eq!(raw, symmetric, "{told}");
    assert!(states < raw_states, "{told}: {states} of {raw_states} states");
    assert_eq!(raw.iter().any(|(_, length)| length.is_some()), breaks, "{told}: {raw:?}");
}

#[test]
fn numbers_of_consumers_change_no_verdict() {
    use group::Bounds;
    let quiet = Bounds { partitions: 1, by_arrival: 1, ..Bounds::QUIET };
    let today = Rules::KAFKA;
    let unfenced = Rules { commit_fencing: CommitFencing::Unchecked, ..today };
    let ignored = Rules { coordinator_epoch: CoordinatorEpoch::Ignored, ..today };
    let claimed = Rules { sticky_claims: StickyClaims::OfLatestGeneration, ..today };
    let shared = Rules { static_rejoin: StaticRejoin::SharedWhileRebalancing, ..today };
    let ways = [
        (today, Bounds { moves: 1, late_commits: 1, ..quiet }, false),
        (today, Bounds { members: 3, records: 0, ..quiet }, false),
        (unfenced, Bounds { expiries: 1, ..quiet }, true),
        (ignored, Bounds { returns: 1, records: 0, ..quiet }, true),
        (claimed, Bounds { cooperative: 1, uncommitted: 1, breaks: 2, records: 0, ..quiet }, true),
        (shared, Bounds { same_instance: 1, records: 0, ..quiet }, true),
    ];
    for (rules, bounds, breaks) in ways {
        let told = format!("{bounds:?} under {rules}");
        numbers_change_nothing(&told, breaks, |raw| {
            group::World::judged_by(rules, Bounds { raw, ..bounds }, property::group::OF_A_GROUP)
        });
    }
}

#[test]
fn numbers_of_the_consumer_protocols_members_change_no_verdict() {
    use members::Bounds;
    let quiet = Bounds { by_arrival: 1, ..Bounds::QUIET };
    let today = Rules::KAFKA;
    let early = Rules { release: Release::WhenTold, ..today };
    let lax = Rules { commit_epoch: CommitEpoch::UpToItsOwn, ..today };
    let ways = [
        (today, Bounds { crashes: 1, ..quiet }, false),
        (today, Bounds { members: 3, partitions: 1, ..quiet }, false),
        (early, Bounds { leaves: 1, ..quiet }, true),
        (lax, Bounds { records: 1, ..quiet }, true),
    ];
    for (rules, bounds, breaks) in ways {
        let told = format!("{bounds:?} under {rules}");
        numbers_change_nothing(&told, breaks, |raw| members::World::new(rules, Bounds { raw, ..bounds }));
    }
}

#[test]
fn whoever_has_a_name_is_not_interchangeable() {
    assert!(group::Bounds { fixed: 1, ..group::Bounds::QUIET }.with("by-arrival", 1).is_err());
    assert!(members::Bounds { by_arrival: 1, ..members::Bounds::QUIET }.with("static", 1).is_err());
}
