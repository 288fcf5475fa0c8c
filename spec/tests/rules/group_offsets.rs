//! `group.offset.*`, `group.delete`

use crate::coordinator::*;
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::Offset;

fn offset_of(fetched: &FetchedOffsets<crate::carrier::Test>) -> Vec<Option<i64>> {
    fetched.iter().map(|(_, committed)| committed.as_ref().map(|committed| committed.offset.0)).collect()
}

fn committed(world: &Coordination) -> Vec<Option<i64>> {
    offset_of(&world.machine.fetch_offsets(&Reader::default(), &group(), Some(&[on("t", 0), on("t", 1)])).unwrap())
}

// Verifies: group.offset.fetch, group.offset.simple, log-backed.answer
#[test]
fn an_offset_counts_once_it_is_committed() {
    let mut world = Coordination::today();
    assert_eq!(committed(&world), [None, None], "no group, and no error");
    let ticket = world.ask(Request::CommitOffsets(commit("", None, 7)));
    assert_eq!((world.answer(ticket), committed(&world)), (None, vec![None, None]));
    let stable =
        world.ask(Request::FetchStableOffsets { reader: Reader::default(), partitions: Some(vec![on("t", 0)]) });
    assert_eq!(world.answer(stable), None, "who wants what cannot go back waits");
    world.commit();
    assert_eq!(world.answer(ticket).map(outcome), Some(Ok(())));
    assert_eq!(committed(&world), [Some(7), None]);
    let Some(Reply::FetchOffsets(Ok(fetched))) = world.answer(stable) else { panic!("no answer") };
    assert_eq!(offset_of(fetched), [Some(7)]);
    world.asked(Request::CommitOffsets(commit("", None, 3)));
    let all = world.machine.fetch_offsets(&Reader::default(), &group(), None).unwrap();
    assert_eq!((all.len(), offset_of(&all)), (1, vec![Some(3)]), "offsets may go back");
}

// Verifies: group.offset.metadata-size
#[test]
fn metadata_that_is_too_long_is_refused_by_itself() {
    let mut world = Coordination::today();
    let given = |offset, metadata_length| OffsetToCommit {
        offset: Offset(offset),
        leader_epoch: None,
        metadata: Some(1),
        metadata_length,
    };
    let offsets = vec![(on("t", 0), given(1, 4_097)), (on("t", 1), given(2, 4_096))];
    let reply = world.asked(Request::CommitOffsets(CommitOffsets { offsets, ..commit("", None, 0) }));
    let Reply::CommitOffsets(Ok(results)) = reply else { panic!("{reply:?}") };
    let results: Vec<_> = results.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(results, [Err(Refusal::OffsetMetadataTooLarge), Ok(())]);
    assert_eq!(committed(&world), [None, Some(2)]);
}

/// Members hand over what they have done: they still commit while a rebalance is prepared, and no more once it is done.
// Verifies: group.offset.fence, group.offset.completing
#[test]
fn who_is_left_behind_by_a_rebalance_commits_no_more() {
    let mut world = Coordination::stable(&["a", "b"]);
    world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..join(Some("b"), "?") }));
    let commits = |world: &mut Coordination, id, generation| {
        outcome(&world.asked(Request::CommitOffsets(commit(id, Some(generation), 5))))
    };
    assert_eq!(commits(&mut world, "a", 1), Ok(()));
    world.fire(Timer::Join);
    assert_eq!(commits(&mut world, "a", 1), Err(Refusal::UnknownMemberId));
    assert_eq!(commits(&mut world, "b", 1), Err(Refusal::IllegalGeneration));
    assert_eq!(commits(&mut world, "b", 2), Err(Refusal::RebalanceInProgress));
    world.sync_all();
    assert_eq!(commits(&mut world, "b", 2), Ok(()));
}

// Verifies: group.offset.delete
#[test]
fn offsets_of_topics_that_are_read_are_not_forgotten() {
    let mut world = Coordination::stable(&["a"]);
    world.asked(Request::CommitOffsets(commit("a", Some(1), 5)));
    let forgets =
        |world: &mut Coordination| outcome(&world.asked(Request::DeleteOffsets { partitions: vec![on("t", 0)] }));
    assert_eq!(forgets(&mut world), Err(Refusal::GroupSubscribedToTopic));
    world.asked(Request::Leave(vec![dynamic("a")]));
    assert_eq!((forgets(&mut world), committed(&world)), (Ok(()), vec![None, None]));
    let mut world = Coordination::today();
    world.ask(Request::Join(JoinGroup { protocol_type: "connect".into(), ..join_fixed("", "i", "a") }));
    world.begin_generation();
    assert_eq!(forgets(&mut world), Err(Refusal::NonEmptyGroup), "what it reads no one knows");
}

// Verifies: group.delete
#[test]
fn a_group_is_deleted_with_its_offsets_if_no_one_is_in_it() {
    let mut world = Coordination::stable(&["a"]);
    world.asked(Request::CommitOffsets(commit("a", Some(1), 5)));
    assert_eq!(world.asked(Request::Delete), Reply::Delete(Err(Refusal::NonEmptyGroup)));
    world.asked(Request::Leave(vec![dynamic("a")]));
    assert_eq!(world.machine.list_groups().unwrap().len(), 1);
    assert_eq!(world.asked(Request::Delete), Reply::Delete(Ok(())));
    assert_eq!(committed(&world), [None, None]);
    assert_eq!(world.machine.list_groups().unwrap(), []);
    assert_eq!(world.machine.describe_group(&group()), Ok(None));
    assert_eq!(world.asked(Request::Delete), Reply::Delete(Err(Refusal::GroupIdNotFound)));
}

fn check_retention(world: &mut Coordination, since: u8) {
    world.hear(Input::RetentionChecked { at: 9, group: group(), since });
    world.commit();
}

// Verifies: group.retention.since, group.retention.offset
#[test]
fn offsets_of_topics_that_no_one_reads_have_their_time() {
    let mut world = Coordination::stable(&["a"]);
    let given = OffsetToCommit { offset: Offset(5), leader_epoch: None, metadata: None, metadata_length: 0 };
    let offsets = [on("t", 0), on("u", 0)].map(|partition| (partition, given.clone())).to_vec();
    world.asked(Request::CommitOffsets(CommitOffsets { offsets, ..commit("a", Some(1), 0) }));
    assert_eq!(world.would_forget(0), [on("u", 0)], "a reads t");
    check_retention(&mut world, 9);
    let left = world.machine.fetch_offsets(&Reader::default(), &group(), None).unwrap();
    assert_eq!(left.into_iter().map(|(partition, _)| partition).collect::<Vec<_>>(), [on("t", 0)]);
    world.ask(Request::Join(JoinGroup { protocols: protocols(&["range"], 1), ..join(Some("a"), "?") }));
    assert_eq!((world.state(), world.would_forget(9)), (State::CompletingRebalance, vec![]), "who knows");
    let ticket = world.next_ticket();
    world.hear(Input::Asked { ticket, at: 7, group: group(), request: Request::Leave(vec![dynamic("a")]) });
    check_retention(&mut world, 6);
    assert_eq!(committed(&world)[0], Some(5), "the last member left at 7");
    check_retention(&mut world, 7);
    assert_eq!(committed(&world)[0], None);
}

// Verifies: group.retention.group, group.retention.since
#[test]
fn a_group_that_is_left_with_no_one_and_nothing_is_forgotten() {
    let mut world = Coordination::stable(&["a"]);
    check_retention(&mut world, 9);
    assert_eq!(world.machine.list_groups().unwrap().len(), 1, "someone is in it");
    world.asked(Request::Leave(vec![dynamic("a")]));
    let ticket = world.next_ticket();
    let request = Request::CommitOffsets(commit("", None, 5));
    world.hear(Input::Asked { ticket, at: 3, group: group(), request });
    world.commit();
    assert_eq!(world.would_forget(0), [on("t", 0)], "since the last member left, not since it was committed");
    check_retention(&mut world, 0);
    assert_eq!((world.machine.list_groups().unwrap(), committed(&world)), (vec![], vec![None, None]));
    world.asked(Request::CommitOffsets(commit("", None, 5)));
    assert_eq!(world.would_forget(0), [on("t", 0)], "no one ever was in it");
}
