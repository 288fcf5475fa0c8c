//! `client.consumer.truncation.*`

use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, Consumer, End, Failure, Input, Joined, Leader, Output, Place};
use highwater_spec::group::{Generation, NamedPartition};
use highwater_spec::log::EpochEnd;
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::rules::Rules;
use highwater_spec::values::{LeaderEpoch, Offset, TopicId};
use std::collections::BTreeSet;

const TOPIC: TopicId = TopicId([1; 16]);

fn p() -> NamedPartition {
    NamedPartition { topic: "t".into(), index: 0 }
}

fn place(offset: i64, epoch: i32) -> Place {
    Place { offset: Offset(offset), epoch: Some(LeaderEpoch(epoch)) }
}

fn step(consumer: &mut Consumer, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    consumer.step(&Rules::KAFKA, input, &mut out);
    out
}

/// One that owns the partition, and has heard nothing of leaders.
fn member(reset: Option<End>, committed: Option<Place>) -> (Consumer, Vec<Output>) {
    let topics = BTreeSet::from(["t".into()]);
    let config = Config { instance: None, topics, assignors: vec![Assignor::Range], reset, auto_commit: true };
    let mut consumer = Consumer::new(config);
    let joined = Joined { generation: Generation(3), assignor: Assignor::Range, leads: None };
    let inputs = [
        Input::Polled,
        Input::CoordinatorFound,
        Input::JoinAnswered { member: Some("m".into()), outcome: Ok(joined) },
        Input::SyncAnswered(Ok([p()].into())),
    ];
    inputs.into_iter().for_each(|input| drop(step(&mut consumer, input)));
    let out = step(&mut consumer, Input::OffsetsAnswered(Ok([(p(), committed)].into())));
    (consumer, out)
}

/// One that has read up to offset 5, last of epoch 1, and is about to ask the leader of epoch 2.
fn asking(reset: Option<End>) -> Consumer {
    let (mut consumer, _) = member(reset, Some(place(5, 1)));
    assert_eq!(step(&mut consumer, led(2)), [asks(place(5, 1), 2)]);
    consumer
}

fn led(epoch: i32) -> Input {
    let leader = Leader { topic: TOPIC, epoch: Some(LeaderEpoch(epoch)) };
    Input::LeadersSeen([(p(), leader)].into())
}

fn asks(at: Place, leader: i32) -> Output {
    Output::FindEpochEnd { partition: p(), at, leader: LeaderEpoch(leader) }
}

fn answer(at: Place, leader: i32, outcome: Result<Option<(i32, i64)>, Refusal>) -> Input {
    let end = |(epoch, end)| EpochEnd { epoch: LeaderEpoch(epoch), end: Offset(end) };
    let outcome = outcome.map(|found| found.map(end));
    Input::EpochEndAnswered { partition: p(), at, leader: LeaderEpoch(leader), outcome }
}

fn fetched(under: Option<i32>, from: i64, upto: Place) -> Input {
    let (from, under) = (Offset(from), under.map(LeaderEpoch));
    Input::Fetched { partition: p(), from, under, upto: upto.offset, epoch: upto.epoch }
}

fn refused(under: i32, refusal: Refusal) -> Input {
    Input::FetchRefused { partition: p(), from: Offset(5), under: Some(LeaderEpoch(under)), refusal }
}

fn position(consumer: &Consumer) -> Option<i64> {
    consumer.positions().next().map(|(_, offset)| offset.0)
}

fn committed(out: &[Output]) -> Option<Place> {
    out.iter().find_map(|output| match output {
        Output::Commit { offsets, .. } => offsets.get(&p()).copied(),
        _ => None,
    })
}

// Verifies: client.consumer.truncation.check
#[test]
fn what_was_committed_is_compared_with_the_log_before_it_is_read() {
    let (mut consumer, out) = member(Some(End::Earliest), Some(place(5, 1)));
    assert_eq!((&out[..], position(&consumer)), (&[Output::FindLeaders][..], None), "nobody knows who leads");
    assert_eq!(step(&mut consumer, led(2)), [asks(place(5, 1), 2)]);
    assert_eq!(position(&consumer), None);
    assert_eq!(step(&mut consumer, answer(place(5, 1), 2, Ok(Some((1, 5))))), []);
    assert_eq!(position(&consumer), Some(5), "the leader has all of it");
    let (consumer, out) = member(Some(End::Earliest), Some(Offset(5).into()));
    assert_eq!((&out[..], position(&consumer)), (&[][..], Some(5)), "of an unknown epoch");
}

// Verifies: client.consumer.truncation.check, client.consumer.truncation.leader
#[test]
fn under_a_newer_leader_what_was_read_is_compared_anew() {
    let mut consumer = asking(Some(End::Earliest));
    step(&mut consumer, answer(place(5, 1), 2, Ok(Some((1, 9)))));
    assert_eq!(step(&mut consumer, led(2)), [], "it is the same");
    assert_eq!(step(&mut consumer, led(1)), [], "older news");
    assert_eq!(consumer.leader_epoch(&p()), Some(LeaderEpoch(2)));
    step(&mut consumer, fetched(Some(2), 5, place(7, 2)));
    assert_eq!(step(&mut consumer, led(3)), [asks(place(7, 2), 3)]);
    assert_eq!(step(&mut consumer, led(3)), [asks(place(7, 2), 3)], "no answer has come");
    let anew = Leader { topic: TopicId([2; 16]), epoch: Some(LeaderEpoch(0)) };
    assert_eq!(step(&mut consumer, Input::LeadersSeen([(p(), anew)].into())), [asks(place(7, 2), 0)], "another topic");
    let old = Leader { epoch: None, ..anew };
    assert_eq!(step(&mut consumer, Input::LeadersSeen([(p(), old)].into())), []);
    assert_eq!(position(&consumer), Some(7), "nobody could be asked");
}

// Verifies: client.consumer.truncation.check
#[test]
fn records_of_an_unknown_leader_have_it_looked_up() {
    let (mut consumer, _) = member(Some(End::Earliest), Some(Offset(0).into()));
    assert_eq!(step(&mut consumer, fetched(None, 0, place(2, 1))).last(), Some(&Output::FindLeaders));
    assert_eq!((position(&consumer), step(&mut consumer, led(1))), (None, vec![asks(place(2, 1), 1)]));
}

// Verifies: client.consumer.truncation.resume
#[test]
fn where_the_log_was_cut_it_is_read_on_as_far_as_it_is_known() {
    let at = place(5, 1);
    let mut consumer = asking(Some(End::Latest));
    let told = Output::Truncated { partition: p(), at: Offset(5), diverges: Some(Offset(3)) };
    assert_eq!(step(&mut consumer, answer(at, 2, Ok(Some((1, 3))))), [told]);
    assert_eq!(position(&consumer), Some(3));
    assert_eq!(committed(&step(&mut consumer, Input::CommitAsked)), Some(place(3, 1)), "nothing beyond it");
    let mut consumer = asking(Some(End::Latest));
    let told = Output::Truncated { partition: p(), at: Offset(5), diverges: None };
    let find = Output::FindOffset { partition: p(), at: End::Latest };
    assert_eq!(step(&mut consumer, answer(at, 2, Ok(None))), [told, find]);
}

// Verifies: client.consumer.truncation.fail
#[test]
fn who_may_not_go_back_by_itself_fails() {
    for (found, diverges) in [(Some((1, 3)), Some(Offset(3))), (None, None)] {
        let out = step(&mut asking(None), answer(place(5, 1), 2, Ok(found)));
        let failure = Failure::Truncated { partition: p(), at: Offset(5), diverges };
        assert_eq!(out.last(), Some(&Output::Fail(failure)));
    }
    assert_eq!(step(&mut asking(None), answer(place(5, 1), 2, Ok(Some((1, 5))))), []);
}

// Verifies: client.consumer.truncation.check
#[test]
fn an_answer_counts_for_what_was_asked() {
    let mut consumer = asking(Some(End::Earliest));
    for stale in [answer(place(4, 1), 2, Ok(None)), answer(place(5, 0), 2, Ok(None)), answer(place(5, 1), 1, Ok(None))]
    {
        assert_eq!((step(&mut consumer, stale), position(&consumer)), (vec![], None));
    }
    assert_eq!(step(&mut consumer, answer(place(5, 1), 2, Err(Refusal::FencedLeaderEpoch))), [Output::FindLeaders]);
    assert_eq!(step(&mut consumer, led(3)), [asks(place(5, 1), 3)]);
    assert_eq!(step(&mut consumer, answer(place(5, 1), 3, Err(Refusal::UnsupportedVersion))), []);
    assert_eq!(position(&consumer), Some(5), "as ever it was with brokers that old");
    assert_eq!(step(&mut consumer, answer(place(5, 1), 3, Ok(None))), [], "twice");
}

// Verifies: client.consumer.truncation.fence
#[test]
fn who_names_the_wrong_epoch_looks_for_the_leaders() {
    let mut consumer = asking(Some(End::Earliest));
    assert_eq!(step(&mut consumer, refused(2, Refusal::OffsetOutOfRange)), [], "it is about to ask");
    step(&mut consumer, answer(place(5, 1), 2, Ok(Some((1, 5)))));
    assert_eq!(step(&mut consumer, refused(1, Refusal::FencedLeaderEpoch)), [], "it knows by now");
    assert_eq!(step(&mut consumer, refused(2, Refusal::UnknownLeaderEpoch)), [], "the broker will hear of it");
    assert_eq!(step(&mut consumer, refused(2, Refusal::FencedLeaderEpoch)), [Output::FindLeaders]);
    assert_eq!(step(&mut consumer, refused(2, Refusal::NotLeaderOrFollower)), [], "it has asked");
    step(&mut consumer, led(2));
    assert_eq!(step(&mut consumer, refused(2, Refusal::NotLeaderOrFollower)), [Output::FindLeaders]);
}

// Verifies: client.consumer.truncation.fence
#[test]
fn that_it_read_out_of_range_counts_only_where_it_reads_now() {
    let mut consumer = asking(Some(End::Earliest));
    step(&mut consumer, answer(place(5, 1), 2, Ok(Some((1, 5)))));
    assert_eq!(step(&mut consumer, refused(1, Refusal::OffsetOutOfRange)), [], "of an earlier leader");
    let mut further = consumer.clone();
    step(&mut further, fetched(Some(2), 5, place(7, 2)));
    assert_eq!(step(&mut further, refused(2, Refusal::OffsetOutOfRange)), [], "it has read on");
    assert_eq!(position(&further), Some(7));
    let reset = Output::FindOffset { partition: p(), at: End::Earliest };
    assert_eq!(step(&mut consumer, refused(2, Refusal::OffsetOutOfRange)), [reset]);
    assert_eq!(step(&mut consumer, refused(2, Refusal::OffsetOutOfRange)), [], "twice");
}

// Verifies: client.consumer.truncation.stale
#[test]
fn what_was_asked_of_an_earlier_leader_does_not_count() {
    let mut consumer = asking(Some(End::Earliest));
    assert_eq!(step(&mut consumer, fetched(Some(2), 5, place(7, 2))), [], "it is not known whether that comes next");
    step(&mut consumer, answer(place(5, 1), 2, Ok(Some((1, 5)))));
    assert_eq!(step(&mut consumer, fetched(Some(1), 5, place(7, 1))), []);
    assert_eq!(step(&mut consumer, fetched(Some(2), 5, place(7, 2))).len(), 1);
}

// Verifies: client.consumer.commit, client.consumer.truncation.check
#[test]
fn what_is_committed_says_of_which_epoch_it_is() {
    let mut consumer = asking(Some(End::Earliest));
    step(&mut consumer, answer(place(5, 1), 2, Ok(Some((1, 5)))));
    step(&mut consumer, fetched(Some(2), 5, place(7, 2)));
    assert_eq!(committed(&step(&mut consumer, Input::CommitAsked)), Some(place(5, 1)));
    step(&mut consumer, Input::Polled);
    assert_eq!(committed(&step(&mut consumer, Input::CommitAsked)), Some(place(7, 2)));
}
