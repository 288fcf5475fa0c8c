//! `group.join.*`, `group.protocol.*`, `group.parked.one`

use crate::carrier::Test;
use crate::coordinator::*;
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated;

fn joins(world: &mut Coordination, join: JoinGroup<Test>) -> Option<Result<Joined<Test>, Refusal>> {
    let ticket = world.ask(Request::Join(join));
    world.commit();
    match world.answer(ticket)? {
        Reply::Join { outcome, .. } => Some(outcome.clone()),
        other => panic!("{other:?}"),
    }
}

// Verifies: group.join.validate
#[test]
fn a_join_that_is_wrong_in_itself_makes_no_group() {
    for (timeout, refusal) in [(5_999, Some(())), (6_000, None), (1_800_000, None), (1_800_001, Some(()))] {
        let mut world = Coordination::today();
        let asked = JoinGroup { session_timeout: Millis(timeout), ..join(None, "a") };
        let expected = refusal.map_or(Refusal::MemberIdRequired, |()| Refusal::InvalidSessionTimeout);
        assert_eq!(joins(&mut world, asked), Some(Err(expected)), "{timeout} ms");
        assert_eq!(world.machine.committed().stored().is_empty(), refusal.is_some(), "{timeout} ms");
    }
    let mut world = Coordination::today();
    let ticket = world.ask_about("".into(), Request::Join(join(None, "a")));
    assert_eq!(world.answer(ticket).map(outcome), Some(Err(Refusal::InvalidGroupId)));
    assert_eq!(joins(&mut world, join(Some("a"), "?")), Some(Err(Refusal::UnknownMemberId)), "there is no group");
    assert!(world.log.is_empty());
}

// Verifies: group.join.create
#[test]
fn a_group_is_written_before_anyone_is_in_it() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join(None, "a")));
    let [Record::Group { metadata: Some(metadata), .. }] = &*world.log else { panic!("{:?}", world.log) };
    assert_eq!((metadata.generation, metadata.members.len(), metadata.leader.clone()), (Generation(0), 0, None));
    world.ask(Request::Join(join(None, "b")));
    assert_eq!(world.log.len(), 1);
}

// Verifies: group.join.member-id-required, group.join.pending
#[test]
fn an_id_that_is_handed_out_is_kept_for_a_session() {
    let mut world = Coordination::today();
    let reply = world.asked(Request::Join(join(None, "a")));
    assert_eq!(reply, Reply::Join { member: Some("a".into()), outcome: Err(Refusal::MemberIdRequired) });
    assert_eq!(world.timers[&Timer::Session("a".into())], SESSION);
    assert!(world.group().members.is_empty());
    world.fire(Timer::Session("a".into()));
    assert_eq!(joins(&mut world, join(Some("a"), "?")), Some(Err(Refusal::UnknownMemberId)));
    let mut world = Coordination::today();
    world.ask(Request::Join(join(None, "a")));
    let fixed = JoinGroup { member: fixed("a", "i"), ..join(None, "?") };
    assert_eq!(joins(&mut world, fixed), Some(Err(Refusal::UnknownServerError)), "static members need no such id");
}

/// An id that was handed out holds up a rebalance: its client is expected back at once.
// Verifies: group.join.pending, group.session.expire
#[test]
fn a_rebalance_waits_for_ids_that_were_handed_out() {
    let mut world = Coordination::stable(&["a"]);
    world.ask(Request::Join(join(None, "b")));
    assert_eq!(joins(&mut world, join(Some("a"), "?")), None);
    assert_eq!(world.state(), State::PreparingRebalance);
    world.fire(Timer::Session("b".into()));
    assert_eq!(world.state(), State::CompletingRebalance);
}

// Verifies: group.join.new, group.session.parked, group.member.remove
#[test]
fn a_new_member_waits_for_five_minutes_at_most() {
    let mut world = Coordination::stable(&["a"]);
    let new = JoinGroup { knows_member_id_required: false, ..join(None, "b") };
    let ticket = world.ask(Request::Join(new));
    assert_eq!(world.timers[&Timer::Session("b".into())], Millis(300_000));
    world.fire(Timer::Session("b".into()));
    assert_eq!(world.answer(ticket), Some(&Reply::Join { member: None, outcome: Err(Refusal::UnknownMemberId) }));
    let mut world = Coordination::stable(&["a"]);
    world.ask(Request::Join(join(None, "c")));
    world.ask(Request::Join(join(Some("a"), "?")));
    world.fire(Timer::Session("a".into()));
    assert!(world.group().members.contains_key(&"a".into()), "no new member, and it waits");
}

// Verifies: group.join.max-size
#[test]
fn a_full_group_takes_no_one_and_keeps_who_comes_first() {
    let full = Config { max_size: 2, ..Config::default() };
    let mut world = Coordination::new(full);
    world.join_all(&["a", "b"]);
    world.sync_all();
    assert_eq!(joins(&mut world, join(None, "c")), Some(Err(Refusal::GroupMaxSizeReached)));
    let mut world = Coordination::new(Config { max_size: 3, ..full });
    world.join_all(&["a", "b", "c"]);
    world.sync_all();
    world.config = full;
    world.fail_over();
    assert_eq!(world.state(), State::PreparingRebalance, "one of three has to go");
    assert_eq!(joins(&mut world, join(Some("c"), "?")), None);
    assert_eq!(joins(&mut world, join(Some("b"), "?")), None);
    let reply = world.asked(Request::Join(join(Some("a"), "?")));
    assert_eq!(reply, Reply::Join { member: None, outcome: Err(Refusal::GroupMaxSizeReached) });
    assert!(!world.group().members.contains_key(&"a".into()));
}

// Verifies: group.protocol.common, group.protocol.vote
#[test]
fn members_vote_among_the_protocols_that_all_know() {
    let voters = |names: &[&[&str]]| {
        let mut world = Coordination::today();
        for (number, names) in names.iter().enumerate() {
            let new = JoinGroup {
                protocols: protocols(names, 0),
                ..join_fixed("", &number.to_string(), &format!("m{number}"))
            };
            let refused = joins(&mut world, new);
            if let Some(refused) = refused {
                return Err(refused.unwrap_err());
            }
        }
        world.begin_generation();
        Ok(world.group().protocol.clone().unwrap().to_string())
    };
    assert_eq!(voters(&[&["x", "y"], &["y", "x"], &["y", "x"]]), Ok("y".into()));
    assert_eq!(voters(&[&["x", "y"], &["y", "x"]]), Ok("x".into()), "as many: the first by name");
    assert_eq!(voters(&[&["z", "x"], &["z", "x"], &["x"]]), Ok("x".into()), "z is not known to all");
    assert_eq!(voters(&[&["x"], &["y"]]), Err(Refusal::InconsistentGroupProtocol));
    assert_eq!(voters(&[&[]]), Err(Refusal::InconsistentGroupProtocol));
}

// Verifies: group.join.static
#[test]
fn a_static_member_that_changes_the_choice_of_the_protocol_begins_a_rebalance() {
    let likes = |names: &[&str], join| JoinGroup { protocols: protocols(names, 0), ..join };
    let mut world = Coordination::today();
    for (instance, id) in [("i", "a"), ("j", "b"), ("k", "c")] {
        let names: &[&str] = if id == "c" { &["y", "x"] } else { &["x", "y"] };
        world.ask(Request::Join(likes(names, join_fixed("", instance, id))));
    }
    world.begin_generation();
    world.sync_all();
    let written = world.log.len();
    let goes_on = joins(&mut world, likes(&["x", "y"], join_fixed("", "k", "d"))).unwrap().unwrap();
    assert_eq!((goes_on.generation, goes_on.skip_assignment, world.state()), (Generation(1), false, State::Stable));
    assert_eq!(world.log.len(), written + 1, "its new id is written");
    assert_eq!(joins(&mut world, likes(&["y", "x"], join_fixed("", "k", "e"))), Some(Ok(goes_on)), "two for x still");
    assert_eq!(joins(&mut world, likes(&["y", "x"], join_fixed("", "j", "f"))), None);
    assert_eq!(world.state(), State::PreparingRebalance);
}

/// The share of a static member goes to its next life.
// Verifies: group.join.skip-assignment, group.sync.answer
#[test]
fn a_static_leader_that_comes_back_leads_and_leaves_the_assignment() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join_fixed("", "i", "a")));
    world.begin_generation();
    world.sync_all();
    let joined = joins(&mut world, join_fixed("", "i", "b")).unwrap().unwrap();
    assert_eq!((joined.leader, joined.skip_assignment), (Some("b".into()), true));
    assert_eq!(joined.members, [(fixed("b", "i"), 0)]);
    let reply = world.asked(Request::Sync(SyncGroup { member: fixed("b", "i"), ..sync("", 1) }));
    let Reply::Sync(Ok(synced)) = reply else { panic!("{reply:?}") };
    assert_eq!(synced.assignment, Some(b'a'));
    let fenced = world.asked(Request::Heartbeat { member: fixed("a", "i"), generation: Some(Generation(1)) });
    assert_eq!(fenced, Reply::Heartbeat(Err(Refusal::FencedInstanceId)));
}

/// Its session ends while its return is written, and is excused; once it is answered a session runs again.
// Verifies: group.session.parked, group.session.extend
#[test]
fn a_static_member_that_came_back_is_watched() {
    let mut world = Coordination::today();
    world.ask(Request::Join(join_fixed("", "i", "a")));
    world.begin_generation();
    world.sync_all();
    world.ask(Request::Join(join_fixed("", "i", "b")));
    world.fire(Timer::Session("b".into()));
    world.commit();
    assert_eq!(world.timers.get(&Timer::Session("b".into())), Some(&SESSION));
}

// Verifies: group.parked.one, group.join.again
#[test]
fn a_request_that_another_one_overtakes_is_answered_too() {
    let mut world = Coordination::stable(&["a", "b"]);
    let first = world.ask(Request::Join(join(Some("a"), "?")));
    let second = world.ask(Request::Join(join(Some("a"), "?")));
    assert_eq!(world.answer(first).map(outcome), Some(Err(Refusal::RebalanceInProgress)));
    assert_eq!(world.answer(second), None);
}

/// What another one's write says is not what it waits for: its own id is not in the log yet.
// Verifies: group.join.skip-assignment, group.join.static
#[test]
fn a_static_member_that_comes_back_waits_for_its_own_write() {
    let mut world = Coordination::today();
    for (instance, id) in [("i", "a"), ("j", "b")] {
        world.ask(Request::Join(join_fixed("", instance, id)));
    }
    world.begin_generation();
    world.sync_all();
    let first = world.ask(Request::Join(join_fixed("", "i", "c")));
    let written = world.machine.end();
    let second = world.ask(Request::Join(join_fixed("", "j", "d")));
    world.step(replicated::Input::Committed { upto: written });
    let outcomes = [first, second].map(|ticket| world.answer(ticket).map(outcome));
    assert_eq!(outcomes, [Some(Ok(())), None]);
    world.commit();
    assert_eq!(world.answer(second).map(outcome), Some(Ok(())));
}
