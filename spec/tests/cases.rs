//! Single decisions that neither a short exploration nor random inputs can tell right from wrong.

use highwater_spec::controller::{
    Config, Controller, Image, Input as Asked, Output as Answer, Partition, Record, Register, Registration, Reply,
    Topic,
};
use highwater_spec::log::{EpochCache, EpochEnd, EpochEntry, Found, recover};
use highwater_spec::machine::{Carrier, Machine};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Assignment, FetchAnswer, FetchRequest, Input, Output, Replica};
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::values::{
    BrokerEpoch, BrokerId, Brokers, IncarnationId, LeaderEpoch, Offset, PartitionEpoch, Ticket, TopicId,
};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Test;

impl Carrier for Test {
    type Bytes = u8;
    type Stamp = ();
}

/// b2 follows b1 in e3. Its log ends at 5: e0 began at 0, e2 at 3; its high watermark is 2.
fn follower() -> (Replica<Test>, FetchRequest) {
    let entries = [(0, 0), (2, 3)].map(|(epoch, start)| EpochEntry { epoch: LeaderEpoch(epoch), start: Offset(start) });
    let epochs = EpochCache::from_iter(entries);
    let found =
        Found { start: Offset(0), end: Offset(5), epochs, high_watermark: Offset(2), producers: Default::default() };
    let mut replica = Replica::new(BrokerId(2), recover(found));
    let out = step(
        &mut replica,
        Input::Assigned(Assignment {
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(3),
            partition_epoch: PartitionEpoch(7),
            replicas: [1, 2, 3].map(BrokerId).into_iter().collect(),
            isr: Brokers::only(BrokerId(1)),
            min_insync_replicas: 1,
            peers: Vec::new(),
            at: (),
        }),
    );
    let asked = out.iter().find_map(|output| if let Output::Fetch(request) = output { Some(*request) } else { None });
    (replica, asked.expect("a follower fetches"))
}

fn step(replica: &mut Replica<Test>, input: Input<Test>) -> Vec<Output<Test>> {
    let mut out = Vec::new();
    replica.step(&Rules::KAFKA, input, &mut out);
    out
}

// Verifies: replica.follow.current
#[test]
fn an_answer_to_another_fetch_is_ignored() {
    let (_, asked) = follower();
    let others = [
        FetchRequest { leader: BrokerId(3), ..asked },
        FetchRequest { leader_epoch: LeaderEpoch(2), ..asked },
        FetchRequest { leader_epoch: LeaderEpoch(4), ..asked },
        FetchRequest { offset: Offset(4), ..asked },
        FetchRequest { offset: Offset(6), ..asked },
        FetchRequest { last_fetched_epoch: Some(LeaderEpoch(1)), ..asked },
        FetchRequest { last_fetched_epoch: None, ..asked },
    ];
    for other in others {
        let (mut replica, _) = follower();
        let answer = FetchAnswer::Diverging(EpochEnd { epoch: LeaderEpoch(0), end: Offset(1) });
        assert_eq!(step(&mut replica, Input::FetchAnswered { asked: other, answer }), [], "{other:?}");
        let ends = Input::LogEndsAnswered { asked: other, start: Offset(0), end: Offset(0) };
        assert_eq!(step(&mut replica, ends), [], "{other:?}");
    }
}

/// Where the follower's log ends after one answer, and that it always gets shorter.
// Verifies: replica.truncate.diverging
#[test]
fn a_follower_truncates_to_where_the_logs_part() {
    let cases = [
        ((2, 4), 4, "the same epoch ends earlier at the leader"),
        ((2, 9), 5, "… or later: nothing to truncate"),
        ((1, 4), 3, "an epoch that the follower has not: its own one before it ends at 3"),
        ((0, 2), 2, "an older epoch, which ends earlier at the leader"),
        ((0, 9), 3, "… or later: the follower's own end of it"),
    ];
    for ((epoch, end), expected, why) in cases {
        let (mut replica, asked) = follower();
        let answer = FetchAnswer::Diverging(EpochEnd { epoch: LeaderEpoch(epoch), end: Offset(end) });
        step(&mut replica, Input::FetchAnswered { asked, answer });
        assert_eq!(replica.log().end, Offset(expected), "{why}");
    }
}

// Verifies: replica.truncate.range
#[test]
fn out_of_range_a_follower_goes_by_the_ends_of_the_leaders_log() {
    let cases = [((0, 4), (0, 4), "past the end"), ((0, 9), (0, 5), "within"), ((8, 9), (8, 8), "before the start")];
    for ((start, end), (own_start, own_end), why) in cases {
        let (mut replica, asked) = follower();
        let refused = FetchAnswer::Refused(Refusal::OffsetOutOfRange);
        let out = step(&mut replica, Input::FetchAnswered { asked, answer: refused });
        assert_eq!(out, [Output::AskLogEnds(asked)]);
        step(&mut replica, Input::LogEndsAnswered { asked, start: Offset(start), end: Offset(end) });
        let log = replica.log();
        assert_eq!((log.start, log.end), (Offset(own_start), Offset(own_end)), "{why}");
    }
}

const TOPIC: TopicId = TopicId([1; 16]);

/// b1 is fenced and in the ELR, b2 leads alone; min.insync.replicas is 2.
fn controller(min_insync_replicas: u32) -> Replicated<Controller> {
    let mut image = Image::default();
    for (broker, fenced) in [(1, true), (2, false)] {
        let registration = Registration {
            incarnation: IncarnationId([broker; 16]),
            epoch: BrokerEpoch(i64::from(broker)),
            fenced,
            in_controlled_shutdown: false,
        };
        image.apply(&Record::BrokerRegistered { broker: BrokerId(i32::from(broker)), registration });
    }
    let partition = Partition {
        replicas: vec![BrokerId(1), BrokerId(2)],
        isr: Brokers::only(BrokerId(2)),
        elr: Brokers::only(BrokerId(1)),
        last_known_leader: None,
        leader: Some(BrokerId(2)),
        leader_epoch: LeaderEpoch(1),
        partition_epoch: PartitionEpoch(1),
        recovering: false,
    };
    let config = Config { min_insync_replicas: Some(min_insync_replicas), ..Config::default() };
    image.topics.insert(TOPIC, Topic { name: "t".into(), partitions: vec![partition], config });
    Replicated::new(Controller::new(Arc::new(image)), Offset(10))
}

fn ask(controller: &mut Replicated<Controller>, asked: Asked) -> Option<Reply> {
    let mut out = Vec::new();
    for input in [replicated::Input::Heard(asked), replicated::Input::Committed { upto: Offset(i64::MAX) }] {
        controller.step(&Rules::KAFKA, input, &mut out);
    }
    out.into_iter().find_map(|output| match output {
        replicated::Output::Do(Answer::Reply { reply, .. }) => Some(reply),
        _ => None,
    })
}

fn register(broker: i32, previous_epoch: Option<i64>) -> Asked {
    Asked::Register(Register {
        ticket: Ticket(0),
        broker: BrokerId(broker),
        incarnation: IncarnationId([9; 16]),
        previous_epoch: previous_epoch.map(BrokerEpoch),
        choice: None,
    })
}

/// The mark of a clean shutdown counts if it names the last registration.
// Verifies: controller.broker.restart
#[test]
fn only_the_mark_of_the_last_registration_keeps_a_broker_eligible() {
    for (mark, stays) in [(Some(1), true), (Some(0), false), (Some(2), false), (None, false)] {
        let mut controller = controller(2);
        ask(&mut controller, register(1, mark));
        let image = controller.committed().image();
        let elr = &image.topics[&TOPIC].partitions[0].elr;
        assert_eq!(elr.contains(BrokerId(1)), stays, "mark {mark:?}");
    }
}

// Verifies: controller.broker.register
#[test]
fn a_process_is_not_registered_while_another_has_a_session() {
    let mut controller = controller(2);
    ask(&mut controller, Asked::Activated);
    let reply = ask(&mut controller, register(2, None));
    assert_eq!(reply, Some(Reply::Refused(Refusal::DuplicateBrokerRegistration)));
    let reply = ask(&mut controller, register(1, None));
    assert!(matches!(reply, Some(Reply::Registered(_))), "a fenced broker has none: {reply:?}");
}

// Verifies: controller.min-isr
#[test]
fn no_more_replicas_need_to_be_in_sync_than_there_are() {
    assert_eq!(controller(5).committed().image().min_insync_replicas(TOPIC), 2);
    assert_eq!(controller(1).committed().image().min_insync_replicas(TOPIC), 1);
}
