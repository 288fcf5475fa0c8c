//! Committed offsets: in every version, of partitions that aren't there, and from those who may not.

use super::{Session, SessionError, Topic, ends, of_group};
use highwater::wire::Message;
use highwater::wire::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater::wire::messages::offset_delete::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use highwater::wire::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use highwater::wire::messages::{DeleteGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic("committed", 2, 1)?;
    let group = session.name("offsets");
    for version in OffsetCommitRequest::VERSIONS.iter() {
        of_group::ask(session, "committed", version, &commit(&group, &topic.name, &[0]));
        of_group::ask(session, "committed where there is none", version, &commit(&group, &topic.name, &[2, 1]));
        of_group::ask(session, "committed to no topic", version, &commit(&group, "unknown", &[0]));
        let as_member = OffsetCommitRequest {
            member_id: "m".to_owned(),
            generation_id_or_member_epoch: 1,
            ..commit(&group, &topic.name, &[0])
        };
        of_group::ask(session, "committed by nobody", version, &as_member);
        let elsewhere = OffsetCommitRequest { group_id: session.name("nowhere"), ..as_member };
        of_group::ask(session, "committed in no group", version, &elsewhere);
    }
    for version in OffsetFetchRequest::VERSIONS.iter() {
        let of = |group: &str, partitions: Option<&[i32]>| fetch(version, group, &topic, partitions);
        of_group::ask(session, "fetched", version, &of(&group, Some(&[0, 1, 2])));
        of_group::ask(session, "fetched of no group", version, &of(&session.name("nowhere"), Some(&[0])));
        of_group::ask(session, "fetched of no partition", version, &of(&group, Some(&[])));
        if version >= 2 {
            of_group::ask(session, "all fetched", version, &of(&group, None));
            of_group::ask(session, "all fetched of no group", version, &of(&session.name("nowhere"), None));
        }
        if version >= 7 {
            let stable = OffsetFetchRequest { require_stable: true, ..of(&group, Some(&[0, 1])) };
            of_group::ask(session, "fetched, stable", version, &stable);
        }
        of_group::ask_other(session, "fetched elsewhere", version, &of(&group, Some(&[0])));
    }
    for version in ends(OffsetCommitRequest::VERSIONS) {
        unusual(session, version, &group, &topic);
    }
    deleted(session, &group, &topic);
    Ok(())
}

fn commit(group: &str, topic: &str, partitions: &[i32]) -> OffsetCommitRequest {
    let partition = |index: &i32| OffsetCommitRequestPartition {
        partition_index: *index,
        committed_offset: 7,
        committed_leader_epoch: 3,
        committed_metadata: Some("note".to_owned()),
    };
    let partitions = partitions.iter().map(partition).collect();
    let topic = OffsetCommitRequestTopic { name: topic.to_owned(), partitions, ..Default::default() };
    OffsetCommitRequest { group_id: group.to_owned(), topics: vec![topic], ..Default::default() }
}

/// In both ways; each version writes one.
fn fetch(version: i16, group: &str, topic: &Topic, partitions: Option<&[i32]>) -> OffsetFetchRequest {
    let name = topic.name.clone();
    let alone =
        |indexes: &[i32]| vec![OffsetFetchRequestTopic { name: name.clone(), partition_indexes: indexes.to_vec() }];
    let among_others = |indexes: &[i32]| {
        let partition_indexes = indexes.to_vec();
        vec![OffsetFetchRequestTopics { name: name.clone(), partition_indexes, ..Default::default() }]
    };
    let of_group = OffsetFetchRequestGroup {
        group_id: group.to_owned(),
        topics: partitions.map(among_others),
        ..Default::default()
    };
    OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: if version < 8 { partitions.map(alone) } else { Some(Vec::new()) },
        groups: vec![of_group],
        ..Default::default()
    }
}

fn unusual(session: &mut Session, version: i16, group: &str, topic: &Topic) {
    let changed = |change: &dyn Fn(&mut OffsetCommitRequestPartition)| {
        let mut request = commit(group, &topic.name, &[1]);
        change(&mut request.topics[0].partitions[0]);
        request
    };
    for offset in [0, -1, -2, i64::MAX, i64::MIN] {
        let request = changed(&|partition| partition.committed_offset = offset);
        of_group::ask(session, &format!("offset {offset}"), version, &request);
        of_group::ask(session, &format!("fetched after offset {offset}"), 9, &fetch(9, group, topic, Some(&[1])));
    }
    for epoch in [-1, -2, i32::MAX] {
        let request = changed(&|partition| partition.committed_leader_epoch = epoch);
        of_group::ask(session, &format!("leader epoch {epoch}"), version, &request);
        of_group::ask(session, &format!("fetched after epoch {epoch}"), 9, &fetch(9, group, topic, Some(&[1])));
    }
    for length in [4096, 4097] {
        let request = changed(&|partition| partition.committed_metadata = Some("x".repeat(length)));
        of_group::ask(session, &format!("{length} characters beside it"), version, &request);
    }
    let nothing = changed(&|partition| partition.committed_metadata = None);
    of_group::ask(session, "nothing beside it", version, &nothing);
    of_group::ask(session, "fetched with nothing beside it", 9, &fetch(9, group, topic, Some(&[1])));
    for generation in [0, 1, -2] {
        let request =
            OffsetCommitRequest { generation_id_or_member_epoch: generation, ..commit(group, &topic.name, &[1]) };
        of_group::ask(session, &format!("generation {generation}, no member"), version, &request);
    }
    let member = OffsetCommitRequest { member_id: "m".to_owned(), ..commit(group, &topic.name, &[1]) };
    of_group::ask(session, "no generation, a member", version, &member);
    of_group::ask(session, "a group without a name", version, &commit("", &topic.name, &[1]));
    let no_topic = OffsetCommitRequest { topics: vec![], ..commit(group, "", &[]) };
    of_group::ask(session, "no topic", version, &no_topic);
    of_group::ask(session, "no partition", version, &commit(group, &topic.name, &[]));
    of_group::ask(session, "one partition twice", version, &commit(group, &topic.name, &[0, 0]));
    let mut too_many = changed(&|partition| partition.committed_metadata = Some("x".repeat(4096)));
    let large = too_many.topics[0].partitions[0].clone();
    too_many.topics[0].partitions = vec![large; 300];
    of_group::ask(session, "more than the log takes at once", version, &too_many);
    of_group::ask(session, "fetched after that", 9, &fetch(9, group, topic, Some(&[1])));
    of_group::ask_other(session, "committed elsewhere", version, &commit(group, &topic.name, &[0]));
}

fn deleted(session: &mut Session, group: &str, topic: &Topic) {
    let of = |group: &str, topic: &str, partitions: &[i32]| {
        let partitions = partitions.iter().map(|index| OffsetDeleteRequestPartition { partition_index: *index });
        let topic = OffsetDeleteRequestTopic { name: topic.to_owned(), partitions: partitions.collect() };
        OffsetDeleteRequest { group_id: group.to_owned(), topics: vec![topic] }
    };
    let name = topic.name.as_str();
    of_group::ask(session, "deleted where there is none", 0, &of(group, name, &[2, -1]));
    of_group::ask(session, "deleted of no topic", 0, &of(group, "unknown", &[0]));
    of_group::ask(session, "deleted of no group", 0, &of(&session.name("nowhere"), name, &[0]));
    of_group::ask(session, "deleted of a group without a name", 0, &of("", name, &[0]));
    of_group::ask(session, "deleted", 0, &of(group, name, &[0]));
    of_group::ask(session, "deleted again", 0, &of(group, name, &[0]));
    of_group::ask(session, "fetched after deletion", 9, &fetch(9, group, topic, Some(&[0, 1])));
    of_group::ask(session, "nothing deleted", 0, &OffsetDeleteRequest { topics: vec![], ..of(group, name, &[]) });
    // What this run has done to it, the next one is not to meet.
    let nameless = DeleteGroupsRequest { groups_names: vec![String::new()] };
    of_group::ask(session, "the group without a name deleted", 2, &nameless);
    of_group::ask_other(session, "deleted elsewhere", 0, &of(group, name, &[0]));
}
