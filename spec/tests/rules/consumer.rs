//! `client.consumer.*`

use highwater_spec::assignor::{Assignor, Remembered, Subscriber};
use highwater_spec::client::consumer::{Config, Consumer, End, Failure, Input, Joined, Leads, Output, Timer};
use highwater_spec::group::{Generation, MemberId, NamedPartition};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::rules::Rules;
use highwater_spec::values::Offset;
use std::collections::{BTreeMap, BTreeSet};

fn p(index: i32) -> NamedPartition {
    NamedPartition { topic: "t".into(), index }
}

fn set<const N: usize>(indexes: [i32; N]) -> BTreeSet<NamedPartition> {
    indexes.map(p).into()
}

fn id() -> MemberId {
    "m".into()
}

fn config() -> Config {
    Config {
        instance: None,
        topics: BTreeSet::from(["t".into()]),
        assignors: vec![Assignor::Range],
        reset: Some(End::Earliest),
        auto_commit: true,
    }
}

fn cooperative() -> Config {
    Config { assignors: vec![Assignor::CooperativeSticky], ..config() }
}

fn step(consumer: &mut Consumer, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    consumer.step(&Rules::KAFKA, input, &mut out);
    out
}

fn steps<const N: usize>(consumer: &mut Consumer, inputs: [Input; N]) -> Vec<Output> {
    inputs.into_iter().flat_map(|input| step(consumer, input)).collect()
}

fn joined(generation: i32, leads: bool) -> Input {
    joined_by(Assignor::Range, generation, leads)
}

fn joined_by(assignor: Assignor, generation: i32, leads: bool) -> Input {
    let subscriber = Subscriber { topics: BTreeSet::from(["t".into()]), ..Subscriber::default() };
    let leads = leads.then(|| Leads { skips: false, members: [(id(), subscriber)].into() });
    let joined = Joined { generation: Generation(generation), assignor, leads };
    Input::JoinAnswered { member: Some(id()), outcome: Ok(joined) }
}

fn refused(refusal: Refusal) -> Input {
    Input::JoinAnswered { member: None, outcome: Err(refusal) }
}

fn committed<const N: usize>(offsets: [(i32, i64); N]) -> Input {
    Input::OffsetsAnswered(Ok(offsets.map(|(index, offset)| (p(index), Some(Offset(offset).into()))).into()))
}

fn fetched(index: i32, from: i64, upto: i64) -> Input {
    Input::Fetched { partition: p(index), from: Offset(from), under: None, upto: Offset(upto), epoch: None }
}

fn answered(generation: i32, outcome: Result<(), Refusal>) -> Input {
    Input::CommitAnswered { generation: Some(Generation(generation)), outcome }
}

/// A consumer that has sent its first JoinGroup.
fn joining(config: Config) -> Consumer {
    let mut consumer = Consumer::new(config);
    steps(&mut consumer, [Input::Polled, Input::CoordinatorFound]);
    consumer
}

/// One of generation 3 that reads partitions 0 and 1 from offset 5 on.
fn member(config: Config) -> Consumer {
    let mut consumer = joining(config);
    steps(&mut consumer, [joined(3, false), Input::SyncAnswered(Ok(set([0, 1]))), committed([(0, 5), (1, 5)])]);
    consumer
}

fn positions(consumer: &Consumer) -> Vec<(i32, i64)> {
    consumer.positions().map(|(partition, offset)| (partition.index, offset.0)).collect()
}

fn joins(out: &[Output]) -> Option<(Option<MemberId>, usize)> {
    out.iter().find_map(|output| match output {
        Output::Join { member, owned, .. } => Some((member.clone(), owned.len())),
        _ => None,
    })
}

fn commits(out: &[Output]) -> Option<Vec<(i32, i64)>> {
    out.iter().find_map(|output| match output {
        Output::Commit { offsets, .. } => {
            Some(offsets.iter().map(|(partition, place)| (partition.index, place.offset.0)).collect())
        }
        _ => None,
    })
}

/// Whatever it asks from then on it asks in the generation that it has joined last.
// Verifies: client.consumer.rejoin, client.consumer.heartbeat
#[test]
fn who_joins_anew_lives_in_the_new_generation() {
    let mut consumer = member(config());
    let rebalances = Input::HeartbeatAnswered(Err(Refusal::RebalanceInProgress));
    steps(&mut consumer, [rebalances, answered(3, Ok(()))]);
    let synced = step(&mut consumer, joined(4, false));
    assert!(synced.iter().any(|output| matches!(output, Output::Sync { generation: Generation(4), .. })), "{synced:?}");
    step(&mut consumer, Input::SyncAnswered(Ok(set([0, 1]))));
    let beats = step(&mut consumer, Input::TimerFired(Timer::Heartbeat));
    assert!(
        beats.iter().any(|output| matches!(output, Output::Heartbeat { generation: Generation(4), .. })),
        "{beats:?}"
    );
    assert_eq!(consumer.generation(), Some(Generation(4)));
}

// Verifies: client.consumer.member-id
#[test]
fn with_the_id_that_it_is_given_a_consumer_asks_again_at_once() {
    let mut consumer = joining(config());
    let with_id = Input::JoinAnswered { member: Some(id()), outcome: Err(Refusal::MemberIdRequired) };
    assert_eq!(joins(&step(&mut consumer, with_id)), Some((Some(id()), 0)));
}

/// What it says that it remembers, if it joins.
fn remembers(out: &[Output]) -> Option<Option<Remembered>> {
    out.iter().find_map(|output| match output {
        Output::Join { remembered, .. } => Some(remembered.clone()),
        _ => None,
    })
}

// Verifies: client.consumer.remember
#[test]
fn what_sticky_has_given_is_remembered() {
    let sticky = Config { assignors: vec![Assignor::Sticky, Assignor::Range], auto_commit: false, ..config() };
    let mut consumer = joining(sticky.clone());
    let rebalances = || Input::HeartbeatAnswered(Err(Refusal::RebalanceInProgress));
    steps(&mut consumer, [joined_by(Assignor::Range, 3, false), Input::SyncAnswered(Ok(set([0, 1])))]);
    let out = step(&mut consumer, rebalances());
    assert_eq!(remembers(&out), Some(None), "range does not ask");

    steps(&mut consumer, [joined_by(Assignor::Sticky, 4, false), Input::SyncAnswered(Ok(set([1, 2])))]);
    let given = Remembered { partitions: set([1, 2]), generation: Some(Generation(4)) };
    let out = step(&mut consumer, rebalances());
    assert_eq!(
        (remembers(&out), joins(&out)),
        (Some(Some(given.clone())), Some((Some(id()), 0))),
        "it has given it up"
    );
    let out = step(&mut consumer, refused(Refusal::UnknownMemberId));
    assert_eq!(remembers(&out), Some(Some(given.clone())), "nobody has had it since");
    steps(&mut consumer, [joined_by(Assignor::Range, 6, false), Input::SyncAnswered(Ok(set([3])))]);
    assert_eq!(remembers(&step(&mut consumer, rebalances())), Some(Some(given)), "range has not changed that");
}

// Verifies: client.consumer.unknown
#[test]
fn who_is_not_known_any_more_begins_anew() {
    let mut consumer = joining(config());
    step(&mut consumer, Input::JoinAnswered { member: Some(id()), outcome: Err(Refusal::MemberIdRequired) });
    assert_eq!(joins(&step(&mut consumer, refused(Refusal::UnknownMemberId))), Some((None, 0)));
    let out = step(&mut consumer, refused(Refusal::InconsistentGroupProtocol));
    assert_eq!(out.last(), Some(&Output::Fail(Failure::Refused(Refusal::InconsistentGroupProtocol))));
    assert!(consumer.has_ended());
}

// Verifies: client.consumer.lead
#[test]
fn the_leader_shares_out_and_the_others_wait() {
    let topics = Input::TopicsSeen([("t".into(), 2)].into());
    for (leads, shares) in [(true, BTreeMap::from([(id(), set([0, 1]))])), (false, BTreeMap::new())] {
        let mut consumer = joining(config());
        step(&mut consumer, topics.clone());
        let sync = Output::Sync { member: id(), generation: Generation(3), assignments: shares };
        let timers = [Timer::Heartbeat, Timer::Poll].map(Output::SetTimer);
        assert_eq!(step(&mut consumer, joined(3, leads)), [&timers[..], &[sync]].concat());
    }
}

// Verifies: client.consumer.topics
#[test]
fn a_leader_that_sees_another_partition_joins_anew() {
    for (leads, count, again) in [(true, 3, true), (true, 2, false), (false, 3, false)] {
        let mut consumer = joining(config());
        step(&mut consumer, Input::TopicsSeen([("t".into(), 2)].into()));
        steps(&mut consumer, [joined(3, leads), Input::SyncAnswered(Ok(set([])))]);
        let out = step(&mut consumer, Input::TopicsSeen([("t".into(), count)].into()));
        assert_eq!(joins(&out).is_some(), again, "{leads} {count}");
    }
}

// Verifies: client.consumer.begin, client.consumer.reset
#[test]
fn a_partition_is_read_from_where_it_was_committed_or_as_told() {
    let mut consumer = joining(config());
    let out = steps(&mut consumer, [joined(3, false), Input::SyncAnswered(Ok(set([0, 1])))]);
    assert!(out.contains(&Output::FetchOffsets(set([0, 1]))));
    let offsets = Input::OffsetsAnswered(Ok([(p(0), Some(Offset(7).into())), (p(1), None)].into()));
    assert_eq!(step(&mut consumer, offsets.clone()), [Output::FindOffset { partition: p(1), at: End::Earliest }]);
    assert_eq!(positions(&consumer), [(0, 7)]);
    step(&mut consumer, Input::OffsetFound { partition: p(1), offset: Offset(2) });
    assert_eq!(positions(&consumer), [(0, 7), (1, 2)]);
    let (partition, from, refusal) = (p(0), Offset(7), Refusal::OffsetOutOfRange);
    let out = step(&mut consumer, Input::FetchRefused { partition, from, under: None, refusal });
    assert_eq!(out, [Output::FindOffset { partition: p(0), at: End::Earliest }]);
    let mut strict = joining(Config { reset: None, ..config() });
    let out = steps(&mut strict, [joined(3, false), Input::SyncAnswered(Ok(set([0, 1]))), offsets]);
    assert_eq!(out.last(), Some(&Output::Fail(Failure::NoOffset(p(1)))));
    assert!(out.contains(&Output::Leave { member: id() }));
}

// Verifies: client.consumer.deliver
#[test]
fn only_the_records_that_come_next_are_delivered() {
    let mut consumer = member(config());
    for (stale, from) in [(0, 4), (0, 6), (2, 5)] {
        assert_eq!(step(&mut consumer, fetched(stale, from, from + 2)), [], "{stale} {from}");
    }
    let delivered = Output::Deliver { partition: p(0), from: Offset(5), upto: Offset(7) };
    assert_eq!(step(&mut consumer, fetched(0, 5, 7)), [delivered]);
    assert_eq!(positions(&consumer), [(0, 7), (1, 5)]);
    step(&mut consumer, Input::Polled);
    step(&mut consumer, Input::HeartbeatAnswered(Err(Refusal::RebalanceInProgress)));
    assert_eq!(step(&mut consumer, fetched(0, 7, 9)), [], "what it commits and gives up ends at 7");
}

// Verifies: client.consumer.poll, client.consumer.commit
#[test]
fn what_was_delivered_counts_as_processed_at_the_next_poll() {
    let mut consumer = member(config());
    steps(&mut consumer, [fetched(0, 5, 7), Input::TimerFired(Timer::Commit)]);
    assert_eq!(commits(&step(&mut consumer, Input::CommitAsked)), Some(vec![(0, 5), (1, 5)]));
    assert_eq!(commits(&step(&mut consumer, Input::Polled)), Some(vec![(0, 7), (1, 5)]));
    assert_eq!(commits(&step(&mut consumer, Input::Polled)), None, "not before its time has passed again");
}

// Verifies: client.consumer.rejoin, client.consumer.eager
#[test]
fn before_it_joins_anew_a_consumer_commits_and_then_gives_up_what_it_owns() {
    let mut consumer = member(config());
    step(&mut consumer, fetched(0, 5, 7));
    let rebalance = Input::HeartbeatAnswered(Err(Refusal::RebalanceInProgress));
    assert_eq!(step(&mut consumer, rebalance), [], "its application processes what it has");
    let out = step(&mut consumer, Input::Polled);
    assert_eq!((commits(&out), joins(&out)), (Some(vec![(0, 7), (1, 5)]), None));
    let out = step(&mut consumer, answered(3, Ok(())));
    assert_eq!(out.first(), Some(&Output::Revoked(set([0, 1]))));
    assert_eq!((joins(&out), positions(&consumer)), (Some((Some(id()), 0)), vec![]));
}

// Verifies: client.consumer.rejoin
#[test]
fn a_join_that_is_repeated_is_prepared_once() {
    let rebalance = || Input::HeartbeatAnswered(Err(Refusal::RebalanceInProgress));
    let failures: [fn() -> Input; 2] = [|| refused(Refusal::CoordinatorLoadInProgress), || Input::CoordinatorLost];
    for failure in failures {
        let mut consumer = member(cooperative());
        assert!(commits(&step(&mut consumer, rebalance())).is_some());
        step(&mut consumer, answered(3, Ok(())));
        let again = [failure(), Input::TimerFired(Timer::Retry), Input::CoordinatorFound];
        let out = steps(&mut consumer, again);
        assert_eq!((commits(&out), joins(&out)), (None, Some((Some(id()), 2))), "{out:?}");
        steps(&mut consumer, [joined(4, false), Input::SyncAnswered(Ok(set([0, 1])))]);
        assert!(commits(&step(&mut consumer, rebalance())).is_some(), "it is another rebalance");
        let out =
            steps(&mut consumer, [Input::CoordinatorLost, Input::TimerFired(Timer::Retry), Input::CoordinatorFound]);
        assert!(commits(&out).is_some(), "it is not known whether that was committed");
    }
}

// Verifies: client.consumer.cooperative, client.consumer.revoke
#[test]
fn a_cooperative_consumer_keeps_what_it_owns_until_it_is_told_otherwise() {
    let mut consumer = member(cooperative());
    step(&mut consumer, Input::HeartbeatAnswered(Err(Refusal::RebalanceInProgress)));
    let out = step(&mut consumer, answered(3, Ok(())));
    assert_eq!((joins(&out), positions(&consumer).len()), (Some((Some(id()), 2)), 2));
    assert_eq!(step(&mut consumer, fetched(0, 5, 6)).len(), 1, "and reads on");
    let out = steps(&mut consumer, [Input::Polled, joined(4, false), Input::SyncAnswered(Ok(set([0])))]);
    assert!(out.contains(&Output::Revoked(set([1]))) && out.contains(&Output::Assigned(set([]))), "{out:?}");
    assert_eq!(positions(&consumer), [(0, 6)]);
    let out = step(&mut consumer, answered(4, Ok(())));
    assert_eq!(joins(&out), Some((Some(id()), 1)), "so that someone else can have it");
    let mixed = Config { assignors: vec![Assignor::CooperativeSticky, Assignor::Range], ..config() };
    assert!(!mixed.is_cooperative() && cooperative().is_cooperative());
}

// Verifies: client.consumer.heartbeat
#[test]
fn a_member_tells_that_it_is_alive() {
    let beat = Output::Heartbeat { member: id(), generation: Generation(3) };
    let mut consumer = member(config());
    let out = step(&mut consumer, Input::TimerFired(Timer::Heartbeat));
    assert_eq!(out, [Output::SetTimer(Timer::Heartbeat), beat]);
    assert_eq!(step(&mut joining(config()), Input::TimerFired(Timer::Heartbeat)), [], "it is no member yet");
}

// Verifies: client.consumer.lost
#[test]
fn who_is_no_member_any_more_has_lost_all_and_commits_nothing() {
    for (refusal, known) in [(Refusal::UnknownMemberId, None), (Refusal::IllegalGeneration, Some(id()))] {
        let mut consumer = member(config());
        let out = step(&mut consumer, Input::HeartbeatAnswered(Err(refusal)));
        assert_eq!(out.first(), Some(&Output::Lost(set([0, 1]))));
        assert_eq!((joins(&out), commits(&out)), (Some((known, 0)), None));
    }
    let mut consumer = member(config());
    let out = step(&mut consumer, Input::HeartbeatAnswered(Err(Refusal::FencedInstanceId)));
    assert_eq!(out.last(), Some(&Output::Fail(Failure::Refused(Refusal::FencedInstanceId))), "another life has begun");
}

// Verifies: client.consumer.commit.refused
#[test]
fn a_commit_that_is_refused_is_told_and_counts_for_its_generation_only() {
    let mut consumer = member(config());
    let out = step(&mut consumer, answered(2, Err(Refusal::IllegalGeneration)));
    assert_eq!(out, [Output::CommitFailed(Refusal::IllegalGeneration)], "it lives in generation 3");
    let out = step(&mut consumer, answered(3, Err(Refusal::IllegalGeneration)));
    assert_eq!(out[..2], [Output::CommitFailed(Refusal::IllegalGeneration), Output::Lost(set([0, 1]))]);
    let out = step(&mut joining(config()), Input::CommitAsked);
    assert_eq!(out, [Output::CommitFailed(Refusal::RebalanceInProgress)]);
}

// Verifies: client.consumer.coordinator
#[test]
fn whose_coordinator_is_gone_stays_a_member() {
    let mut consumer = member(config());
    let out = step(&mut consumer, Input::HeartbeatAnswered(Err(Refusal::NotCoordinator)));
    assert_eq!(out, [Output::SetTimer(Timer::Retry)]);
    assert_eq!(step(&mut consumer, Input::TimerFired(Timer::Retry)), [Output::FindCoordinator]);
    assert_eq!(step(&mut consumer, Input::CoordinatorFound), []);
    assert_eq!((consumer.generation(), positions(&consumer).len()), (Some(Generation(3)), 2));
    let mut consumer = joining(config());
    steps(&mut consumer, [Input::CoordinatorLost, Input::TimerFired(Timer::Retry)]);
    assert_eq!(joins(&step(&mut consumer, Input::CoordinatorFound)), Some((None, 0)), "what was asked is asked again");
}

// Verifies: client.consumer.poll-interval
#[test]
fn who_is_not_polled_for_too_long_leaves_unless_it_is_static() {
    for (instance, leaves) in [(None, true), (Some("i".into()), false)] {
        let mut consumer = member(Config { instance, ..config() });
        let out = step(&mut consumer, Input::TimerFired(Timer::Poll));
        assert_eq!(out.contains(&Output::Leave { member: id() }), leaves);
        assert!(out.contains(&Output::Lost(set([0, 1]))) && consumer.generation().is_none());
        assert!(joins(&step(&mut consumer, Input::Polled)).is_some(), "and joins anew when it is polled again");
    }
}

// Verifies: client.consumer.poll-interval
#[test]
fn who_waits_for_a_generation_is_not_late() {
    let mut consumer = joining(config());
    assert_eq!(step(&mut consumer, Input::TimerFired(Timer::Poll)), []);
    assert_eq!(joins(&step(&mut consumer, Input::Polled)), None, "one join is under way, however often it is polled");
    let out = step(&mut consumer, joined(3, false));
    assert!(out.contains(&Output::SetTimer(Timer::Poll)), "{out:?}");
    assert!(step(&mut consumer, Input::TimerFired(Timer::Poll)).contains(&Output::Leave { member: id() }));
}

// Verifies: client.consumer.close
#[test]
fn who_ends_commits_what_was_processed_and_leaves_unless_it_is_static() {
    for (instance, leaves) in [(None, true), (Some("i".into()), false)] {
        let mut consumer = member(Config { instance, ..config() });
        step(&mut consumer, fetched(0, 5, 7));
        assert_eq!(commits(&step(&mut consumer, Input::Closed)), Some(vec![(0, 7), (1, 5)]));
        let out = step(&mut consumer, answered(3, Ok(())));
        assert_eq!(out.first(), Some(&Output::Revoked(set([0, 1]))));
        assert_eq!((out.contains(&Output::Leave { member: id() }), out.last()), (leaves, Some(&Output::Exit)));
        assert_eq!(step(&mut consumer, Input::Polled), [], "it has ended");
    }
}
