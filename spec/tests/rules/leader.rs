//! `replica.lead.*`, `replica.epoch.*`, `replica.fetch.*`

use super::replica::{
    B2, B3, ME, Test, appends, assigned, fetch, fetched, leader, produce, proposed, replica, set, step,
};
use highwater_spec::log::EpochEnd;
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{
    Acks, Answer, Ask, Assignment, FollowerFetch, Input, Isr, Output, Peer, Reader, Replica, Role,
};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, LeaderEpoch, Offset};

fn end_of_b2(replica: &Replica<Test>) -> Option<i64> {
    replica.leader().and_then(|leader| leader.end_of(B2)).map(|end| end.0)
}

// Verifies: replica.fetch.ack
#[test]
fn a_fetch_says_where_the_follower_s_log_ends_now() {
    let mut leader = leader();
    step(&mut leader, produce(0, Acks::Leader, 5));
    for offset in [3, 5, 1] {
        fetched(&mut leader, fetch(B2, offset));
        assert_eq!(end_of_b2(&leader), Some(offset));
    }
    assert_eq!(leader.high_watermark(), Offset(5), "which does not go back");
}

// Verifies: replica.fetch.ack, replica.fetch.fence, replica.fetch.incarnation
#[test]
fn a_fetch_that_is_refused_acknowledges_nothing() {
    let mut leader = leader();
    step(&mut leader, produce(0, Acks::Leader, 5));
    fetched(&mut leader, fetch(B2, 1));
    let others = [
        FollowerFetch { leader_epoch: Some(LeaderEpoch(2)), ..fetch(B2, 5) },
        FollowerFetch { leader_epoch: Some(LeaderEpoch(4)), ..fetch(B2, 5) },
        FollowerFetch { last_fetched_epoch: Some(LeaderEpoch(2)), ..fetch(B2, 5) },
        FollowerFetch { broker_epoch: Some(BrokerEpoch(19)), ..fetch(B2, 5) },
        fetch(B2, 6),
    ];
    for other in others {
        assert_eq!(fetched(&mut leader, other.clone()), [], "{other:?}");
        assert_eq!(end_of_b2(&leader), Some(1), "{other:?}");
    }
    fetched(&mut leader, FollowerFetch { broker_epoch: Some(BrokerEpoch(21)), ..fetch(B2, 5) });
    assert_eq!(end_of_b2(&leader), Some(5), "a process that the metadata does not know yet");
}

// Verifies: replica.fetch.diverging
#[test]
fn a_leader_tells_where_the_logs_part() {
    let mut leader = replica(5, &[(0, 0), (2, 3)], 0);
    step(&mut leader, Input::Assigned(assigned(1, 3, 5)));
    let view = leader.read_view();
    let ask = |offset, last| {
        let (leader_epoch, last_fetched_epoch) = (Some(LeaderEpoch(3)), Some(LeaderEpoch(last)));
        view.answer(
            &Rules::KAFKA,
            &Ask { reader: Reader::Follower(B2), leader_epoch, offset: Offset(offset), last_fetched_epoch },
        )
    };
    let diverging = |epoch, end| Answer::Diverging(EpochEnd { epoch: LeaderEpoch(epoch), end: Offset(end) });
    assert_eq!(ask(4, 0), diverging(0, 3), "e0 ended here");
    assert_eq!(ask(4, 1), diverging(0, 3), "e1 is not known here");
    assert_eq!(ask(3, 1), diverging(0, 3), "… wherever it ended");
    assert!(matches!(ask(3, 0), Answer::Read { .. }) && matches!(ask(4, 2), Answer::Read { .. }));
}

// Verifies: replica.lead.begin, replica.hw.advance
#[test]
fn a_leader_begins_with_its_whole_log_and_knows_nothing_of_its_followers() {
    let mut replica = replica(5, &[(0, 0)], 2);
    let out = step(&mut replica, Input::Assigned(assigned(1, 3, 5)));
    assert!(!out.iter().any(|output| matches!(output, Output::Truncate { .. })));
    let stored =
        out.iter().find_map(|output| if let Output::StoreEpochs(epochs) = output { Some(epochs) } else { None });
    let last = stored.and_then(|epochs| epochs.entries().last()).map(|entry| (entry.epoch.0, entry.start.0));
    assert_eq!(last, Some((3, 5)), "written down before any record of it");
    assert_eq!((end_of_b2(&replica), replica.high_watermark()), (None, Offset(2)), "b2 may have anything");
    fetched(&mut replica, fetch(B2, 5));
    step(&mut replica, Input::Assigned(assigned(1, 4, 6)));
    assert_eq!(end_of_b2(&replica), Some(5), "it led before");
    step(&mut replica, Input::Assigned(assigned(2, 5, 7)));
    step(&mut replica, Input::Assigned(assigned(1, 6, 8)));
    assert_eq!(end_of_b2(&replica), None);
}

// Verifies: replica.lead.epoch
#[test]
fn a_log_of_a_later_epoch_is_not_led() {
    let mut replica = replica(5, &[(4, 0)], 0);
    let out = step(&mut replica, Input::Assigned(assigned(1, 3, 5)));
    assert!(matches!(replica.role(), Role::Follower(follower) if follower.leader.is_none()), "{:?}", replica.role());
    assert!(!out.iter().any(|output| matches!(output, Output::Fetch(_))), "it does not follow itself either");
    assert!(!appends(&step(&mut replica, produce(0, Acks::Leader, 1))));
}

// Verifies: replica.epoch.current
#[test]
fn an_older_assignment_is_ignored() {
    for older in [assigned(2, 3, 4), assigned(2, 2, 6), assigned(2, 2, 4)] {
        let mut replica = leader();
        assert_eq!(step(&mut replica, Input::Assigned(older)), []);
        assert_eq!(replica, leader());
    }
}

// Verifies: replica.epoch.known
#[test]
fn metadata_of_a_known_epoch_says_something_of_others_only() {
    let mut replica = leader();
    fetched(&mut replica, fetch(B3, 0));
    let pending = replica.leader().map(|leader| leader.isr.clone());
    assert!(matches!(pending, Some(Isr::Pending { .. })));
    let peers = vec![Peer { broker: B3, epoch: BrokerEpoch(31), active: true }];
    let echo = Assignment { isr: set([1]), peers, min_insync_replicas: 2, ..assigned(1, 3, 5) };
    step(&mut replica, Input::Assigned(echo));
    let now = replica.leader().unwrap();
    assert_eq!((Some(&now.isr), now.min_insync_replicas), (pending.as_ref(), 2));
    let heard = now.progress.iter().find(|progress| progress.replica == B3).and_then(|progress| progress.peer);
    assert_eq!(heard.map(|peer| peer.epoch), Some(BrokerEpoch(31)));
    assert_eq!(proposed(&step(&mut replica, Input::Assigned(assigned(ME.0, 3, 5)))), None);
}

// Verifies: replica.epoch.end, replica.read.start
#[test]
fn a_leader_tells_where_an_epoch_ends_and_where_its_log_begins() {
    let mut replica = replica(5, &[(0, 0), (2, 3)], 0);
    step(&mut replica, Input::Assigned(assigned(1, 3, 5)));
    let view = replica.read_view();
    let end_of = |asked, epoch| {
        let (asked, epoch) = (Some(LeaderEpoch(asked)), LeaderEpoch(epoch));
        view.end_of_epoch(&Rules::KAFKA, Reader::Consumer, asked, epoch)
            .map(|end| end.map(|end| (end.epoch.0, end.end.0)))
    };
    assert_eq!(end_of(3, 1), Ok(Some((0, 3))));
    assert_eq!(end_of(3, 2), Ok(Some((2, 5))));
    assert_eq!(end_of(3, 9), Ok(None));
    assert_eq!(end_of(2, 1), Err(Refusal::FencedLeaderEpoch));
    assert_eq!(view.earliest(&Rules::KAFKA, Reader::Consumer, Some(LeaderEpoch(3))), Ok(Offset(0)));
    assert_eq!(view.earliest(&Rules::KAFKA, Reader::Consumer, Some(LeaderEpoch(4))), Err(Refusal::UnknownLeaderEpoch));
}

// Verifies: broker.shutdown.clean
#[test]
fn a_replica_that_is_to_close_flushes_its_whole_log() {
    let mut leader = leader();
    step(&mut leader, produce(1, Acks::Leader, 3));
    assert_eq!(step(&mut leader, Input::Closing), [Output::Flush { upto: Offset(3) }]);
}
