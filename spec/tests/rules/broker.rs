//! `broker.*`

use super::replica::Test;
use highwater_spec::broker::{Broker, Input, Output, Timer};
use highwater_spec::controller::{HeartbeatReply, Image, IsrChange, Partition, Record, Registration};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{self, IsrProposal};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, PartitionEpoch, TopicId, TopicPartition};
use std::sync::Arc;

const ME: BrokerId = BrokerId(1);
const P: TopicPartition = TopicPartition { topic: TopicId([1; 16]), index: 0 };

fn hear(broker: &mut Broker<Test>, input: Input<Test>) -> Vec<Output<Test>> {
    let mut out = Vec::new();
    broker.step(&Rules::KAFKA, input, &mut out);
    out
}

/// A topic at 0, its partition at 1, and b1's own registration at 2.
fn log() -> Vec<Record> {
    let registration = Registration {
        incarnation: IncarnationId::default(),
        epoch: BrokerEpoch(2),
        fenced: true,
        in_controlled_shutdown: false,
    };
    vec![
        Record::TopicCreated { topic: P.topic, name: "t".into() },
        Record::PartitionCreated {
            topic: P.topic,
            partition: Partition { replicas: vec![ME], ..super::cluster::partition() },
        },
        Record::BrokerRegistered { broker: ME, registration },
    ]
}

fn arrived(from: usize, to: usize) -> Input<Test> {
    Input::MetadataArrived { from: Offset(from as i64), records: log()[from..to].to_vec(), at: 0 }
}

fn registered() -> Broker<Test> {
    let mut broker = Broker::new(ME, IncarnationId::default(), None);
    hear(&mut broker, Input::RegistrationAnswered { outcome: Ok(BrokerEpoch(2)), at: 0 });
    broker
}

fn told(out: &[Output<Test>]) -> usize {
    out.iter().filter(|output| matches!(output, Output::Tell { .. })).count()
}

fn beats(out: &[Output<Test>]) -> Vec<(i64, bool, bool)> {
    let beat = |output: &Output<Test>| match output {
        Output::Heartbeat { metadata_end, want_fence, want_shutdown, .. } => {
            Some((metadata_end.0, *want_fence, *want_shutdown))
        }
        _ => None,
    };
    out.iter().filter_map(beat).collect()
}

// Verifies: broker.register
#[test]
fn a_broker_registers_until_it_is() {
    let mut broker = Broker::<Test>::new(ME, IncarnationId([7; 16]), Some(BrokerEpoch(1)));
    let register = Output::Register { incarnation: IncarnationId([7; 16]), previous_epoch: Some(BrokerEpoch(1)) };
    assert_eq!(hear(&mut broker, Input::Started), std::slice::from_ref(&register));
    let refused = Input::RegistrationAnswered { outcome: Err(Refusal::DuplicateBrokerRegistration), at: 0 };
    assert_eq!(hear(&mut broker, refused), [Output::SetTimer(Timer::Registration)]);
    assert_eq!(hear(&mut broker, Input::TimerFired(Timer::Registration)), [register]);
    hear(&mut broker, Input::RegistrationAnswered { outcome: Ok(BrokerEpoch(2)), at: 0 });
    assert_eq!(hear(&mut broker, Input::TimerFired(Timer::Registration)), []);
}

// Verifies: broker.metadata.first, broker.heartbeat.ready, broker.metadata.order
#[test]
fn replicas_hear_all_at_once_when_the_broker_finds_its_own_registration() {
    let mut broker = registered();
    let out = hear(&mut broker, arrived(0, 2));
    assert_eq!((told(&out), beats(&out)), (0, vec![]), "what an earlier life was told");
    assert_eq!(hear(&mut broker, Input::MetadataArrived { from: Offset(3), records: log(), at: 0 }), [], "past a gap");
    let out = hear(&mut broker, arrived(1, 3));
    assert_eq!((told(&out), beats(&out)), (1, vec![(3, false, false)]), "and the controller hears at once");
    assert_eq!(hear(&mut broker, arrived(0, 3)), [], "once");
}

// Verifies: broker.metadata.whole
#[test]
fn replicas_hear_where_a_delivery_ends() {
    let mut broker = registered();
    hear(&mut broker, arrived(0, 3));
    let leader = |leader: i32| Record::PartitionChanged {
        partition: P,
        change: highwater_spec::controller::PartitionChange {
            leader: Some(Some(BrokerId(leader))),
            ..Default::default()
        },
    };
    let records = vec![leader(2), leader(3), leader(1)];
    let out = hear(&mut broker, Input::MetadataArrived { from: Offset(3), records, at: 0 });
    match &out[..] {
        [Output::Tell { input: replica::Input::Assigned(given), .. }] => {
            assert_eq!((given.leader, given.partition_epoch), (Some(ME), PartitionEpoch(10)));
        }
        other => panic!("{other:?}"),
    }
}

// Verifies: broker.metadata.snapshot
#[test]
fn a_snapshot_never_takes_the_place_of_what_was_heard() {
    let mut image = Image::default();
    log().iter().for_each(|record| image.apply(record));
    let loaded = |end| Input::SnapshotLoaded { image: Arc::new(image.clone()), end: Offset(end), at: 0 };
    let mut broker = registered();
    assert_eq!(told(&hear(&mut broker, loaded(3))), 1);
    assert_eq!((broker.metadata_end(), hear(&mut broker, loaded(9))), (Offset(3), vec![]), "replicas have heard");
    let mut broker = registered();
    hear(&mut broker, arrived(0, 2));
    hear(&mut broker, loaded(2));
    assert!(broker.image().brokers.is_empty(), "it says no more than what was heard");
}

// Verifies: broker.heartbeat
#[test]
fn a_broker_says_how_far_it_is_and_what_it_wants() {
    let mut broker = registered();
    hear(&mut broker, arrived(0, 3));
    assert_eq!(beats(&hear(&mut broker, Input::TimerFired(Timer::Heartbeat))), [(3, false, false)]);
    assert_eq!(beats(&hear(&mut broker, Input::ReplicaFailed)), [(3, true, false)]);
    assert_eq!(beats(&hear(&mut broker, Input::ShutdownAsked)), [(3, true, true)]);
    let late = Input::HeartbeatAnswered(Err(Refusal::RequestTimedOut));
    assert_eq!(hear(&mut broker, late), [Output::SetTimer(Timer::Heartbeat)]);
}

// Verifies: broker.shutdown.clean
#[test]
fn the_mark_of_a_clean_shutdown_is_the_last_thing_written() {
    for failed in [false, true] {
        let mut broker = registered();
        hear(&mut broker, arrived(0, 3));
        if failed {
            hear(&mut broker, Input::ReplicaFailed);
        }
        hear(&mut broker, Input::ShutdownAsked);
        let reply = HeartbeatReply { is_caught_up: true, is_fenced: true, should_shut_down: true };
        let out = hear(&mut broker, Input::HeartbeatAnswered(Ok(reply)));
        let closing = Output::Tell { partition: P, input: replica::Input::Closing };
        assert_eq!(out, [closing, Output::CloseLogs]);
        let mark = (!failed).then_some(Output::WriteCleanShutdown { epoch: BrokerEpoch(2) });
        assert_eq!(hear(&mut broker, Input::LogsClosed), mark.into_iter().chain([Output::Exit]).collect::<Vec<_>>());
    }
}

// Verifies: broker.isr.one-request, broker.isr.retry
#[test]
fn of_each_partition_the_latest_proposal_waits_its_turn() {
    let proposal = |epoch| IsrProposal {
        leader_epoch: Default::default(),
        partition_epoch: PartitionEpoch(epoch),
        members: vec![],
    };
    let proposed = |epoch| Input::IsrProposed { partition: P, proposal: proposal(epoch) };
    let sent = |epoch| Output::AlterPartition {
        broker_epoch: BrokerEpoch(2),
        changes: vec![IsrChange { partition: P, proposal: proposal(epoch) }],
    };
    let mut broker = registered();
    assert_eq!(hear(&mut broker, proposed(1)), [sent(1)]);
    assert_eq!(hear(&mut broker, proposed(2)), []);
    assert_eq!(hear(&mut broker, proposed(3)), []);
    let lost = Input::AlterPartitionAnswered(Err(Refusal::RequestTimedOut));
    assert_eq!(hear(&mut broker, lost), [Output::SetTimer(Timer::AlterPartitionRetry)]);
    assert_eq!(hear(&mut broker, Input::TimerFired(Timer::AlterPartitionRetry)), [sent(1)], "as it was");
    let answered = Input::AlterPartitionAnswered(Ok(vec![(P, Err(Refusal::InvalidUpdateVersion))]));
    assert_eq!(hear(&mut broker, answered).last(), Some(&sent(3)));
}
