//! `replica.produce.*`

use super::replica::{
    B2, B3, appends, assigned, fetch, fetched, leader, produce, replica, replies, set, step, step_by,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Acks, Assignment, Input, Output, Produce, ProduceOutcome};
use highwater_spec::rules::{HwGate, Rules};
use highwater_spec::values::{LeaderEpoch, Offset, Ticket};

const ACKED: ProduceOutcome = ProduceOutcome::Acked { base: Offset(0) };

// Verifies: replica.produce.offset
#[test]
fn batches_follow_on_each_other_and_bear_the_leader_s_epoch() {
    let mut leader = leader();
    let batch = |ticket, count| Produce { ticket: Ticket(ticket), acks: Acks::Leader, count, producer: None, bytes: 0 };
    let out = step(&mut leader, Input::Produced(vec![batch(0, 2), batch(1, 3)]));
    let placed = out.iter().find_map(|output| match output {
        Output::Append(batches) => Some(batches.iter().map(|batch| (batch.base.0, batch.epoch.0)).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(placed, Some(vec![(0, 3), (2, 3)]));
    assert_eq!(replies(&out), [(0, ACKED), (1, ProduceOutcome::Acked { base: Offset(2) })]);
    assert_eq!(leader.log().end, Offset(5));
}

// Verifies: replica.produce.leader
#[test]
fn only_a_leader_takes_records() {
    let unassigned = replica(0, &[], 0);
    let mut follower = unassigned.clone();
    step(&mut follower, Input::Assigned(assigned(2, 3, 5)));
    let mut offline = leader();
    step(&mut offline, Input::Failed { unanswered: vec![] });
    let cases = [
        (unassigned, Refusal::NotLeaderOrFollower),
        (follower, Refusal::NotLeaderOrFollower),
        (offline, Refusal::StorageError),
    ];
    for (mut replica, refusal) in cases {
        for acks in [Acks::None, Acks::Leader, Acks::All] {
            let out = step(&mut replica, produce(7, acks, 1));
            assert_eq!(replies(&out), [(7, ProduceOutcome::Refused(refusal))]);
            assert!(!appends(&out));
        }
    }
}

// Verifies: replica.produce.min-isr
#[test]
fn only_acks_all_asks_for_enough_replicas() {
    for (min_insync_replicas, acks, refused) in [(2, Acks::All, false), (3, Acks::All, true), (3, Acks::Leader, false)]
    {
        let mut leader = replica(0, &[], 0);
        step(
            &mut leader,
            Input::Assigned(highwater_spec::replica::Assignment { min_insync_replicas, ..assigned(1, 3, 5) }),
        );
        let out = step(&mut leader, produce(0, acks, 1));
        let told = replies(&out).contains(&(0, ProduceOutcome::Refused(Refusal::NotEnoughReplicas)));
        assert_eq!((told, appends(&out)), (refused, !refused), "{acks:?} at {min_insync_replicas}");
    }
}

// Verifies: replica.produce.commit
#[test]
fn acks_all_is_answered_when_the_high_watermark_has_passed_the_whole_batch() {
    let mut leader = leader();
    assert_eq!(replies(&step(&mut leader, produce(0, Acks::All, 2))), []);
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 1))), [], "one of its two records");
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 2))), [(0, ACKED)]);
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 2))), [], "once");
}

/// Today's gate keeps it from happening within one step of a machine.
// Verifies: replica.produce.commit
#[test]
fn too_few_replicas_after_the_append_are_told_of() {
    let rules = Rules { hw_gate: HwGate::Open, ..Rules::KAFKA };
    let mut leader = leader();
    step(&mut leader, produce(0, Acks::All, 1));
    step(&mut leader, Input::ClusterChanged { peers: vec![], min_insync_replicas: 3 });
    let out = step_by(&rules, &mut leader.clone(), Input::FollowerFetched(fetch(B2, 1)));
    assert_eq!(replies(&out), [(0, ProduceOutcome::Undersized { base: Offset(0) })]);
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 1))), []);
}

// Verifies: replica.produce.timeout
#[test]
fn what_timed_out_stays_and_is_not_answered_again() {
    let mut leader = leader();
    step(&mut leader, produce(0, Acks::All, 1));
    let out = step(&mut leader, Input::ProduceTimedOut(Ticket(0)));
    assert_eq!(replies(&out), [(0, ProduceOutcome::Unknown(Refusal::RequestTimedOut))]);
    assert_eq!(leader.log().end, Offset(1));
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 1))), []);
    assert_eq!(leader.high_watermark(), Offset(1), "it is committed all the same");
}

// Verifies: replica.produce.unknown, replica.follow.begin
#[test]
fn who_waits_when_a_leadership_ends_hears_that_the_outcome_is_unknown() {
    let mut waited_for = leader();
    step(&mut waited_for, produce(0, Acks::All, 1));
    let out = step(&mut waited_for.clone(), Input::Assigned(assigned(2, 4, 6)));
    assert_eq!(replies(&out), [(0, ProduceOutcome::Unknown(Refusal::NotLeaderOrFollower))]);
    let out = step(&mut waited_for.clone(), Input::Failed { unanswered: vec![Ticket(1)] });
    let unknown = ProduceOutcome::Unknown(Refusal::StorageError);
    assert_eq!(replies(&out), [(1, unknown), (0, unknown)]);
    let out = step(&mut waited_for, Input::Assigned(assigned(1, 4, 6)));
    assert_eq!((replies(&out), waited_for.leader_epoch()), (vec![], Some(LeaderEpoch(4))), "it leads on");
}

// Verifies: replica.read.own
#[test]
fn what_metadata_commits_can_be_read_before_its_producer_hears_of_it() {
    let mut leader = leader();
    step(&mut leader, produce(7, Acks::All, 1));
    step(&mut leader, produce(8, Acks::Leader, 1));
    fetched(&mut leader, fetch(B3, 1));
    let out = step(&mut leader, Input::Assigned(Assignment { isr: set([1, 3]), ..assigned(1, 3, 6) }));
    let [Output::SetTimer { .. }, Output::Publish(view), Output::Reply { ticket: Ticket(7), .. }] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(view.high_watermark, Offset(1));
}
