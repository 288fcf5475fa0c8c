//! `replica.follow.*`

use super::replica::{B2, Test, assigned, replica, step};
use highwater_spec::log::{Batch, EpochEnd};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{FetchAnswer, FetchRequest, Input, Output, Replica, Timer};
use highwater_spec::values::{LeaderEpoch, Offset};

/// b1 follows b2 in e3; its log ends at 5, e0 began at 0, e2 at 3. And what it asks.
fn follower() -> (Replica<Test>, FetchRequest) {
    let mut follower = replica(5, &[(0, 0), (2, 3)], 2);
    let out = step(&mut follower, Input::Assigned(assigned(2, 3, 5)));
    (follower, asked(&out).unwrap())
}

fn asked(out: &[Output<Test>]) -> Option<FetchRequest> {
    out.iter().find_map(|output| if let Output::Fetch(request) = output { Some(*request) } else { None })
}

fn records(batches: &[(i64, u32, i32)], high_watermark: i64, log_start: i64) -> FetchAnswer<Test> {
    let batch = |(base, count, epoch): &(i64, u32, i32)| Batch {
        base: Offset(*base),
        count: *count,
        epoch: LeaderEpoch(*epoch),
        producer: None,
        bytes: 0,
    };
    FetchAnswer::Records {
        batches: batches.iter().map(batch).collect(),
        high_watermark: Offset(high_watermark),
        log_start: Offset(log_start),
    }
}

// Verifies: replica.follow.begin
#[test]
fn a_follower_begins_at_its_own_end_and_cuts_nothing() {
    let mut follower = replica(5, &[(0, 0), (2, 3)], 2);
    let out = step(&mut follower, Input::Assigned(assigned(2, 3, 5)));
    let expected = FetchRequest {
        leader: B2,
        leader_epoch: LeaderEpoch(3),
        offset: Offset(5),
        last_fetched_epoch: Some(LeaderEpoch(2)),
    };
    assert_eq!((asked(&out), follower.log().end), (Some(expected), Offset(5)));
    assert_eq!(
        asked(&step(&mut follower, Input::Assigned(assigned(2, 3, 6)))),
        None,
        "the same leader in the same epoch"
    );
    let again = asked(&step(&mut follower, Input::Assigned(assigned(2, 4, 7))));
    assert_eq!(again, Some(FetchRequest { leader_epoch: LeaderEpoch(4), ..expected }));
}

// Verifies: replica.follow.copy
#[test]
fn a_follower_copies_up_to_the_first_batch_that_does_not_fit() {
    let cases: [(&[_], i64, &str); 4] = [
        (&[(5, 2, 2), (7, 1, 3)], 8, "what fits"),
        (&[(6, 2, 2), (9, 1, 3)], 10, "gaps, where the leader's log was cleaned"),
        (&[(5, 2, 3), (7, 1, 2)], 7, "an epoch that falls"),
        (&[(4, 2, 2)], 5, "an overlap"),
    ];
    for (batches, end, why) in cases {
        let (mut follower, asked) = follower();
        let out = step(&mut follower, Input::FetchAnswered { asked, answer: records(batches, 0, 0) });
        let appended =
            out.iter().find_map(|output| if let Output::Append(batches) = output { Some(batches) } else { None });
        let appended: Vec<_> =
            appended.into_iter().flatten().map(|batch| (batch.base.0, batch.count, batch.epoch.0)).collect();
        assert_eq!((follower.log().end, &appended[..]), (Offset(end), &batches[..appended.len()]), "{why}");
    }
}

// Verifies: replica.follow.copy
#[test]
fn after_a_gap_an_epoch_begins_with_its_first_batch() {
    let (mut follower, asked) = follower();
    step(&mut follower, Input::FetchAnswered { asked, answer: records(&[(6, 2, 2), (10, 1, 3)], 0, 0) });
    let last = follower.log().epochs.entries().last().map(|entry| (entry.epoch, entry.start));
    assert_eq!(last, Some((LeaderEpoch(3), Offset(10))));
}

// Verifies: replica.follow.hw
#[test]
fn a_follower_believes_in_its_leader_s_high_watermark_as_far_as_it_reaches() {
    for (told, log_start, expected) in [(4, 0, (0, 4)), (9, 0, (0, 5)), (1, 0, (0, 1)), (4, 3, (3, 4)), (2, 4, (2, 2))]
    {
        let (mut follower, asked) = follower();
        step(&mut follower, Input::FetchAnswered { asked, answer: records(&[], told, log_start) });
        let found = (follower.log().start.0, follower.high_watermark().0);
        assert_eq!(found, expected, "told {told}, from {log_start}");
    }
}

// Verifies: replica.truncate.only
#[test]
fn an_answer_that_tells_where_logs_part_tells_nothing_else() {
    let (mut follower, asked) = follower();
    let answer = FetchAnswer::Diverging(EpochEnd { epoch: LeaderEpoch(2), end: Offset(4) });
    let out = step(&mut follower, Input::FetchAnswered { asked, answer });
    assert!(!super::replica::appends(&out));
    assert_eq!((follower.log().end, follower.high_watermark()), (Offset(4), Offset(2)));
}

// Verifies: replica.follow.refused
#[test]
fn each_refusal_has_its_consequence() {
    let retry = || Output::SetTimer { timer: Timer::FetchRetry, from: None };
    for refusal in Refusal::ALL {
        let (mut follower, asked) = follower();
        let answer = FetchAnswer::Refused(*refusal);
        let expected = match refusal {
            Refusal::FencedLeaderEpoch => Output::CancelFetch,
            Refusal::OffsetOutOfRange => Output::AskLogEnds(asked),
            _ => retry(),
        };
        assert_eq!(step(&mut follower, Input::FetchAnswered { asked, answer }), [expected], "{refusal:?}");
    }
}

// Verifies: replica.follow.retry
#[test]
fn a_follower_tries_again_unless_it_is_trying() {
    let (mut follower, first) = follower();
    let fired = Input::TimerFired(Timer::FetchRetry);
    assert_eq!(step(&mut follower, fired.clone()), [], "a fetch is under way");
    let answer = FetchAnswer::Refused(Refusal::NotLeaderOrFollower);
    step(&mut follower, Input::FetchAnswered { asked: first, answer });
    assert_eq!(asked(&step(&mut follower, fired)), Some(first));
}
