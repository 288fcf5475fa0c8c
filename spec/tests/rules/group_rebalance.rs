//! `group.rebalance.*`, `group.sync.*`, `group.session.*`, `group.leave.*`

use crate::coordinator::*;
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;

fn outcomes(world: &Coordination, tickets: &[highwater_spec::values::Ticket]) -> Vec<Option<Result<(), Refusal>>> {
    tickets.iter().map(|ticket| world.answer(*ticket).map(outcome)).collect()
}

// Verifies: group.rebalance.initial, group.rebalance.extend
#[test]
fn the_first_rebalance_waits_for_members_while_they_keep_coming() {
    let mut world = Coordination::today();
    let new = |id| Request::Join(JoinGroup { rebalance_timeout: Millis(7_000), ..join_fixed("", id, id) });
    let first = world.ask(new("a"));
    assert_eq!(world.timers[&Timer::Join], Millis(3_000));
    world.ask(new("b"));
    world.fire(Timer::Join);
    assert_eq!((world.state(), world.timers[&Timer::Join]), (State::PreparingRebalance, Millis(3_000)));
    world.ask(new("c"));
    world.fire(Timer::Join);
    assert_eq!(world.timers[&Timer::Join], Millis(1_000), "of 7 s 6 have passed");
    world.ask(new("d"));
    world.fire(Timer::Join);
    assert_eq!(world.state(), State::CompletingRebalance, "no longer than a rebalance may take");
    assert_eq!(outcomes(&world, &[first]), [Some(Ok(()))]);
    let mut world = Coordination::today();
    world.ask(new("a"));
    world.fire(Timer::Join);
    assert_eq!(world.state(), State::CompletingRebalance, "no one came");
}

// Verifies: group.rebalance.prepare, group.rebalance.complete
#[test]
fn a_member_that_does_not_join_in_time_is_left_behind() {
    let mut world = Coordination::stable(&["a", "b"]);
    let slow = JoinGroup { rebalance_timeout: Millis(90_000), ..join(Some("b"), "?") };
    world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..slow }));
    assert_eq!(world.timers[&Timer::Join], Millis(90_000), "the longest of all");
    world.fire(Timer::Join);
    assert_eq!(world.state(), State::CompletingRebalance);
    assert_eq!(world.group().members.keys().map(ToString::to_string).collect::<Vec<_>>(), ["b"]);
    assert_eq!(world.group().leader, Some("b".into()));
    assert!(!world.timers.contains_key(&Timer::Session("a".into())));
}

// Verifies: group.rebalance.complete, group.rebalance.leader
#[test]
fn static_members_stay_until_their_sessions_end() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join_fixed("", "i", "a")));
    world.ask(Request::Join(join_fixed("", "j", "b")));
    world.begin_generation();
    world.sync_all();
    world.ask(Request::Join(join_fixed("b", "j", "?")));
    assert_eq!(world.state(), State::Stable, "b says nothing new and does not lead");
    world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..join_fixed("b", "j", "?") }));
    world.fire(Timer::Join);
    let group = world.group();
    assert_eq!((group.members.len(), group.leader.clone()), (2, Some("b".into())), "a is missing and does not lead");
    world.sync_only(&["b".into()].into());
    world.commit();
    world.fire(Timer::Session("a".into()));
    assert_eq!(world.group().members.len(), 1);
}

// Verifies: group.rebalance.leader
#[test]
fn no_generation_begins_with_no_one() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join_fixed("", "i", "a")));
    world.ask(Request::Join(join_fixed("", "j", "b")));
    world.begin_generation();
    world.sync_all();
    world.asked(Request::Leave(vec![fixed("", "j")]));
    assert_eq!(world.state(), State::PreparingRebalance);
    world.fire(Timer::Join);
    assert_eq!((world.state(), world.timers[&Timer::Join]), (State::PreparingRebalance, REBALANCE), "a may come yet");
    world.fire(Timer::Session("a".into()));
    assert_eq!((world.state(), world.group().generation), (State::Empty, Generation(2)));
}

// Verifies: group.rebalance.sync-timeout, group.member.remove
#[test]
fn a_member_that_never_asks_for_its_share_is_removed() {
    let mut world = Coordination::today();
    world.join_all(&["a", "b"]);
    assert_eq!(world.timers[&Timer::Sync], REBALANCE);
    let waits = world.sync_only(&["b".into()].into());
    world.fire(Timer::Sync);
    assert_eq!(outcomes(&world, &waits), [Some(Err(Refusal::RebalanceInProgress))]);
    assert_eq!((world.state(), world.group().leader.clone()), (State::PreparingRebalance, Some("b".into())));
    let mut world = Coordination::today();
    world.join_all(&["a", "b"]);
    world.sync_only(&["a".into()].into());
    world.commit();
    assert_eq!(world.state(), State::Stable);
    world.fire(Timer::Sync);
    assert_eq!(world.state(), State::PreparingRebalance, "a stable group waits no longer for b either");
    let mut world = Coordination::stable(&["a", "b"]);
    assert!(!world.timers.contains_key(&Timer::Sync), "everyone has asked");
    world.asked(heartbeat("a", 1));
}

// Verifies: group.sync.store, group.sync.stable
#[test]
fn a_share_is_written_before_anyone_hears_of_it() {
    let mut world = Coordination::today();
    world.join_all(&["a", "b"]);
    let handed_in = SyncGroup { assignments: vec![("a".into(), Some(1))], ..sync("a", 1) };
    let tickets = [world.ask(Request::Sync(sync("b", 1))), world.ask(Request::Sync(handed_in))];
    assert_eq!((outcomes(&world, &tickets), world.state()), (vec![None, None], State::CompletingRebalance));
    world.commit();
    assert_eq!(world.state(), State::Stable);
    let shares = tickets.map(|ticket| match world.answer(ticket) {
        Some(Reply::Sync(Ok(synced))) => synced.assignment,
        other => panic!("{other:?}"),
    });
    assert_eq!(shares, [None, Some(1)], "who is left out has an empty share");
}

/// The assignment of a generation that has ended while it was written reaches no one.
// Verifies: group.sync.stable
#[test]
fn a_rebalance_overtakes_an_assignment_that_is_being_written() {
    let mut world = Coordination::today();
    world.join_all(&["a", "b"]);
    let waits = world.sync_only(&["a".into(), "b".into()].into());
    world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..join(Some("b"), "?") }));
    let refused = Some(Err(Refusal::RebalanceInProgress));
    assert_eq!(outcomes(&world, &waits), [refused, refused]);
    world.commit();
    assert_eq!(world.state(), State::PreparingRebalance);
}

// Verifies: group.session.extend
#[test]
fn whatever_shows_that_a_member_is_alive_begins_its_session_anew() {
    let session = Timer::Session("b".into());
    let alive = [heartbeat("b", 1), Request::CommitOffsets(commit("b", Some(1), 1))];
    for request in alive {
        let mut world = Coordination::stable(&["a", "b"]);
        world.timers.clear();
        world.asked(request.clone());
        assert_eq!(world.timers.get(&session), Some(&SESSION), "{request:?}");
    }
    let mut world = Coordination::stable(&["a", "b"]);
    world.timers.clear();
    world.asked(heartbeat("b", 0));
    assert_eq!(world.timers.get(&session), None, "one of another generation");
}

// Verifies: group.sync.validate
#[test]
fn whoever_believes_in_another_protocol_hears_of_no_share() {
    let other = || Some("other".into());
    for wrong in [
        SyncGroup { protocol_type: Some("other".into()), ..sync("a", 1) },
        SyncGroup { protocol: other(), ..sync("a", 1) },
    ] {
        let reply = Coordination::stable(&["a"]).asked(Request::Sync(wrong.clone()));
        assert_eq!(outcome(&reply), Err(Refusal::InconsistentGroupProtocol), "{wrong:?}");
    }
}

// Verifies: group.leave.each
#[test]
fn each_member_leaves_by_itself() {
    let mut world = Coordination::stable(&["a", "b", "c"]);
    let reply = world.asked(Request::Leave(vec![dynamic("a"), dynamic("x"), dynamic("b")]));
    let Reply::Leave(Ok(results)) = reply else { panic!("{reply:?}") };
    let results: Vec<_> = results.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(results, [Ok(()), Err(Refusal::UnknownMemberId), Ok(())]);
    assert_eq!((world.group().members.len(), world.group().leader.clone()), (1, Some("c".into())));
}

// Verifies: group.heartbeat, group.leave.each, group.sync.known
#[test]
fn a_group_without_a_name_has_no_members() {
    let mut world = Coordination::today();
    let requests = [heartbeat("a", 1), Request::Leave(vec![dynamic("a")]), Request::Sync(sync("a", 1))];
    for request in requests {
        let ticket = world.ask_about("".into(), request);
        assert_eq!(world.answer(ticket).map(outcome), Some(Err(Refusal::InvalidGroupId)));
    }
}
