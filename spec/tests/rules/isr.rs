//! `replica.isr.*`

use super::replica::{B2, B3, ME, Test, assigned, fetch, fetched, lag, leader, produce, proposed, replica, set, step};
use highwater_spec::replica::{
    Acks, Assignment, FollowerFetch, Input, Isr, IsrProposal, IsrState, Output, Peer, Replica, Timer,
};
use highwater_spec::values::{BrokerEpoch, Brokers, LeaderEpoch, Offset, PartitionEpoch};

fn isr(replica: &Replica<Test>) -> &Isr {
    &replica.leader().unwrap().isr
}

fn proposal(out: &[Output<Test>]) -> Option<IsrProposal> {
    out.iter().find_map(|output| if let Output::ProposeIsr(proposal) = output { Some(proposal.clone()) } else { None })
}

// Verifies: replica.isr.admit
#[test]
fn whoever_joins_has_all_that_may_have_been_committed() {
    let mut leader = replica(5, &[(0, 0)], 2);
    step(&mut leader, Input::Assigned(assigned(1, 3, 5)));
    assert_eq!(proposed(&fetched(&mut leader, fetch(B3, 4))), None, "past the high watermark, but an earlier leader …");
    let found = proposal(&fetched(&mut leader, fetch(B3, 5))).unwrap();
    assert_eq!(found.members, [(ME, None), (B2, None), (B3, Some(BrokerEpoch(30)))], "the process that fetched");
    assert_eq!((found.leader_epoch, found.partition_epoch), (LeaderEpoch(3), PartitionEpoch(5)));
}

// Verifies: replica.isr.eligible
#[test]
fn only_an_active_process_that_fetched_joins() {
    let heard_of = |epoch, active| vec![Peer { broker: B3, epoch: BrokerEpoch(epoch), active }];
    for (peers, joins) in
        [(vec![], false), (heard_of(30, false), false), (heard_of(29, true), false), (heard_of(30, true), true)]
    {
        let mut replica = leader();
        step(&mut replica, Input::ClusterChanged { peers: peers.clone(), min_insync_replicas: 1 });
        assert_eq!(proposed(&fetched(&mut replica, fetch(B3, 0))).is_some(), joins, "{peers:?}");
    }
    let mut replica = leader();
    let of_an_old_version = FollowerFetch { broker_epoch: None, ..fetch(B3, 0) };
    assert!(proposed(&fetched(&mut replica, of_an_old_version)).is_some(), "which could not say");
}

// Verifies: replica.isr.one, replica.isr.maximal
#[test]
fn one_change_at_a_time_and_until_it_is_settled_everyone_counts() {
    let mut replica = leader();
    fetched(&mut replica, fetch(B3, 0));
    assert_eq!((isr(&replica).committed(), isr(&replica).maximal()), (&set([1, 2]), set([1, 2, 3])));
    step(&mut replica, produce(0, Acks::Leader, 1));
    assert_eq!(proposed(&step(&mut replica, lag(B2))), None, "b3 is still under way");
    let mut replica = leader();
    step(&mut replica, produce(0, Acks::Leader, 1));
    assert_eq!(proposed(&step(&mut replica, lag(B2))), Some(set([1])));
    assert_eq!((isr(&replica).committed(), isr(&replica).maximal()), (&set([1, 2]), set([1, 2])));
    assert_eq!(proposed(&fetched(&mut replica, fetch(B3, 1))), None, "b2 is still under way");
}

fn all_in_sync() -> Replica<Test> {
    let mut replica = replica(0, &[], 0);
    step(&mut replica, Input::Assigned(Assignment { isr: set([1, 2, 3]), ..assigned(1, 3, 5) }));
    replica
}

// Verifies: replica.isr.lag
#[test]
fn who_is_behind_for_too_long_leaves_together_with_others() {
    let mut replica = all_in_sync();
    fetched(&mut replica, fetch(B2, 0));
    assert_eq!(proposed(&step(&mut replica, lag(B2))), None, "it has all that there is");
    step(&mut replica, produce(0, Acks::Leader, 1));
    assert_eq!(proposed(&step(&mut replica.clone(), lag(B3))), Some(set([1])), "b2 is late and behind by now, too");
    fetched(&mut replica, fetch(B2, 1));
    assert_eq!(proposed(&step(&mut replica, lag(B3))), Some(set([1, 2])));
}

// Verifies: replica.isr.lag
#[test]
fn caught_up_is_who_reaches_the_end_of_now_or_of_the_last_time() {
    let mut replica = all_in_sync();
    let mut set_from = |offset, at| {
        let out = fetched(&mut replica, FollowerFetch { at, ..fetch(B2, offset) });
        step(&mut replica, produce(0, Acks::Leader, 2));
        let timer = |output: &Output<Test>| match output {
            Output::SetTimer { timer: Timer::Lag(broker), from } if *broker == B2 => Some(from.unwrap()),
            _ => None,
        };
        out.iter().find_map(timer)
    };
    assert_eq!(set_from(0, 10), Some(10), "the end");
    assert_eq!(set_from(0, 20), Some(10), "where the log ended at 10");
    assert_eq!(set_from(1, 30), None, "it ended at 2 by then");
    assert_eq!(set_from(4, 40), Some(30), "where it ended at 30");
}

// Verifies: replica.isr.answer
#[test]
fn only_the_answer_to_the_proposal_under_way_counts() {
    let mut replica = leader();
    let asked = proposal(&fetched(&mut replica, fetch(B3, 0))).unwrap();
    let state = IsrState { leader_epoch: LeaderEpoch(3), partition_epoch: PartitionEpoch(6), isr: set([1, 2, 3]) };
    let other = IsrProposal { partition_epoch: PartitionEpoch(4), ..asked.clone() };
    step(&mut replica, Input::IsrAnswered { proposal: other, outcome: Ok(state.clone()) });
    assert!(isr(&replica).is_pending());
    step(&mut replica, Input::IsrAnswered { proposal: asked, outcome: Ok(state) });
    assert_eq!((isr(&replica), replica.partition_epoch()), (&Isr::Committed(set([1, 2, 3])), Some(PartitionEpoch(6))));
}

// Verifies: replica.isr.override
#[test]
fn new_metadata_settles_what_is_pending() {
    let mut replica = leader();
    fetched(&mut replica, fetch(B3, 0));
    step(&mut replica, Input::ClusterChanged { peers: vec![], min_insync_replicas: 1 });
    assert!(isr(&replica).is_pending(), "nothing was said of the partition");
    step(&mut replica, Input::Assigned(Assignment { isr: set([1]), ..assigned(1, 3, 6) }));
    assert_eq!(isr(&replica), &Isr::Committed(set([1])));
}

// Verifies: replica.hw.advance, replica.hw.gate
#[test]
fn the_high_watermark_waits_for_whoever_may_lead() {
    let high_watermark = |isr: Brokers, min_insync_replicas, fetches: &[(_, i64)]| {
        let mut replica = replica(0, &[], 0);
        step(&mut replica, Input::Assigned(Assignment { isr, min_insync_replicas, ..assigned(1, 3, 5) }));
        step(&mut replica, produce(0, Acks::Leader, 5));
        fetches.iter().for_each(|(follower, offset)| drop(fetched(&mut replica, fetch(*follower, *offset))));
        replica.high_watermark()
    };
    assert_eq!(high_watermark(set([1, 2, 3]), 1, &[(B2, 3)]), Offset(0), "b3 may have anything");
    assert_eq!(high_watermark(set([1, 2, 3]), 1, &[(B2, 3), (B3, 4)]), Offset(3));
    assert_eq!(high_watermark(set([1, 2]), 1, &[(B2, 3), (B3, 2)]), Offset(3), "b3 is neither in nor caught up");
    assert_eq!(high_watermark(set([1, 2]), 1, &[(B3, 5), (B2, 3)]), Offset(3), "b3 is proposed");
    assert_eq!(high_watermark(set([1, 2]), 3, &[(B2, 3)]), Offset(0), "too few are in sync");
}
