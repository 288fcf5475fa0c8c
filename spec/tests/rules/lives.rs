//! `controller.broker.*`

use super::cluster::{Cluster, change, expired, heartbeat, partition, register, set};
use highwater_spec::controller::{Heartbeat, HeartbeatReply, Input, Output, Partition, Record, Reply};
use highwater_spec::refusal::Refusal;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, BrokerId, IncarnationId, Offset};

fn fenced(broker: i32, fenced: bool) -> Record {
    let (broker, epoch) = (BrokerId(broker), BrokerEpoch(i64::from(broker)));
    Record::BrokerChanged { broker, epoch, fenced: Some(fenced), in_controlled_shutdown: false }
}

// Verifies: controller.broker.sessions, controller.broker.expire
#[test]
fn a_new_controller_gives_everyone_time_and_silence_fences() {
    let mut cluster = Cluster::with(Rules::KAFKA, partition(), &[3]);
    assert_eq!(cluster.hear(expired(2)), [], "whoever has no session can't lose it");
    cluster.hear(Input::Activated);
    let extended = |broker| Output::ExtendSession { broker: BrokerId(broker), epoch: BrokerEpoch(i64::from(broker)) };
    assert_eq!(cluster.outputs, [extended(1), extended(2)], "b3 is fenced already");
    let of_an_earlier_life = Input::SessionExpired { broker: BrokerId(2), epoch: BrokerEpoch(0), choice: None };
    assert_eq!(cluster.hear(of_an_earlier_life), []);
    assert!(cluster.hear(expired(2)).contains(&fenced(2, true)));
    assert!(!cluster.has_session(2) && cluster.has_session(1));
}

// Verifies: controller.broker.fence, controller.epochs
#[test]
fn who_is_fenced_leaves_first() {
    let mut cluster = Cluster::today();
    cluster.hear(Input::Activated);
    let written = cluster.hear(expired(1));
    assert_eq!(written.last(), Some(&fenced(1, true)), "in one step, and last");
    assert_eq!((change(&written).isr.clone(), change(&written).leader), (Some(set([2, 3])), Some(Some(BrokerId(2)))));
    assert_eq!((cluster.now().leader_epoch.0, cluster.now().partition_epoch.0), (6, 8));
    let written = cluster.hear(expired(3));
    assert_eq!(change(&written).leader, None);
    assert_eq!((cluster.now().leader_epoch.0, cluster.now().partition_epoch.0), (6, 9), "the leader stays");
}

// Verifies: controller.broker.unfence
#[test]
fn who_is_unfenced_may_lead_what_no_one_leads() {
    let leaderless = Partition { leader: None, isr: set([]), elr: set([2]), ..partition() };
    let mut cluster = Cluster::with(Rules::KAFKA, leaderless, &[1, 2, 3]);
    let (written, reply) = cluster.beat(heartbeat(3));
    assert_eq!((written, reply.is_fenced), (vec![fenced(3, false)], false), "but b3 is not complete");
    let (written, _) = cluster.beat(heartbeat(2));
    assert_eq!(written.first(), Some(&fenced(2, false)), "first");
    assert_eq!(change(&written).leader, Some(Some(BrokerId(2))));
}

// Verifies: controller.broker.next-state
#[test]
fn who_does_not_know_its_own_registration_stays_fenced() {
    let mut cluster = Cluster::with(Rules::KAFKA, partition(), &[3]);
    for (metadata_end, is_caught_up) in [(3, false), (4, true)] {
        let (_, reply) = cluster.beat(Heartbeat { metadata_end: Offset(metadata_end), ..heartbeat(3) });
        assert_eq!(reply, HeartbeatReply { is_caught_up, is_fenced: !is_caught_up, should_shut_down: false });
    }
    for epoch in [2, 4].map(BrokerEpoch) {
        let other = Heartbeat { epoch, ..heartbeat(3) };
        assert_eq!(cluster.asked(Input::Heartbeat(other)), Reply::Refused(Refusal::StaleBrokerEpoch));
    }
}

// Verifies: controller.broker.shutdown, controller.broker.next-state, controller.broker.no-return
#[test]
fn a_leader_that_wants_to_stop_hands_over_first() {
    let mut cluster = Cluster::today();
    let stopping = Heartbeat { want_shutdown: true, ..heartbeat(1) };
    let (written, reply) = cluster.beat(stopping);
    let marked =
        |record: &Record| matches!(record, Record::BrokerChanged { in_controlled_shutdown: true, fenced: None, .. });
    assert!(marked(&written[0]), "{written:?}");
    assert_eq!((change(&written).isr.clone(), change(&written).leader), (Some(set([2, 3])), Some(Some(BrokerId(2)))));
    assert!(!reply.should_shut_down, "the others don't know yet");
    let metadata_end = cluster.end();
    cluster.beat(Heartbeat { metadata_end, ..heartbeat(2) });
    assert!(!cluster.beat(stopping).1.should_shut_down, "b3 does not");
    cluster.beat(Heartbeat { metadata_end, ..heartbeat(3) });
    assert!(cluster.beat(stopping).1.should_shut_down);
    assert!(cluster.beat(Heartbeat { metadata_end, ..heartbeat(1) }).1.is_fenced, "and there is no way back");
}

// Verifies: controller.broker.register
#[test]
fn a_new_process_has_the_epoch_of_its_record_and_begins_fenced() {
    let mut cluster = Cluster::with(Rules::KAFKA, partition(), &[3]);
    let written = cluster.hear(register(3, None));
    let place = written.iter().position(|record| matches!(record, Record::BrokerRegistered { .. })).unwrap();
    let epoch = BrokerEpoch(10 + place as i64);
    assert!(place > 0, "it leaves the ISR first");
    assert_eq!(cluster.reply(), Some(&Reply::Registered(epoch)));
    let found = cluster.image().brokers[&BrokerId(3)];
    assert_eq!((found.epoch, found.fenced, found.incarnation), (epoch, true, IncarnationId([99; 16])));
    cluster.hear(register(3, None));
    assert_eq!(cluster.reply(), Some(&Reply::Registered(epoch)), "the same process");
}

// Verifies: controller.broker.restart, controller.elr.unclean-restart
#[test]
fn a_crash_costs_eligibility_and_a_clean_shutdown_does_not() {
    let eligible = Partition { isr: set([1]), elr: set([2]), ..partition() };
    for (mark, elr) in [(Some(2), set([2])), (None, set([]))] {
        let mut cluster = Cluster::with(Rules::KAFKA, eligible.clone(), &[2, 3]);
        cluster.hear(register(2, mark));
        assert_eq!(cluster.now().elr, elr, "{mark:?}");
    }
    let last = Partition { isr: set([1]), ..partition() };
    for (mark, elr) in [(Some(1), set([1])), (None, set([]))] {
        let mut cluster = Cluster::with(Rules::KAFKA, last.clone(), &[2, 3]);
        cluster.hear(register(1, mark));
        assert_eq!((cluster.now().isr.len(), &cluster.now().elr), (0, &elr), "{mark:?}");
    }
}
