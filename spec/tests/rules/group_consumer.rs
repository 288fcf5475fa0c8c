//! Rules of consumer groups, each by itself: who gets in, who is put out, who gets what.

use crate::coordinator::*;
use crate::members::*;
use highwater_spec::assignor::ServerAssignor;
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;

// Verifies: group.consumer.create, group.consumer.epoch, group.consumer.answer, group.consumer.reconcile.assign
#[test]
fn the_first_member_gets_everything_at_once() {
    let mut world = Coordination::knowing(&[("t", 3), ("u", 1)]);
    assert_eq!(world.told(joins("a")), (1, Some(vec![0, 1, 2])));
    assert_eq!(world.consumers().state(), ConsumerState::Stable);
    assert_eq!(world.told(stays("a", 1, &[0, 1, 2])), (1, None), "nothing has changed");
    assert_eq!(world.timers, [(Timer::Session("a".into()), Config::default().consumer_session_timeout)].into());
}

// Verifies: group.consumer.reconcile.revoke, group.consumer.reconcile.wait, group.consumer.reconcile.assign,
// group.consumer.answer
#[test]
fn a_partition_is_given_up_before_it_is_given_away() {
    let mut world = Coordination::knowing(&[("t", 2)]);
    world.told(joins("a"));
    assert_eq!(world.told(joins("b")), (2, Some(vec![])), "a still has it");
    assert_eq!(world.consumers().state(), ConsumerState::Reconciling);
    assert_eq!(world.told(stays("a", 1, &[0, 1])), (1, Some(vec![0])), "it stays where it is");
    let revocation = Timer::Revocation("a".into());
    assert_eq!(world.timers.get(&revocation), Some(&REBALANCE));
    assert_eq!(world.told(stays("b", 2, &[])), (2, None));
    assert_eq!(world.told(beat("a", Purpose::Stay(GroupEpoch(1)))), (1, None), "it does not say what it owns");
    assert_eq!(world.told(stays("a", 1, &[0, 1])), (1, None), "it still owns what it is to give up");
    assert_eq!(world.told(stays("a", 1, &[0])), (2, None));
    assert!(!world.timers.contains_key(&revocation));
    assert_eq!(world.told(stays("b", 2, &[])), (2, Some(vec![1])));
    assert_eq!(world.consumers().state(), ConsumerState::Stable);
}

// Verifies: group.consumer.fence
#[test]
fn a_member_at_another_epoch_is_fenced() {
    let mut world = Coordination::settled(&[("t", 2)], &["a", "b"]);
    let fenced = Err(Refusal::FencedMemberEpoch);
    assert_eq!(world.beats(stays("a", 3, &[0])), fenced);
    assert_eq!(world.beats(stays("a", 1, &[0, 1])), fenced, "it owns what it has given up");
    assert_eq!(world.beats(beat("a", Purpose::Stay(GroupEpoch(1)))), fenced, "it does not say what it owns");
    assert_eq!(world.told(stays("a", 1, &[0])), (2, None), "it has not heard the answer");
    assert_eq!(world.beats(stays("x", 2, &[])), Err(Refusal::UnknownMemberId));
    assert_eq!(world.beats(joins("a")), fenced, "only whoever was new has a previous epoch 0");
}

#[test]
fn whoever_has_not_heard_that_it_joined_joins_once_more() {
    let mut world = Coordination::knowing(&[("t", 2)]);
    world.told(joins("a"));
    assert_eq!(world.told(joins("a")), (1, Some(vec![0, 1])));
}

// Verifies: group.consumer.validate, group.consumer.assignor, group.consumer.regex
#[test]
fn a_heartbeat_that_is_wrong_in_itself_changes_nothing() {
    let whole = joins("a");
    let nameless = MemberIdentity { id: None, instance: None };
    let wrong = [
        ConsumerHeartbeat { member: nameless.clone(), ..whole.clone() },
        ConsumerHeartbeat { rebalance_timeout: None, ..whole.clone() },
        ConsumerHeartbeat { topics: None, ..whole.clone() },
        ConsumerHeartbeat { owned: None, ..whole.clone() },
        ConsumerHeartbeat { owned: Some(of_t(&[0])), ..whole.clone() },
        ConsumerHeartbeat { member: nameless.clone(), fresh: Some("f".into()), ..stays("a", 1, &[]) },
        ConsumerHeartbeat { member: nameless.clone(), fresh: Some("f".into()), ..beat("a", Purpose::Leave) },
        beat("a", Purpose::Pause),
        ConsumerHeartbeat { member: MemberIdentity { id: Some(" ".into()), instance: None }, ..whole.clone() },
        ConsumerHeartbeat {
            member: MemberIdentity { instance: Some("\t".into()), ..whole.member.clone() },
            ..whole.clone()
        },
        ConsumerHeartbeat { rack: Some("".into()), ..whole.clone() },
    ];
    for beat in wrong {
        let mut world = Coordination::knowing(&[("t", 1)]);
        assert_eq!(world.beats(beat.clone()), Err(Refusal::InvalidRequest), "{beat:?}");
        assert!(world.log.is_empty());
    }
    let mut world = Coordination::knowing(&[("t", 1)]);
    for nowhere in ["", " "] {
        let ticket = world.ask_about(nowhere.into(), Request::ConsumerHeartbeat(whole.clone()));
        assert_eq!(outcome(world.answer(ticket).unwrap()), Err(Refusal::InvalidRequest));
    }
    let unknown = ConsumerHeartbeat { assignor: Some("sticky".into()), ..whole.clone() };
    assert_eq!(world.beats(unknown), Err(Refusal::UnsupportedAssignor));
    let regex = ConsumerHeartbeat { topics: None, regex: Some("t.*".into()), ..whole.clone() };
    assert_eq!(world.beats(regex), Err(Refusal::InvalidRegularExpression));
    assert!(world.log.is_empty() && world.timers.is_empty());
    let empty_regex = ConsumerHeartbeat { topics: None, regex: Some("".into()), ..whole.clone() };
    assert_eq!(world.told(empty_regex), (1, Some(vec![])), "it reads nothing");
    let fresh = ConsumerHeartbeat { member: nameless, fresh: Some("f".into()), ..whole };
    assert_eq!(world.beats(fresh).unwrap().unwrap().member, "f".into());
}

// Verifies: group.consumer.max-size
#[test]
fn a_full_group_takes_only_its_members() {
    let mut world = Coordination::new(Config { consumer_max_size: 1, ..Config::default() });
    world.told(joins("a"));
    assert_eq!(world.beats(joins("b")), Err(Refusal::GroupMaxSizeReached));
    assert_eq!(world.told(joins("a")).0, 1);
}

// Verifies: group.consumer.pause, group.consumer.static, group.consumer.instance-fence
#[test]
fn a_static_member_comes_back_to_what_it_had() {
    let mut world = Coordination::knowing(&[("t", 2)]);
    world.told(joins_fixed("a1", "a"));
    world.told(joins("b"));
    world.settle();
    let had = world.shares();
    assert_eq!(world.beats(joins_fixed("a2", "a")), Err(Refusal::UnreleasedInstanceId));
    let pauses = ConsumerHeartbeat { member: fixed("a1", "a"), ..beat("a1", Purpose::Pause) };
    assert_eq!(world.beats(pauses), Ok(None));
    assert_eq!(world.told(stays("b", 2, &[1])), (2, None), "no one hears of it");
    assert_eq!(world.told(joins_fixed("a2", "a")), (2, Some(had[0].1.clone())));
    assert_eq!(world.consumers().state(), ConsumerState::Stable);
    assert!(world.timers.contains_key(&Timer::Session("a2".into())));
    let earlier = ConsumerHeartbeat { member: fixed("a2", "a"), ..stays("a2", 1, &[]) };
    assert_eq!(world.beats(earlier), Err(Refusal::FencedMemberEpoch), "it has missed no answer in this life");
    let late = ConsumerHeartbeat { member: fixed("a1", "a"), ..stays("a1", 2, &[0]) };
    assert_eq!(world.beats(late), Err(Refusal::FencedInstanceId));
    let stranger = ConsumerHeartbeat { member: fixed("z", "z"), ..stays("z", 2, &[]) };
    assert_eq!(world.beats(stranger), Err(Refusal::UnknownMemberId));
}

// Verifies: group.consumer.pause, group.consumer.session
#[test]
fn a_static_member_that_stays_away_is_put_out() {
    let mut world = Coordination::knowing(&[("t", 2)]);
    world.told(joins_fixed("a1", "a"));
    world.beats(ConsumerHeartbeat { member: fixed("a1", "a"), ..beat("a1", Purpose::Pause) }).unwrap();
    let back_as_it_was = ConsumerHeartbeat { member: fixed("a1", "a"), ..stays("a1", 1, &[0, 1]) };
    assert_eq!(world.beats(back_as_it_was), Err(Refusal::FencedMemberEpoch));
    world.fire(Timer::Session("a1".into()));
    world.commit();
    assert!(world.consumers().members.is_empty());
}

// Verifies: group.consumer.leave, group.consumer.session, group.consumer.epoch, group.consumer.create
#[test]
fn what_a_member_had_that_leaves_or_falls_silent_is_free() {
    for silent in [false, true] {
        let mut world = Coordination::settled(&[("t", 2)], &["a", "b"]);
        if silent {
            world.fire(Timer::Session("a".into()));
            world.commit();
        } else {
            assert_eq!(world.beats(beat("a", Purpose::Leave)), Ok(None));
        }
        assert!(!world.timers.contains_key(&Timer::Session("a".into())));
        assert_eq!(world.consumers().state(), ConsumerState::Assigning);
        assert_eq!(world.told(stays("b", 2, &[1])), (3, Some(vec![0, 1])));
        assert_eq!(world.beats(beat("a", Purpose::Leave)), Err(Refusal::UnknownMemberId));
    }
    let mut nobody = Coordination::today();
    assert_eq!(nobody.beats(beat("a", Purpose::Leave)), Err(Refusal::GroupIdNotFound));
    assert_eq!(nobody.beats(stays("a", 1, &[])), Err(Refusal::GroupIdNotFound));
}

// Verifies: group.consumer.rebalance-timeout
#[test]
fn whoever_does_not_give_up_in_time_is_put_out() {
    let mut world = Coordination::settled(&[("t", 2)], &["a"]);
    world.told(joins("b"));
    world.told(stays("a", 1, &[0, 1]));
    world.fire(Timer::Revocation("a".into()));
    world.commit();
    assert_eq!(world.beats(stays("a", 1, &[0])), Err(Refusal::UnknownMemberId));
    assert_eq!(world.told(stays("b", 2, &[])), (3, Some(vec![0, 1])));
}

// Verifies: group.consumer.rebalance-timeout
#[test]
fn a_time_that_runs_out_too_late_to_be_stopped_puts_out_no_one_who_has_given_up() {
    let runs_out = || Input::TimerFired { at: 0, group: group(), timer: Timer::Revocation("a".into()) };
    let mut world = Coordination::settled(&[("t", 2)], &["a"]);
    world.told(joins("b"));
    world.told(stays("a", 1, &[0, 1]));
    world.told(stays("a", 1, &[0]));
    world.hear(runs_out());
    world.commit();
    assert_eq!(world.consumers().members.len(), 2);
}

// Verifies: group.consumer.pause, group.consumer.rebalance-timeout
#[test]
fn a_static_member_that_goes_gives_up_what_it_was_told_to() {
    let mut world = Coordination::knowing(&[("t", 2)]);
    world.told(joins_fixed("a", "i"));
    world.told(joins("b"));
    let fixed_a = |beat| ConsumerHeartbeat { member: fixed("a", "i"), ..beat };
    assert_eq!(world.told(fixed_a(stays("a", 1, &[0, 1]))), (1, Some(vec![0])));
    assert_eq!(world.beats(fixed_a(beat("a", Purpose::Pause))), Ok(None));
    world.hear(Input::TimerFired { at: 0, group: group(), timer: Timer::Revocation("a".into()) });
    world.commit();
    assert_eq!(world.consumers().members.len(), 2, "its session goes on");
    assert_eq!(world.told(stays("b", 2, &[])), (2, Some(vec![1])));
}

// Verifies: group.consumer.reconcile.revoke
#[test]
fn whoever_has_given_up_and_is_to_give_up_more_is_an_epoch_further() {
    let mut world = Coordination::settled(&[("t", 3)], &["a"]);
    world.told(joins("b"));
    assert_eq!(world.told(stays("a", 1, &[0, 1, 2])), (1, Some(vec![0, 1])));
    world.told(joins("c"));
    assert_eq!(world.told(stays("a", 1, &[0, 1])), (2, Some(vec![0])));
    assert_eq!(world.told(stays("a", 2, &[0])), (3, None));
}

// Verifies: group.consumer.topics, group.consumer.epoch, group.consumer.target
#[test]
fn the_group_has_another_epoch_when_topics_are_others() {
    let mut world = Coordination::settled(&[("t", 1)], &["a"]);
    world.change_topics(&[("t", 1), ("u", 1)]);
    assert_eq!(world.told(stays("a", 1, &[0])), (1, None), "no one reads u");
    world.change_topics(&[("t", 2), ("u", 1)]);
    assert_eq!(world.told(stays("a", 1, &[0])), (2, Some(vec![0, 1])));
    world.change_topics(&[("u", 1)]);
    assert_eq!(world.told(stays("a", 2, &[0, 1])), (2, Some(vec![])));
    assert_eq!(world.told(stays("a", 2, &[])), (3, None));
    world.change_topics(&[("t", 1)]);
    assert_eq!(world.told(stays("a", 3, &[])), (4, Some(vec![0])));
    let wants_less = ConsumerHeartbeat { topics: Some([].into()), ..stays("a", 4, &[0]) };
    assert_eq!(world.told(wants_less), (4, Some(vec![])));
}

// Verifies: group.consumer.preferred
#[test]
fn most_members_choose_the_assignor() {
    let mut world = Coordination::knowing(&[("t", 4)]);
    let described = |world: &Coordination| world.machine.describe_consumer_group(&group()).unwrap().assignor;
    world.told(joins("a"));
    assert_eq!(described(&world), ServerAssignor::Uniform);
    world.told(ConsumerHeartbeat { assignor: Some("range".into()), ..joins("b") });
    assert_eq!(described(&world), ServerAssignor::Range);
    let uniform = Some("uniform".into());
    world.told(ConsumerHeartbeat { assignor: uniform.clone(), ..joins("c") });
    world.told(ConsumerHeartbeat { assignor: uniform, ..joins("d") });
    assert_eq!(described(&world), ServerAssignor::Uniform);
}

// Verifies: group.consumer.load
#[test]
fn a_new_coordinator_goes_on_where_the_last_one_was() {
    let mut world = Coordination::settled(&[("t", 2)], &["a"]);
    world.told(joins("b"));
    world.told(stays("a", 1, &[0, 1]));
    let before = world.consumers().clone();
    world.fail_over();
    assert_eq!(*world.consumers(), before);
    let timers: Vec<_> = world.timers.keys().cloned().collect();
    let session = |id: &str| Timer::Session(id.into());
    assert_eq!(timers, [session("a"), session("b"), Timer::Revocation("a".into())]);
    assert_eq!(world.told(stays("a", 1, &[0])), (2, None));
    assert_eq!(world.told(stays("b", 2, &[])), (2, Some(vec![1])));
}

#[test]
fn a_heartbeat_is_answered_once_it_is_committed() {
    let mut world = Coordination::knowing(&[("t", 2)]);
    let ticket = world.ask(Request::ConsumerHeartbeat(joins("a")));
    assert_eq!(world.answer(ticket), None);
    world.fail_over();
    assert_eq!(outcome(world.answer(ticket).unwrap()), Err(Refusal::NotCoordinator));
    assert_eq!(world.machine.list_groups().unwrap(), []);
}
