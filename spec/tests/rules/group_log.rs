//! `group.coordinator.*`, `log-backed.at-once`, `log-backed.written`, `log-backed.lost`

use crate::carrier::Test;
use crate::coordinator::*;
use highwater_spec::group::*;
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, Ticket};

// Verifies: group.coordinator.role
#[test]
fn only_an_active_coordinator_decides() {
    let mut machine: ReplicatedCoordinator<Test> = Replicated::new(Coordinator::new(Config::default()), Offset(0));
    let asks = |machine: &mut ReplicatedCoordinator<Test>, request| {
        let mut out = Vec::new();
        let input = Input::Asked { ticket: Ticket(0), at: 0, group: group(), request };
        machine.step(&Rules::KAFKA, replicated::Input::Heard(input), &mut out);
        match &out[..] {
            [replicated::Output::Do(Output::Reply { reply, .. })] => outcome(reply),
            other => panic!("{other:?}"),
        }
    };
    let beat = || heartbeat("a", 1);
    assert_eq!(asks(&mut machine, beat()), Err(Refusal::NotCoordinator));
    assert_eq!(machine.fetch_offsets(&Reader::default(), &group(), None), Err(Refusal::NotCoordinator));
    machine.step(&Rules::KAFKA, replicated::Input::Heard(Input::Elected), &mut Vec::new());
    assert_eq!(asks(&mut machine, Request::Delete), Err(Refusal::CoordinatorLoadInProgress));
    assert_eq!(machine.fetch_offsets(&Reader::default(), &group(), None), Err(Refusal::CoordinatorLoadInProgress));
    assert_eq!(asks(&mut machine, beat()), Ok(()), "it may well be a member");
    machine.step(&Rules::KAFKA, replicated::Input::Heard(Input::Loaded { at: 0 }), &mut Vec::new());
    assert_eq!(asks(&mut machine, beat()), Err(Refusal::UnknownMemberId));
    machine.step(&Rules::KAFKA, replicated::Input::Reverted, &mut Vec::new());
    assert_eq!(asks(&mut machine, beat()), Err(Refusal::NotCoordinator));
}

// Verifies: group.coordinator.load
#[test]
fn a_group_comes_back_as_it_was_last_at_rest() {
    let mut world = Coordination::stable(&["a", "b"]);
    world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..join(Some("b"), "?") }));
    assert_eq!(world.state(), State::PreparingRebalance);
    world.fail_over();
    let group = world.group();
    assert_eq!((group.state, group.generation, group.leader.clone()), (State::Stable, Generation(1), Some("a".into())));
    let sessions = ["a", "b"].map(|id| world.timers.get(&Timer::Session(id.into())).copied());
    assert_eq!(sessions, [Some(SESSION); 2]);
    let Reply::Sync(Ok(synced)) = world.asked(Request::Sync(sync("b", 1))) else { panic!("no share") };
    assert_eq!(synced.assignment, Some(b'b'));
}

// Verifies: group.coordinator.resign, log-backed.lost
#[test]
fn whoever_waits_when_leadership_is_lost_is_sent_away() {
    let mut world = Coordination::stable(&["a", "b"]);
    let tickets = [
        world.ask(Request::CommitOffsets(commit("a", Some(1), 5))),
        world.ask(heartbeat("a", 1)),
        world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..join(Some("b"), "?") })),
    ];
    assert!(tickets.iter().all(|ticket| world.answer(*ticket).is_none()));
    world.step(replicated::Input::Reverted);
    let outcomes = tickets.map(|ticket| world.answer(ticket).map(outcome));
    assert_eq!(outcomes, [Some(Err(Refusal::NotCoordinator)); 3]);
    assert!(world.timers.is_empty());
}

/// A shell that is elected twice, without having lost leadership in between, forgets no one either.
// Verifies: group.coordinator.resign, group.coordinator.load
#[test]
fn whoever_waits_when_a_coordinator_begins_anew_is_sent_away() {
    for again in [Input::Elected, Input::Loaded { at: 0 }] {
        let mut world = Coordination::today();
        let waits = world.ask(Request::Join(join_fixed("", "i", "a")));
        world.hear(again);
        assert_eq!(world.answer(waits).map(outcome), Some(Err(Refusal::NotCoordinator)));
    }
}

/// Kafka lets a heartbeat wait for what was written before it, and a join not.
// Verifies: group.coordinator.at-once, log-backed.at-once
#[test]
fn joins_do_not_wait_for_offsets_of_others() {
    let mut world = Coordination::stable(&["a", "b"]);
    let offset = world.ask(Request::CommitOffsets(commit("a", Some(1), 5)));
    let beat = world.ask(heartbeat("b", 1));
    let joins = world.ask(Request::Join(join(Some("b"), "?")));
    world.timers.clear();
    world.ask(heartbeat("b", 1));
    assert_eq!(world.timers.len(), 1, "a session begins anew at once");
    assert_eq!((world.answer(offset), world.answer(beat)), (None, None));
    assert_eq!(world.answer(joins).map(outcome), Some(Ok(())));
    world.commit();
    assert_eq!(world.answer(beat).map(outcome), Some(Ok(())));
}

/// What is committed of one group says nothing of a rebalance of it that is under way.
// Verifies: log-backed.written, log-backed.speculate
#[test]
fn a_rebalance_survives_that_an_offset_is_committed() {
    let mut world = Coordination::stable(&["a", "b"]);
    let changed = JoinGroup { protocols: protocols(&["range"], 1), ..join(Some("b"), "?") };
    let waits = world.ask(Request::Join(changed));
    world.asked(Request::CommitOffsets(commit("a", Some(1), 5)));
    assert_eq!((world.state(), world.answer(waits)), (State::PreparingRebalance, None));
    world.ask(Request::Join(join(Some("a"), "?")));
    assert_eq!(world.answer(waits).map(outcome), Some(Ok(())));
}

/// An assignment that was never committed has reached no one, and the generation that it was for is over.
// Verifies: group.sync.store, log-backed.revert
#[test]
fn an_assignment_that_is_lost_was_never_heard_of() {
    let mut world = Coordination::today();
    world.join_all(&["a"]);
    let waits = world.sync_only(&["a".into()].into());
    world.fail_over();
    assert_eq!(world.answer(waits[0]).map(outcome), Some(Err(Refusal::NotCoordinator)));
    assert_eq!((world.state(), world.group().generation), (State::Empty, Generation(0)));
    let reply = world.asked(Request::Sync(sync("a", 1)));
    assert_eq!(outcome(&reply), Err(Refusal::UnknownMemberId));
}
