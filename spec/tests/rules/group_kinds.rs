//! Groups of two kinds under one coordinator, and offsets of consumer groups.

use crate::coordinator::*;
use crate::members::*;
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;

// Verifies: group.consumer.create
#[test]
fn a_classic_group_without_members_becomes_a_consumer_group() {
    let mut world = Coordination::stable(&["x"]);
    world.change_topics(&[("t", 1)]);
    let offset = Request::CommitOffsets(commit("x", Some(1), 5));
    assert_eq!(outcome(&world.asked(offset)), Ok(()));
    assert_eq!(world.beats(joins("a")), Err(Refusal::GroupIdNotFound), "it has members");
    world.asked(Request::Leave(vec![dynamic("x")]));
    assert_eq!(world.told(joins("a")), (1, Some(vec![0])));
    assert!(world.machine.speculative().groups().is_empty());
    let kept = world.machine.fetch_offsets(&Reader::default(), &group(), None).unwrap();
    assert_eq!(kept.len(), 1, "offsets stay");
    world.fail_over();
    assert_eq!(world.consumers().state(), ConsumerState::Stable);
}

// Verifies: group.consumer.kind
#[test]
fn a_consumer_group_without_members_becomes_a_classic_group() {
    let mut world = Coordination::settled(&[("t", 1)], &["a"]);
    let refused = outcome(&world.asked(Request::Join(join(None, "x"))));
    assert_eq!(refused, Err(Refusal::InconsistentGroupProtocol));
    assert_eq!(outcome(&world.asked(heartbeat("a", 1))), Err(Refusal::UnknownMemberId));
    assert_eq!(outcome(&world.asked(Request::Sync(sync("a", 1)))), Err(Refusal::UnknownMemberId));
    world.beats(beat("a", Purpose::Leave)).unwrap();
    assert_eq!(outcome(&world.asked(Request::Join(join(Some("x"), "?")))), Err(Refusal::UnknownMemberId));
    assert_eq!(world.consumers().state(), ConsumerState::Empty, "who comes with an id changes nothing");
    world.join_all(&["x"]);
    world.sync_all();
    assert_eq!(world.machine.speculative().consumer_group(&group()), None);
    world.fail_over();
    assert_eq!(world.state(), State::Stable);
}

// Verifies: group.consumer.leave, group.consumer.instance-fence
#[test]
fn an_operator_removes_members_of_a_consumer_group() {
    let mut world = Coordination::settled(&[("t", 2)], &["a"]);
    world.told(joins_fixed("b", "i"));
    let who = vec![fixed("", "i"), dynamic("x"), fixed("b2", "i")];
    let Reply::Leave(Ok(each)) = world.asked(Request::Leave(who)) else { panic!("it is answered otherwise") };
    let outcomes: Vec<_> = each.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, [Ok(()), Err(Refusal::UnknownMemberId), Err(Refusal::FencedInstanceId)]);
    assert_eq!(world.shares().len(), 1);
}

// Verifies: group.consumer.offset.commit
#[test]
fn only_members_commit_each_at_its_epoch() {
    let mut world = Coordination::settled(&[("t", 2)], &["a", "b"]);
    let mut ask = |commit: CommitOffsets<_>| outcome(&world.asked(Request::CommitOffsets(commit)));
    assert_eq!(ask(commit("a", Some(2), 5)), Ok(()));
    assert_eq!(ask(commit("a", Some(1), 6)), Err(Refusal::StaleMemberEpoch));
    assert_eq!(ask(commit("a", Some(3), 6)), Err(Refusal::StaleMemberEpoch));
    assert_eq!(ask(commit("a", None, 6)), Err(Refusal::StaleMemberEpoch));
    assert_eq!(ask(commit("x", Some(2), 6)), Err(Refusal::UnknownMemberId));
    assert_eq!(ask(commit("", None, 6)), Err(Refusal::UnknownMemberId), "it has members");
    let old = CommitOffsets { knows_group_id_not_found: false, ..commit("a", Some(2), 6) };
    assert_eq!(ask(old), Err(Refusal::UnsupportedVersion));
    for id in ["a", "b"] {
        world.beats(beat(id, Purpose::Leave)).unwrap();
    }
    assert_eq!(outcome(&world.asked(Request::CommitOffsets(commit("", None, 7)))), Ok(()), "it has none");
    assert_eq!(world.consumers().state(), ConsumerState::Empty);
}

// Verifies: group.consumer.offset.fetch
#[test]
fn who_says_that_it_is_a_member_hears_of_offsets_only_if_it_is() {
    let mut world = Coordination::settled(&[("t", 2)], &["a"]);
    let reader = |member: &str, epoch: i32| Reader { member: Some(member.into()), epoch: Some(GroupEpoch(epoch)) };
    let cases = [
        (Reader::default(), Ok(())),
        (reader("a", 1), Ok(())),
        (reader("a", 2), Err(Refusal::StaleMemberEpoch)),
        (reader("x", 1), Err(Refusal::UnknownMemberId)),
        (Reader { member: None, epoch: Some(GroupEpoch(1)) }, Err(Refusal::UnknownMemberId)),
        (Reader { member: Some("a".into()), epoch: None }, Err(Refusal::StaleMemberEpoch)),
    ];
    for (reader, expected) in cases {
        let committed = world.machine.fetch_offsets(&reader, &group(), None).map(drop);
        assert_eq!(committed, expected, "{reader:?}");
        let stable = world.asked(Request::FetchStableOffsets { reader: reader.clone(), partitions: None });
        assert_eq!(outcome(&stable), expected, "{reader:?}");
    }
}

#[test]
fn lists_and_descriptions_know_the_kind() {
    let mut world = Coordination::settled(&[("t", 1)], &["a"]);
    let listed = world.machine.list_groups().unwrap();
    let listed: Vec<_> = listed.iter().map(|group| (group.state.kind(), group.state.name())).collect();
    assert_eq!(listed, [("consumer", "Stable")]);
    assert_eq!(world.machine.describe_group(&group()).unwrap(), None, "it is no classic one");
    let described = world.machine.describe_consumer_group(&group()).unwrap();
    assert_eq!((described.state, described.group.epoch), (ConsumerState::Stable, GroupEpoch(1)));
    assert_eq!(outcome(&world.asked(Request::Delete)), Err(Refusal::NonEmptyGroup));
    world.beats(beat("a", Purpose::Leave)).unwrap();
    assert_eq!(outcome(&world.asked(Request::Delete)), Ok(()));
    assert_eq!(world.machine.describe_consumer_group(&group()), Err(Refusal::GroupIdNotFound));
    world.fail_over();
    assert_eq!(world.machine.list_groups().unwrap(), []);
    let classic = Coordination::stable(&["x"]);
    assert_eq!(classic.machine.describe_consumer_group(&group()), Err(Refusal::GroupIdNotFound));
}

// Verifies: group.consumer.retention
#[test]
fn offsets_of_topics_that_members_read_are_kept() {
    let mut world = Coordination::settled(&[("t", 1)], &["a"]);
    world.asked(Request::CommitOffsets(commit("a", Some(1), 5)));
    let delete = Request::DeleteOffsets { partitions: vec![on("t", 0)] };
    assert_eq!(world.would_forget(0), []);
    assert_eq!(outcome(&world.asked(delete.clone())), Err(Refusal::GroupSubscribedToTopic));
    let passed = || Input::RetentionChecked { at: 0, group: group(), since: 0 };
    world.hear(passed());
    world.commit();
    assert_eq!(world.machine.fetch_offsets(&Reader::default(), &group(), None).unwrap().len(), 1);
    world.beats(beat("a", Purpose::Leave)).unwrap();
    assert_eq!(world.would_forget(0), [on("t", 0)]);
    world.hear(passed());
    world.commit();
    assert_eq!(world.machine.list_groups().unwrap(), [], "a group with neither members nor offsets is forgotten");
    assert_eq!(outcome(&world.asked(delete)), Err(Refusal::GroupIdNotFound));
}
