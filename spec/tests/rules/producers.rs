//! `replica.produce.sequence`, `replica.produce.duplicate`, `replica.producers.*`

use super::replica::{B2, Test, appends, assigned, fetch, fetched, leader, replica, replies, step};
use highwater_spec::log::{Batch, EpochEnd};
use highwater_spec::producer::{Producers, Sequence, Sequenced};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Acks, FetchAnswer, FetchRequest, Input, Output, Produce, ProduceOutcome, Replica};
use highwater_spec::values::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Ticket, Timestamp};

const PRODUCER: ProducerId = ProducerId(7);
const AT: Timestamp = Timestamp(99);
const GAP: ProduceOutcome = ProduceOutcome::Refused(Refusal::OutOfOrderSequenceNumber);

fn sequenced(epoch: i16, first: i32) -> Sequenced {
    Sequenced { producer: PRODUCER, epoch: ProducerEpoch(epoch), first: Sequence(first), timestamp: AT }
}

/// Two records of epoch 0 from `first` on.
fn request(ticket: u32, acks: Acks, first: i32) -> Produce<Test> {
    Produce { ticket: Ticket(ticket), acks, count: 2, producer: Some(sequenced(0, first)), bytes: 0 }
}

fn sent(ticket: u32, acks: Acks, first: i32) -> Input<Test> {
    Input::Produced(vec![request(ticket, acks, first)])
}

fn acked(base: i64) -> ProduceOutcome {
    ProduceOutcome::Acked { base: Offset(base) }
}

fn duplicate(base: i64) -> ProduceOutcome {
    ProduceOutcome::Duplicate { base: Offset(base), timestamp: AT }
}

// Verifies: replica.produce.sequence, replica.produce.duplicate
#[test]
fn a_retry_is_not_written_again_and_hears_where_the_first_one_lies() {
    let mut leader = leader();
    step(&mut leader, sent(0, Acks::Leader, 0));
    step(&mut leader, sent(1, Acks::Leader, 2));
    let out = step(&mut leader, sent(2, Acks::Leader, 0));
    assert_eq!((replies(&out), appends(&out)), (vec![(2, duplicate(0))], false));
    let out = step(&mut leader, sent(3, Acks::Leader, 6));
    assert_eq!((replies(&out), appends(&out)), (vec![(3, GAP)], false));
    assert_eq!(leader.log().end, Offset(4));
}

// Verifies: replica.producers.cut
#[test]
fn what_is_known_reaches_as_far_as_the_last_batch() {
    let mut producers = Producers::default();
    assert!(!producers.reach_past(Offset(0)));
    producers.appended(&sequenced(0, 0), Offset(3), 2);
    assert_eq!([4, 5, 6].map(|end| producers.reach_past(Offset(end))), [true, false, false]);
}

// Verifies: replica.produce.sequence
#[test]
fn neighbours_of_one_step_are_judged_one_after_the_other() {
    let mut leader = leader();
    let requests = [(0, 0), (1, 2), (2, 0), (3, 8)].map(|(ticket, first)| request(ticket, Acks::Leader, first));
    let out = step(&mut leader, Input::Produced(requests.to_vec()));
    assert_eq!(replies(&out), [(0, acked(0)), (1, acked(2)), (2, duplicate(0)), (3, GAP)]);
    assert_eq!(leader.log().end, Offset(4));
}

// Verifies: replica.produce.duplicate, replica.produce.commit
#[test]
fn with_acks_all_a_retry_waits_until_the_first_one_is_committed() {
    let mut leader = leader();
    for (ticket, first) in [(0, 0), (1, 2), (2, 0)] {
        assert_eq!(replies(&step(&mut leader, sent(ticket, Acks::All, first))), []);
    }
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 2))), [(0, acked(0)), (2, duplicate(0))], "and not the second");
    let out = step(&mut leader, sent(3, Acks::All, 0));
    assert_eq!(replies(&out), [(3, duplicate(0))], "what is committed already is answered at once");
    assert_eq!(replies(&fetched(&mut leader, fetch(B2, 4))), [(1, acked(2))]);
}

fn batch(base: i64, epoch: i32, first: i32) -> Batch<Test> {
    let (base, epoch, producer) = (Offset(base), LeaderEpoch(epoch), Some(sequenced(0, first)));
    Batch { base, count: 2, epoch, producer, bytes: 0 }
}

fn asked(out: &[Output<Test>]) -> FetchRequest {
    let found = out.iter().find_map(|output| if let Output::Fetch(request) = output { Some(*request) } else { None });
    found.unwrap()
}

/// b1, which follows b2 in e3 and has copied three batches of e2.
fn follower() -> (Replica<Test>, FetchRequest) {
    let mut follower = replica(0, &[], 0);
    let out = step(&mut follower, Input::Assigned(assigned(2, 3, 5)));
    let batches = vec![batch(0, 2, 0), batch(2, 2, 2), batch(4, 2, 4)];
    let answer = FetchAnswer::Records { batches, high_watermark: Offset(0), log_start: Offset(0) };
    let out = step(&mut follower, Input::FetchAnswered { asked: asked(&out), answer });
    (follower, asked(&out))
}

// Verifies: replica.producers.note
#[test]
fn whoever_has_copied_a_batch_knows_it_when_it_leads() {
    let (mut copy, _) = follower();
    step(&mut copy, Input::Assigned(assigned(1, 4, 6)));
    assert_eq!(replies(&step(&mut copy, sent(0, Acks::Leader, 2))), [(0, duplicate(2))]);
    assert_eq!(replies(&step(&mut copy, sent(1, Acks::Leader, 8))), [(1, GAP)]);
    assert_eq!(replies(&step(&mut copy, sent(2, Acks::Leader, 6))), [(2, acked(6))]);
}

// Verifies: replica.producers.cut
#[test]
fn what_was_cut_is_forgotten_and_the_log_is_asked_for_the_rest() {
    let (mut copy, asked) = follower();
    let answer = FetchAnswer::Diverging(EpochEnd { epoch: LeaderEpoch(2), end: Offset(2) });
    let out = step(&mut copy, Input::FetchAnswered { asked, answer });
    let question = Output::ReadProducers { upto: Offset(2) };
    let place = |wanted: &Output<Test>| out.iter().position(|output| output == wanted);
    assert!(place(&Output::Truncate { to: Offset(2) }) < place(&question), "{out:?}");
    assert!(copy.producers().is_empty(), "until it is answered");
    let mut left = Producers::default();
    left.appended(&sequenced(0, 0), Offset(0), 2);
    for (upto, known) in [(Offset(4), 0), (Offset(2), 1)] {
        step(&mut copy, Input::ProducersRead { upto, producers: left.clone() });
        assert_eq!(copy.producers().len(), known, "an answer about the log below {upto}");
    }
    step(&mut copy, Input::Assigned(assigned(1, 4, 6)));
    assert_eq!(replies(&step(&mut copy, sent(0, Acks::Leader, 2))), [(0, acked(2))], "it is no duplicate any more");
}

// Verifies: replica.producers.cut
#[test]
fn a_cut_that_takes_no_batch_of_a_producer_asks_nothing() {
    let (mut copy, request) = follower();
    let plain = Batch { producer: None, ..batch(6, 2, 0) };
    let answer = FetchAnswer::Records { batches: vec![plain], high_watermark: Offset(0), log_start: Offset(0) };
    let out = step(&mut copy, Input::FetchAnswered { asked: request, answer });
    let answer = FetchAnswer::Diverging(EpochEnd { epoch: LeaderEpoch(2), end: Offset(6) });
    let out = step(&mut copy, Input::FetchAnswered { asked: asked(&out), answer });
    assert!(out.contains(&Output::Truncate { to: Offset(6) }), "{out:?}");
    assert!(!out.iter().any(|output| matches!(output, Output::ReadProducers { .. })), "{out:?}");
    assert_eq!(copy.producers().len(), 1);
}

// Verifies: producer.state.expire
#[test]
fn who_has_been_silent_too_long_is_forgotten() {
    let (mut copy, _) = follower();
    step(&mut copy, Input::ProducersExpired(vec![ProducerId(8)]));
    assert_eq!(copy.producers().len(), 1);
    step(&mut copy, Input::ProducersExpired(vec![PRODUCER]));
    assert!(copy.producers().is_empty());
}
