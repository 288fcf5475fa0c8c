//! Groups of the consumer protocol, beside what was there before: offsets, classic members, requests about classic
//! groups, administrators.

use super::consumer_groups::{beat, describe, join, tell};
use super::groups::{heartbeat as classic_beat, join as classic_join, leave as classic_leave, sync as classic_sync};
use super::{Session, SessionError, Topic, ends, of_group};
use highwater::wire::Message;
use highwater::wire::messages::leave_group::MemberIdentity;
use highwater::wire::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater::wire::messages::offset_delete::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use highwater::wire::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater::wire::messages::{
    ConsumerGroupHeartbeatRequest, DeleteGroupsRequest, DescribeGroupsRequest, LeaveGroupRequest, OffsetCommitRequest,
    OffsetDeleteRequest, OffsetFetchRequest,
};

const LEAVES: i32 = -1;
const PAUSES: i32 = -2;
/// The first version of OffsetCommit and OffsetFetch that knows epochs of members.
const EPOCHS: i16 = 9;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic("consumed-too", 2, 1)?;
    offsets(session, &topic);
    away(session, &topic);
    administered(session, &topic);
    classic_requests(session, &topic);
    classic_members(session, &topic);
    consumers_in_classic_groups(session, &topic);
    Ok(())
}

fn commit(group: &str, member: &str, epoch: i32, topic: &Topic) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition { committed_offset: 7, ..Default::default() };
    let of_topic =
        OffsetCommitRequestTopic { name: topic.name.clone(), partitions: vec![partition], ..Default::default() };
    OffsetCommitRequest {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        generation_id_or_member_epoch: epoch,
        topics: vec![of_topic],
        ..Default::default()
    }
}

fn fetch(group: &str, member: Option<&str>, epoch: i32, topic: &Topic) -> OffsetFetchRequest {
    let of_topic =
        OffsetFetchRequestTopics { name: topic.name.clone(), partition_indexes: vec![0], ..Default::default() };
    let of_group = OffsetFetchRequestGroup {
        group_id: group.to_owned(),
        member_id: member.map(str::to_owned),
        member_epoch: epoch,
        topics: Some(vec![of_topic]),
    };
    // The id by itself isn't sent in these versions; it says whom to ask.
    OffsetFetchRequest { group_id: group.to_owned(), groups: vec![of_group], ..Default::default() }
}

/// A commit that comes late, at the same epoch: the story of `scenarios/set-back.scenario`.
fn set_back(session: &mut Session, group: &str, epoch: i32, topic: &Topic) {
    for (case, offset) in [("commits 9", 9), ("an earlier commit comes late", 3)] {
        let mut request = commit(group, "m", epoch, topic);
        request.topics[0].partitions[0].committed_offset = offset;
        of_group::ask(session, case, EPOCHS, &request);
    }
    of_group::ask(session, "fetched after a late commit", EPOCHS, &fetch(group, Some("m"), epoch, topic));
}

fn offsets(session: &mut Session, topic: &Topic) {
    let group = session.name("consumers-offsets");
    let epoch = tell(session, "joins to commit", &join(&group, "m", &[&topic.name]));
    set_back(session, &group, epoch, topic);
    for version in [2, 8, EPOCHS] {
        of_group::ask(session, "commits at its epoch", version, &commit(&group, "m", epoch, topic));
        of_group::ask(session, "commits behind its epoch", version, &commit(&group, "m", epoch - 1, topic));
        of_group::ask(session, "commits ahead of its epoch", version, &commit(&group, "m", epoch + 1, topic));
        of_group::ask(session, "commits without an epoch", version, &commit(&group, "m", -1, topic));
        of_group::ask(session, "commits at epoch -2", version, &commit(&group, "m", PAUSES, topic));
        of_group::ask(session, "somebody commits", version, &commit(&group, "somebody", epoch, topic));
        of_group::ask(session, "nobody commits", version, &commit(&group, "", -1, topic));
    }
    for (case, member, epoch) in [
        ("fetches at its epoch", Some("m"), epoch),
        ("fetches behind its epoch", Some("m"), epoch - 1),
        ("fetches ahead of its epoch", Some("m"), epoch + 1),
        ("fetches without an epoch", Some("m"), -1),
        ("somebody fetches", Some("somebody"), epoch),
        ("somebody fetches without an epoch", Some("somebody"), -1),
        ("someone without a name fetches", Some(""), epoch),
        ("someone without a name fetches without an epoch", Some(""), -1),
        ("nobody fetches", None, -1),
        ("nobody fetches at an epoch", None, epoch),
    ] {
        of_group::ask(session, case, EPOCHS, &fetch(&group, member, epoch, topic));
    }
    let of_partition = OffsetDeleteRequestPartition { partition_index: 0 };
    let of_topic = OffsetDeleteRequestTopic { name: topic.name.clone(), partitions: vec![of_partition] };
    let delete = OffsetDeleteRequest { group_id: group.clone(), topics: vec![of_topic] };
    of_group::ask(session, "offsets of a topic that is read are deleted", 0, &delete);
    of_group::ask(session, "leaves after commits", 1, &beat(&group, "m", LEAVES));
    of_group::ask(session, "nobody commits to a group without members", EPOCHS, &commit(&group, "", -1, topic));
    of_group::ask(session, "a member that has left commits", EPOCHS, &commit(&group, "m", epoch, topic));
    of_group::ask(session, "nobody fetches of a group without members", EPOCHS, &fetch(&group, None, -1, topic));
    of_group::ask(session, "a member that has left fetches", EPOCHS, &fetch(&group, Some("m"), epoch, topic));
    of_group::ask(session, "offsets of a topic that nobody reads are deleted", 0, &delete);
}

/// A static member that is away, and what is done in its name.
fn away(session: &mut Session, topic: &Topic) {
    let group = session.name("consumers-away");
    let of = |request: ConsumerGroupHeartbeatRequest| ConsumerGroupHeartbeatRequest {
        instance_id: Some("one".to_owned()),
        ..request
    };
    let epoch = tell(session, "a static member joins", &of(join(&group, "m", &[&topic.name])));
    of_group::ask(session, "a static member goes for a while", 1, &of(beat(&group, "m", PAUSES)));
    for said in [epoch, -1, PAUSES] {
        let case = format!("commits at {said} while it is away");
        of_group::ask(session, &case, EPOCHS, &commit(&group, "m", said, topic));
        let case = format!("fetches at {said} while it is away");
        of_group::ask(session, &case, EPOCHS, &fetch(&group, Some("m"), said, topic));
    }
    let removed = MemberIdentity { group_instance_id: Some("one".to_owned()), ..Default::default() };
    let by_instance = LeaveGroupRequest { members: vec![removed], ..classic_leave(&group, "") };
    of_group::ask(session, "an operator removes a static member", 5, &by_instance);
    of_group::ask(session, "described without a static member", 1, &describe(&[&group], false));
}

fn administered(session: &mut Session, topic: &Topic) {
    let group = session.name("consumers-administered");
    tell(session, "joins to be described", &join(&group, "m", &[&topic.name]));
    let delete = DeleteGroupsRequest { groups_names: vec![group.clone()] };
    for version in ends(DescribeGroupsRequest::VERSIONS) {
        let describe = DescribeGroupsRequest { groups: vec![group.clone()], include_authorized_operations: false };
        of_group::ask(session, "described as a classic group", version, &describe);
    }
    of_group::ask(session, "deleted with members", 2, &delete);
    let nobody = MemberIdentity { member_id: "nobody".to_owned(), ..Default::default() };
    let mut both = classic_leave(&group, "m");
    both.members.push(nobody);
    of_group::ask(session, "an operator removes a member, and nobody", 5, &both);
    of_group::ask(session, "beats after it was removed", 1, &beat(&group, "m", 1));
    of_group::ask(session, "described after that", 1, &describe(&[&group], false));
    of_group::ask(session, "deleted", 2, &delete);
    of_group::ask(session, "described when deleted", 1, &describe(&[&group], false));
}

/// What a member of the consumer protocol has no use for.
fn classic_requests(session: &mut Session, topic: &Topic) {
    let group = session.name("consumers-asked");
    let epoch = tell(session, "joins to be asked", &join(&group, "m", &[&topic.name]));
    of_group::ask(session, "syncs", 5, &classic_sync(&group, "m", epoch));
    of_group::ask(session, "beats as a classic member", 4, &classic_beat(&group, "m", epoch));
    of_group::ask(session, "somebody syncs", 5, &classic_sync(&group, "somebody", epoch));
    of_group::ask(session, "somebody beats as a classic member", 4, &classic_beat(&group, "somebody", epoch));
    of_group::ask(session, "leaves as a classic member", 5, &classic_leave(&group, "m"));
    of_group::ask(session, "syncs when it has left", 5, &classic_sync(&group, "m", epoch));
    of_group::ask(session, "beats as a classic member when it has left", 4, &classic_beat(&group, "m", epoch));
}

/// A classic member comes to a group of the consumer protocol, with members and without.
fn classic_members(session: &mut Session, topic: &Topic) {
    let group = session.name("consumers-joined");
    tell(session, "joins before a classic member", &join(&group, "m", &[&topic.name]));
    let mut of_others = classic_join(&group, "");
    of_others.protocol_type = "connect".to_owned();
    of_group::ask(session, "a member of another type joins", 9, &of_others);
    of_group::ask(session, "a classic member joins the living group with an id", 9, &classic_join(&group, "somebody"));
    of_group::ask(session, "a classic member joins the living group", 9, &classic_join(&group, ""));
    let group = session.name("consumers-left");
    tell(session, "joins, and leaves before a classic member", &join(&group, "m", &[&topic.name]));
    of_group::ask(session, "has left before a classic member", 1, &beat(&group, "m", LEAVES));
    of_group::ask(session, "a classic member joins the empty group with an id", 9, &classic_join(&group, "somebody"));
    let classic =
        of_group::ask(session, "a classic member of version 3 joins the empty group", 3, &classic_join(&group, ""));
    of_group::ask(session, "described as what it was", 1, &describe(&[&group], false));
    let Some(member) = classic else { return };
    let share = classic_sync(&group, &member.member_id, member.generation_id);
    of_group::ask(session, "the classic member syncs", 2, &share);
    of_group::ask(session, "described when that is written", 1, &describe(&[&group], false));
    of_group::ask(session, "the classic member leaves it", 2, &classic_leave(&group, &member.member_id));
}

/// A member of the consumer protocol comes to a classic group.
fn consumers_in_classic_groups(session: &mut Session, topic: &Topic) {
    let group = session.name("classic-joined");
    let Some(member) = of_group::ask(session, "a classic group", 3, &classic_join(&group, "")) else { return };
    let (id, generation) = (member.member_id.as_str(), member.generation_id);
    of_group::ask(session, "described as what it is not", 1, &describe(&[&group], false));
    of_group::ask(session, "stays in a classic group", 1, &beat(&group, id, 1));
    of_group::ask(session, "leaves a classic group", 1, &beat(&group, id, LEAVES));
    of_group::ask(session, "the classic member leaves", 2, &classic_leave(&group, id));
    of_group::ask(session, "stays in an empty classic group", 1, &beat(&group, "m", 1));
    of_group::ask(session, "nobody commits to an empty classic group", EPOCHS, &commit(&group, "", -1, topic));
    of_group::ask(session, "joins an empty classic group", 1, &join(&group, "m", &[&topic.name]));
    of_group::ask(session, "its offsets stay", EPOCHS, &fetch(&group, None, -1, topic));
    of_group::ask(session, "the classic member beats", 4, &classic_beat(&group, id, generation));
    of_group::ask(session, "described as what it is", 1, &describe(&[&group], false));
    of_group::ask(session, "leaves what was a classic group", 1, &beat(&group, "m", LEAVES));
}
