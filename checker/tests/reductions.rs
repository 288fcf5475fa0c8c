//! Leaving out what no rule can read, and names, changes no verdict: not where all is well, and not where a rule is
//! broken.

use highwater_checker::engine::{Progress, Report, Search, StopOn};
use highwater_checker::museum::EXHIBITS;
use highwater_checker::replication::{Bounds, World};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::{HwGate, HwQuorum, IsrAdmission, IsrBrokerEpoch, Rules};
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
