//! `client.producer.*`, `client.code.*`

use highwater_spec::client::Code;
use highwater_spec::client::producer::{
    BatchId, Config, Identity, Input, Outcome, Output, Producer, Request, Timer, Unsound,
};
use highwater_spec::group::NamedPartition;
use highwater_spec::machine::Machine;
use highwater_spec::producer::Sequence;
use highwater_spec::replica::Acks;
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Ticket};

const NOT_LEADER: Code = Code::NOT_LEADER_OR_FOLLOWER;
const GAP: Code = Code::OUT_OF_ORDER_SEQUENCE_NUMBER;
const INVALID_RECORD: Code = Code(87);

fn p(index: i32) -> NamedPartition {
    NamedPartition { topic: "t".into(), index }
}

fn step(producer: &mut Producer, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    producer.step(&Rules::KAFKA, input, &mut out);
    out
}

/// Two bytes make a batch full.
fn config() -> Config {
    Config { batch_bytes: 2, ..Config::KAFKA }
}

fn me(epoch: i16) -> Identity {
    Identity { id: ProducerId(7), epoch: ProducerEpoch(epoch) }
}

/// Gives a batch of two records, from `first` on.
fn give(producer: &mut Producer, index: i32, first: u32) -> Vec<Output> {
    let given = |record| Input::Given { partition: p(index), record: Ticket(record), bytes: 1 };
    [first, first + 1].into_iter().flat_map(|record| step(producer, given(record))).collect()
}

/// One that has an id, and so many batches of two records for partition 0 under way.
fn sending(config: Config, epoch: i16, batches: u32) -> Producer {
    let mut producer = Producer::new(config);
    (0..batches).for_each(|batch| drop(give(&mut producer, 0, batch * 2)));
    step(&mut producer, Input::IdAnswered(Ok(me(epoch))));
    producer
}

fn answer(producer: &mut Producer, batch: u64, attempt: u32, outcome: Result<Option<Offset>, Code>) -> Vec<Output> {
    step(producer, Input::Answered { partition: p(0), batch: BatchId(batch), attempt, outcome })
}

fn retry(producer: &mut Producer) -> Vec<Output> {
    step(producer, Input::TimerFired(Timer::Retry(p(0))))
}

fn expire(producer: &mut Producer, batch: u64) -> Vec<Output> {
    step(producer, Input::TimerFired(Timer::Delivery(p(0), BatchId(batch))))
}

fn requests(out: &[Output]) -> Vec<&Request> {
    out.iter().filter_map(|output| if let Output::Send(request) = output { Some(request) } else { None }).collect()
}

/// Of what is sent: partition, epoch and first number.
fn numbers(out: &[Output]) -> Vec<(i32, i16, i32)> {
    let number = |request: &&Request| {
        let (identity, Sequence(first)) = request.numbers?;
        Some((request.partition.index, identity.epoch.0, first))
    };
    requests(out).iter().filter_map(number).collect()
}

fn done(out: &[Output]) -> Vec<(Vec<u32>, Outcome)> {
    let done = |output: &Output| match output {
        Output::Done { records, outcome, .. } => Some((records.iter().map(|record| record.0).collect(), *outcome)),
        _ => None,
    };
    out.iter().filter_map(done).collect()
}

// Verifies: client.producer.config
#[test]
fn what_does_not_go_together_with_numbers_is_said() {
    let plain = Config { idempotent: false, ..Config::KAFKA };
    assert_eq!(Config::KAFKA.checked(), Ok(Config::KAFKA));
    for acks in [Acks::None, Acks::Leader] {
        assert_eq!(Config { acks, ..Config::KAFKA }.checked(), Err(Unsound::Acks));
        assert!(Config { acks, ..plain }.checked().is_ok());
    }
    assert_eq!(Config { max_in_flight: 6, ..Config::KAFKA }.checked(), Err(Unsound::InFlight));
    assert!(Config { max_in_flight: 6, ..plain }.checked().is_ok());
    assert_eq!(Config { retries: 0, ..Config::KAFKA }.checked(), Err(Unsound::Retries));
}

// Verifies: client.code.retriable, client.code.doubt
#[test]
fn codes_that_pass_and_codes_that_leave_doubt() {
    let retriable: Vec<_> = (-1..=140).filter(|code| Code(*code).is_retriable()).collect();
    assert_eq!(retriable.len(), 31);
    assert!([2, 3, 5, 6, 7, 13, 19, 20, 56, 74, 100].iter().all(|code| retriable.contains(code)));
    assert!([-1, 10, 22, 31, 45, 46, 47, 59, 87].iter().all(|code| !retriable.contains(code)));
    let doubtful: Vec<_> = (-1..=140).filter(|code| Code(*code).leaves_doubt()).collect();
    assert_eq!(doubtful, [-1, 6, 7, 13, 20]);
}

// Verifies: client.producer.batch, client.producer.ready
#[test]
fn a_batch_goes_when_it_is_full_or_old_or_waited_for() {
    let mut producer = Producer::new(Config { idempotent: false, batch_bytes: 4, ..Config::KAFKA });
    let mut given = |record, bytes| -> Vec<Vec<u32>> {
        let out = step(&mut producer, Input::Given { partition: p(0), record: Ticket(record), bytes });
        requests(&out).iter().map(|request| request.records.iter().map(|record| record.0).collect()).collect()
    };
    let none: Vec<Vec<u32>> = Vec::new();
    assert_eq!(given(0, 3), none);
    assert_eq!(given(1, 3), [[0]], "there is no room for it");
    assert_eq!(given(2, 1), [[1, 2]], "it is full");
    assert_eq!(given(3, 9), [[3]], "too large for any batch, it has one of its own");
    assert_eq!(given(4, 1), none);
    let out = step(&mut producer, Input::TimerFired(Timer::Linger(p(0))));
    assert_eq!(requests(&out)[0].records, [Ticket(4)]);
    step(&mut producer, Input::Given { partition: p(0), record: Ticket(5), bytes: 1 });
    let out = step(&mut producer, Input::FlushAsked);
    assert_eq!(requests(&out)[0].records, [Ticket(5)]);
    let out: Vec<_> = (1..=5).flat_map(|batch| answer(&mut producer, batch, 1, Ok(None))).collect();
    assert_eq!(out.last(), Some(&Output::Flushed));
}

// Verifies: client.producer.id
#[test]
fn nothing_is_sent_before_there_is_an_id() {
    let mut producer = Producer::new(config());
    let out = give(&mut producer, 0, 0);
    assert_eq!((out.contains(&Output::AskId), requests(&out).len()), (true, 0));
    let out = give(&mut producer, 0, 2);
    assert_eq!((out.contains(&Output::AskId), requests(&out).len()), (false, 0), "it is asked for once");
    let loading = step(&mut producer, Input::IdAnswered(Err(Code(14))));
    assert_eq!(loading, [Output::SetTimer(Timer::Id)]);
    assert_eq!(step(&mut producer, Input::TimerFired(Timer::Id)), [Output::AskId]);
    let out = step(&mut producer, Input::IdAnswered(Ok(me(0))));
    assert_eq!(numbers(&out), [(0, 0, 0), (0, 0, 2)]);
    assert_eq!(requests(&give(&mut Producer::new(Config { idempotent: false, ..config() }), 0, 0)).len(), 1);
}

// Verifies: client.producer.in-flight
#[test]
fn so_many_are_under_way_and_no_more() {
    let mut producer = sending(Config { max_in_flight: 2, ..config() }, 0, 2);
    assert_eq!(requests(&give(&mut producer, 0, 4)).len(), 0);
    assert_eq!(requests(&give(&mut producer, 1, 8)).len(), 1, "another partition");
    assert_eq!(numbers(&answer(&mut producer, 1, 1, Ok(None))), [(0, 0, 4)]);
}

// Verifies: client.producer.number, client.producer.retry, client.producer.retry.order
#[test]
fn what_is_sent_again_has_its_numbers_and_goes_first() {
    let mut producer = sending(config(), 0, 3);
    for batch in [2, 1, 3] {
        answer(&mut producer, batch, 1, Err(NOT_LEADER));
    }
    assert_eq!(requests(&give(&mut producer, 0, 6)).len(), 0, "it waits before it sends again");
    assert_eq!(numbers(&retry(&mut producer)), [(0, 0, 0)]);
    assert_eq!(numbers(&answer(&mut producer, 1, 2, Ok(Some(Offset(0))))), [(0, 0, 2)]);
    assert_eq!(numbers(&answer(&mut producer, 2, 2, Ok(Some(Offset(2))))), [(0, 0, 4), (0, 0, 6)]);
}

// Verifies: client.producer.retry
#[test]
fn what_has_no_numbers_goes_before_what_waits() {
    let mut producer = sending(Config { idempotent: false, ..config() }, 0, 3);
    answer(&mut producer, 1, 1, Err(NOT_LEADER));
    answer(&mut producer, 2, 1, Err(NOT_LEADER));
    let out = retry(&mut producer);
    let sent: Vec<_> = requests(&out).iter().map(|request| (request.batch.0, request.attempt)).collect();
    assert_eq!(sent, [(2, 2), (1, 2)], "as in Kafka, and not as one might think");
    let mut twice = sending(Config { idempotent: false, retries: 1, ..config() }, 0, 1);
    answer(&mut twice, 1, 1, Err(Code(19)));
    retry(&mut twice);
    assert_eq!(done(&answer(&mut twice, 1, 2, Err(Code(19)))), [(vec![0, 1], Outcome::Refused(Code(19)))]);
}

// Verifies: client.producer.retry.leader
#[test]
fn another_leader_is_asked_at_once() {
    let mut producer = sending(config(), 0, 1);
    let out = answer(&mut producer, 1, 1, Err(NOT_LEADER));
    assert_eq!(out, [Output::FindLeader(p(0)), Output::SetTimer(Timer::Retry(p(0)))]);
    assert_eq!(numbers(&step(&mut producer, Input::LeaderChanged(p(0)))), [(0, 0, 0)]);
}

// Verifies: client.producer.late
#[test]
fn answers_to_what_is_over_are_ignored() {
    let mut producer = sending(config(), 0, 1);
    answer(&mut producer, 1, 1, Err(Code::NETWORK_EXCEPTION));
    assert_eq!(answer(&mut producer, 1, 1, Ok(None)), []);
    retry(&mut producer);
    assert_eq!(answer(&mut producer, 1, 1, Err(INVALID_RECORD)), []);
    expire(&mut producer, 1);
    assert_eq!(answer(&mut producer, 1, 2, Ok(None)), []);
    assert_eq!(answer(&mut producer, 9, 1, Ok(None)), []);
}

// Verifies: client.producer.duplicate
#[test]
fn what_was_written_long_ago_is_written() {
    let mut producer = sending(config(), 0, 1);
    let out = answer(&mut producer, 1, 1, Err(Code::DUPLICATE_SEQUENCE_NUMBER));
    assert_eq!(done(&out), [(vec![0, 1], Outcome::Acked(None))]);
}

// Verifies: client.producer.gap, client.producer.bump, client.producer.bump.drain
#[test]
fn after_a_gap_the_partition_begins_anew_and_others_when_they_can() {
    let mut producer = sending(config(), 3, 2);
    give(&mut producer, 1, 10);
    answer(&mut producer, 2, 1, Err(GAP));
    assert_eq!(producer.identity(), Some(me(3)), "the first one is not answered yet: there may be no gap");
    answer(&mut producer, 1, 1, Err(GAP));
    assert_eq!(producer.identity(), Some(me(4)));
    assert_eq!(numbers(&retry(&mut producer)), [(0, 4, 0)]);
    assert_eq!(requests(&give(&mut producer, 1, 12)).len(), 0, "what is under way there has the earlier epoch");
    let out =
        step(&mut producer, Input::Answered { partition: p(1), batch: BatchId(3), attempt: 1, outcome: Ok(None) });
    assert_eq!(numbers(&out), [(1, 4, 0)]);
    assert_eq!(numbers(&answer(&mut producer, 1, 2, Ok(None))), [(0, 4, 2)]);
}

// Verifies: client.producer.gap
#[test]
fn who_is_not_known_any_more_begins_anew() {
    let mut producer = sending(config(), 0, 1);
    answer(&mut producer, 1, 1, Err(Code::UNKNOWN_PRODUCER_ID));
    assert_eq!(numbers(&retry(&mut producer)), [(0, 1, 0)]);
}

// Verifies: client.producer.gap, client.producer.bump
#[test]
fn who_has_begun_anew_and_finds_another_gap_begins_anew_again() {
    let mut producer = sending(config(), 0, 2);
    answer(&mut producer, 1, 1, Err(GAP));
    answer(&mut producer, 2, 1, Err(GAP));
    assert_eq!(producer.identity(), Some(me(1)), "the second was sent under the epoch before");
    assert_eq!(numbers(&retry(&mut producer)), [(0, 1, 0)]);
    answer(&mut producer, 1, 2, Err(GAP));
    assert_eq!(producer.identity(), Some(me(2)), "the first was not");
    assert_eq!(numbers(&retry(&mut producer)), [(0, 2, 0)]);
}

// Verifies: client.producer.exhausted
#[test]
fn after_the_last_epoch_comes_another_id() {
    let mut producer = sending(config(), i16::MAX, 2);
    let out = answer(&mut producer, 1, 1, Err(GAP));
    assert!(out.contains(&Output::AskId));
    answer(&mut producer, 2, 1, Err(GAP));
    assert_eq!(requests(&retry(&mut producer)).len(), 0);
    let other = Identity { id: ProducerId(8), epoch: ProducerEpoch(0) };
    assert_eq!(numbers(&step(&mut producer, Input::IdAnswered(Ok(other)))), [(0, 0, 0), (0, 0, 2)]);
    assert_eq!(producer.identity(), Some(other));
}

// Verifies: client.producer.expire, client.producer.expire.wait, client.producer.resolve
#[test]
fn what_was_given_up_may_have_been_written_and_nothing_new_goes_before_that_is_known() {
    let mut producer = sending(config(), 0, 2);
    assert_eq!(done(&expire(&mut producer, 1)), [(vec![0, 1], Outcome::Unknown(Code::REQUEST_TIMED_OUT))]);
    assert_eq!(requests(&give(&mut producer, 0, 4)).len(), 0);
    let mut written = producer.clone();
    assert_eq!(numbers(&answer(&mut written, 2, 1, Ok(None))), [(0, 0, 4)], "what followed was written: no gap");
    answer(&mut producer, 2, 1, Err(GAP));
    assert_eq!(numbers(&retry(&mut producer)), [(0, 1, 0), (0, 1, 2)], "there is one");

    let mut producer = sending(config(), 0, 1);
    expire(&mut producer, 1);
    assert_eq!(numbers(&give(&mut producer, 0, 2)), [(0, 1, 0)], "nothing followed, and nobody knows");
}

// Verifies: client.producer.expire, client.producer.outcome
#[test]
fn what_was_never_sent_was_not_written() {
    let mut producer = Producer::new(config());
    give(&mut producer, 0, 0);
    assert_eq!(done(&expire(&mut producer, 1)), [(vec![0, 1], Outcome::Refused(Code::REQUEST_TIMED_OUT))]);
    let mut producer = sending(config(), 0, 1);
    answer(&mut producer, 1, 1, Err(Code(19)));
    assert_eq!(done(&expire(&mut producer, 1)), [(vec![0, 1], Outcome::Refused(Code::REQUEST_TIMED_OUT))]);
}

// Verifies: client.producer.fail, client.producer.outcome
#[test]
fn what_is_refused_for_good_is_told_and_its_numbers_are_not_used_again() {
    let mut producer = sending(config(), 0, 2);
    let out = answer(&mut producer, 1, 1, Err(INVALID_RECORD));
    assert_eq!(done(&out), [(vec![0, 1], Outcome::Refused(INVALID_RECORD))]);
    answer(&mut producer, 2, 1, Err(GAP));
    assert_eq!(numbers(&retry(&mut producer)), [(0, 1, 0)]);
    let mut doubtful = sending(config(), 0, 1);
    answer(&mut doubtful, 1, 1, Err(Code::NETWORK_EXCEPTION));
    retry(&mut doubtful);
    let out = answer(&mut doubtful, 1, 2, Err(INVALID_RECORD));
    assert_eq!(done(&out), [(vec![0, 1], Outcome::Unknown(INVALID_RECORD))]);
}

// Verifies: client.producer.fail.tries
#[test]
fn where_tries_run_out_nobody_knows_and_after_a_gap_everybody_does() {
    let once = Config { retries: 1, ..config() };
    let last_try = |code| {
        let mut producer = sending(once, 0, 2);
        answer(&mut producer, 1, 1, Err(Code(19)));
        assert_eq!(numbers(&retry(&mut producer)), [(0, 0, 0)]);
        let out = answer(&mut producer, 1, 2, Err(code));
        assert_eq!(done(&out), [(vec![0, 1], Outcome::Refused(code))]);
        let out = give(&mut producer, 0, 4);
        (producer, numbers(&out))
    };
    let (mut producer, next) = last_try(Code(19));
    assert_eq!((producer.identity(), next), (Some(me(0)), vec![]), "it may have been written");
    let mut written = producer.clone();
    assert_eq!(numbers(&answer(&mut written, 2, 1, Ok(None))), [(0, 0, 4)], "it was");
    answer(&mut producer, 2, 1, Err(GAP));
    assert_eq!(numbers(&retry(&mut producer)), [(0, 1, 0), (0, 1, 2)], "it was not");

    let (producer, next) = last_try(GAP);
    assert_eq!((producer.identity(), next), (Some(me(1)), vec![(0, 1, 2)]), "there is nothing to find out");

    let mut producer = sending(once, 0, 1);
    answer(&mut producer, 1, 1, Err(Code(19)));
    retry(&mut producer);
    answer(&mut producer, 1, 2, Err(Code(19)));
    assert_eq!(numbers(&give(&mut producer, 0, 2)), [(0, 1, 0)], "nothing followed");
}

// Verifies: client.producer.fatal
#[test]
fn who_may_not_write_at_all_is_done() {
    let mut producer = sending(config(), 0, 2);
    give(&mut producer, 1, 9);
    let denied = Code::CLUSTER_AUTHORIZATION_FAILED;
    let out = answer(&mut producer, 1, 1, Err(denied));
    let told = [(vec![0, 1], Outcome::Refused(denied)), (vec![2, 3], Outcome::Unknown(denied))];
    assert_eq!(done(&out), [&told[..], &[(vec![9, 10], Outcome::Unknown(denied))]].concat());
    assert_eq!(done(&give(&mut producer, 0, 4)).len(), 2);
}

// Verifies: client.producer.split
#[test]
fn a_batch_that_is_too_large_is_halved() {
    let mut producer = sending(config(), 0, 2);
    answer(&mut producer, 2, 1, Err(GAP));
    let out = answer(&mut producer, 1, 1, Err(Code::MESSAGE_TOO_LARGE));
    assert_eq!(done(&out), []);
    let first = retry(&mut producer);
    assert_eq!((numbers(&first), requests(&first)[0].records.clone()), (vec![(0, 0, 0)], vec![Ticket(0)]));
    let out = answer(&mut producer, 1, 2, Ok(None));
    let second = requests(&out);
    assert_eq!((numbers(&out), second[0].records.clone()), (vec![(0, 0, 1)], vec![Ticket(1)]));
    let mut single = sending(Config { batch_bytes: 1, ..config() }, 0, 1);
    let too_large = Outcome::Refused(Code::MESSAGE_TOO_LARGE);
    assert_eq!(done(&answer(&mut single, 1, 1, Err(Code::MESSAGE_TOO_LARGE))), [(vec![0], too_large)]);
}
