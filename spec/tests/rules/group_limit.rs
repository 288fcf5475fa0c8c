//! `group.coordinator.batch`, and what follows where it is not enough to refuse: in this carrier a record has a byte,
//! and what a member carries as many as its number says.

use crate::coordinator::*;
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{Offset, TopicId, TopicPartition};
use std::sync::Arc;

const TOO_LARGE: Result<(), Refusal> = Err(Refusal::UnknownServerError);

impl Coordination {
    fn limit(&mut self, max_batch: u64) {
        self.hear(Input::LimitChanged { max_batch });
    }

    fn outcome_of(&mut self, request: Request<crate::carrier::Test>) -> Result<(), Refusal> {
        outcome(&self.asked(request))
    }
}

fn commit_of(partitions: i32) -> Request<crate::carrier::Test> {
    let one = commit("", None, 7);
    let offset = one.offsets[0].1.clone();
    let offsets = (0..partitions).map(|index| (on("t", index), offset.clone())).collect();
    Request::CommitOffsets(CommitOffsets { offsets, ..one })
}

// Verifies: group.coordinator.batch
#[test]
fn what_is_too_large_to_be_written_is_refused_and_changes_nothing() {
    let mut world = Coordination::today();
    world.limit(2);
    assert_eq!(world.outcome_of(commit_of(3)), TOO_LARGE);
    assert!(world.machine.speculative().groups().is_empty() && world.log.is_empty(), "nor is there a group");
    assert_eq!(world.outcome_of(commit_of(2)), Ok(()));
    let kept: Vec<_> = world.machine.committed().stored()[&group()].offsets.keys().cloned().collect();
    assert_eq!(kept, [on("t", 0), on("t", 1)]);
    world.limit(1);
    let partitions = kept;
    assert_eq!(world.outcome_of(Request::DeleteOffsets { partitions }), TOO_LARGE);
    assert_eq!(world.outcome_of(Request::Delete), TOO_LARGE);
    assert_eq!((world.log.len(), world.machine.speculative().groups().len()), (2, 1));
    world.limit(3);
    assert_eq!(world.outcome_of(Request::Delete), Ok(()));
}

// Verifies: group.coordinator.batch
#[test]
fn a_group_that_can_not_be_written_is_not_made() {
    let mut world = Coordination::today();
    world.limit(0);
    assert_eq!(world.outcome_of(Request::Join(join(None, "a"))), TOO_LARGE);
    assert!(world.machine.speculative().groups().is_empty() && world.log.is_empty());
}

/// A leader that gave up too much may give less the next time.
// Verifies: group.sync.store, group.coordinator.batch
#[test]
fn an_assignment_that_is_too_large_has_the_group_rebalance() {
    let mut world = Coordination::today();
    world.join_all(&["a", "b"]);
    let written = world.log.len();
    world.limit(10);
    let handed_in = |size| SyncGroup { assignments: vec![("a".into(), Some(size))], ..sync("a", 1) };
    let waits = world.ask(Request::Sync(sync("b", 1)));
    assert_eq!(world.outcome_of(Request::Sync(handed_in(10))), TOO_LARGE);
    assert_eq!(world.answer(waits).map(outcome), Some(TOO_LARGE), "whoever waited hears of it too");
    assert_eq!((world.state(), world.log.len()), (State::PreparingRebalance, written));
    assert_eq!(world.outcome_of(heartbeat("b", 1)), Err(Refusal::RebalanceInProgress));
    for id in ["a", "b"] {
        world.ask(Request::Join(join(Some(id), "?")));
    }
    world.begin_generation();
    assert_eq!(world.outcome_of(Request::Sync(SyncGroup { generation: Some(Generation(2)), ..handed_in(9) })), Ok(()));
    assert_eq!(world.state(), State::Stable);
}

// Verifies: group.join.static, group.coordinator.batch
#[test]
fn a_static_member_whose_next_life_can_not_be_written_lives_on() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join_fixed("", "i", "a")));
    world.begin_generation();
    world.sync_all();
    let (before, written) = (world.group().clone(), world.log.len());
    world.limit(100);
    let Reply::Join { member: None, outcome: Err(refusal) } =
        world.asked(Request::Join(JoinGroup { protocols: protocols(&["range"], 9), ..join_fixed("", "i", "b") }))
    else {
        panic!("it has a new life")
    };
    assert_eq!(refusal, Refusal::UnknownServerError);
    assert_eq!((world.group(), world.log.len()), (&before, written));
    let sessions = ["a", "b"].map(|id| world.timers.contains_key(&Timer::Session(id.into())));
    assert_eq!(sessions, [true, false]);
    let alive = Request::Heartbeat { member: fixed("a", "i"), generation: Some(Generation(1)) };
    assert_eq!(world.outcome_of(alive), Ok(()));
}

/// Its next life was itself about to be written: that one is fenced, lives on, and is answered once.
// Verifies: group.join.static, group.coordinator.batch
#[test]
fn a_life_that_waits_to_be_written_is_answered_once() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join_fixed("", "i", "a")));
    world.begin_generation();
    world.sync_all();
    let next = world.ask(Request::Join(join_fixed("", "i", "b")));
    world.limit(100);
    let large = JoinGroup { protocols: protocols(&["range"], 9), ..join_fixed("", "i", "c") };
    let last = world.ask(Request::Join(large));
    world.commit();
    let outcomes = [next, last].map(|ticket| world.answer(ticket).map(outcome));
    assert_eq!(outcomes, [Some(Err(Refusal::FencedInstanceId)), Some(TOO_LARGE)]);
    assert_eq!(world.group().static_member(&"i".into()), Some(&"b".into()));
}

/// Where the log takes two records at once, three offsets are forgotten in two visits, and the group in the third.
// Verifies: group.retention.some, group.retention.offset, group.retention.group
#[test]
fn what_can_not_be_forgotten_at_once_is_forgotten_later() {
    let mut world = Coordination::today();
    assert_eq!(world.outcome_of(commit_of(3)), Ok(()));
    world.limit(2);
    let left = [1, 2, 3].map(|_| {
        world.hear(Input::RetentionChecked { at: 9, group: group(), since: 9 });
        world.commit();
        world.machine.committed().stored().get(&group()).map_or(0, |stored| stored.offsets.len())
    });
    assert_eq!(left, [2, 0, 0]);
    assert!(world.machine.speculative().groups().is_empty());
    assert_eq!(world.machine.end(), Offset(7), "three offsets, three that delete them, and the group");
}

fn joins_to_read_t() -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        member: dynamic("m"),
        fresh: None,
        purpose: Purpose::Join,
        rack: None,
        client: Client { id: "c".into(), host: "h".into() },
        rebalance_timeout: Some(REBALANCE),
        topics: Some([TopicName::from("t")].into()),
        regex: None,
        assignor: None,
        owned: Some(Default::default()),
    }
}

/// Nothing of a consumer group's member is there before it is written.
// Verifies: group.coordinator.batch
#[test]
fn a_member_of_a_consumer_group_that_can_not_be_written_is_none() {
    let mut world = Coordination::today();
    world.limit(1);
    assert_eq!(world.outcome_of(Request::ConsumerHeartbeat(joins_to_read_t())), TOO_LARGE);
    assert!(world.machine.speculative().stored().is_empty() && world.log.is_empty());
    world.limit(10);
    assert_eq!(world.outcome_of(Request::ConsumerHeartbeat(joins_to_read_t())), Ok(()));
}

/// That topics have changed is still to be looked at when what follows from it could not be written.
// Verifies: group.coordinator.batch
#[test]
fn what_could_not_be_written_is_tried_again() {
    let mut world = Coordination::today();
    assert_eq!(world.outcome_of(Request::ConsumerHeartbeat(joins_to_read_t())), Ok(()));
    let topic = KnownTopic { id: TopicId([1; 16]), partitions: 1 };
    world.hear(Input::TopicsChanged { topics: Arc::new([("t".into(), topic)].into()) });
    world.limit(1);
    let epoch = world.machine.committed().consumer_group(&group()).unwrap().epoch;
    let beat = ConsumerHeartbeat {
        purpose: Purpose::Stay(epoch),
        rebalance_timeout: None,
        topics: None,
        owned: None,
        ..joins_to_read_t()
    };
    assert_eq!(world.outcome_of(Request::ConsumerHeartbeat(beat.clone())), TOO_LARGE);
    world.limit(10);
    let Reply::ConsumerHeartbeat(Ok(Some(reconciled))) = world.asked(Request::ConsumerHeartbeat(beat)) else {
        panic!("no news")
    };
    assert_eq!(reconciled.assigned, Some([TopicPartition { topic: topic.id, index: 0 }].into()));
}
