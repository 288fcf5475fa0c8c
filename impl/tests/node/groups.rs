//! Groups of consumers on one node, asked over its sockets: who is in them, and what outlives a restart.

use crate::support::OneNode;
use crate::support::group::*;
use highwater::wire::Message;
use highwater::wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use highwater::wire::messages::delete_groups::DeleteGroupsRequest;
use highwater::wire::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use highwater::wire::messages::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use highwater::wire::messages::find_coordinator::FindCoordinatorRequest;
use highwater::wire::messages::join_group::JoinGroupRequest;
use highwater::wire::messages::list_groups::ListGroupsRequest;
use highwater::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponseTopic};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use highwater::{client::Connection, records::BatchBuilder};

const INVALID_TOPIC: i16 = 17;
const INVALID_REQUEST: i16 = 42;
const NON_EMPTY_GROUP: i16 = 68;
const GROUP_ID_NOT_FOUND: i16 = 69;

/// `__consumer_offsets`, as Metadata tells of it.
async fn topic_for_groups(connection: &mut Connection) -> MetadataResponseTopic {
    let asked = MetadataRequestTopic { name: Some("__consumer_offsets".to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![asked]), allow_auto_topic_creation: false, ..Default::default() };
    connection.call(&request).await.expect("an answer").topics.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_for_a_coordinator_has_the_topic_for_groups_made() {
    let node = OneNode::start_with(&SETTINGS).await;
    let mut connection = node.connect().await;
    assert_eq!(topic_for_groups(&mut connection).await.error_code, UNKNOWN_TOPIC_OR_PARTITION);
    let found = until_coordinated(&mut connection, "g").await;
    assert_eq!((found.node_id, found.port), (1, node.port().into()));
    let topic = topic_for_groups(&mut connection).await;
    assert_eq!((topic.is_internal, topic.partitions.len()), (true, 3));
    assert_eq!(topic.partitions[0].replica_nodes, [1], "as many as there are brokers");

    let resource = DescribeConfigsResource {
        resource_type: 2,
        resource_name: "__consumer_offsets".to_owned(),
        configuration_keys: Some(["cleanup.policy", "segment.bytes"].map(str::to_owned).to_vec()),
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let answer = connection.call(&request).await.expect("an answer");
    let values: Vec<_> = answer.results[0].configs.iter().map(|config| config.value.as_deref()).collect();
    assert_eq!(values, [Some("compact"), Some("104857600")]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_do_not_write_to_the_topic_for_groups() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    let mut batch = BatchBuilder::new();
    batch.push(1, Some(b"k"), Some(b"v"), &[]).expect("a record that fits");
    let records = Some(batch.build().expect("a batch that fits"));
    let partition_data = vec![PartitionProduceData { index: 0, records }];
    let topic_id = topic_for_groups(&mut connection).await.topic_id;
    let topic_data = vec![TopicProduceData { topic_id, partition_data, ..Default::default() }];
    let request = ProduceRequest { acks: -1, timeout_ms: 5000, topic_data, ..Default::default() };
    let answer = connection.call(&request).await.expect("an answer");
    assert_eq!(answer.responses[0].partition_responses[0].error_code, INVALID_TOPIC);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_is_found_in_every_version_and_only_for_groups() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    until_coordinated(&mut connection, "other").await;
    for version in FindCoordinatorRequest::VERSIONS.iter() {
        let request = |key_type| FindCoordinatorRequest {
            key: "g".to_owned(),
            key_type,
            coordinator_keys: vec!["g".to_owned(), "other".to_owned()],
        };
        let answer = connection.call_at(version, &request(0)).await.expect("an answer");
        let found: Vec<_> = answer.coordinators.iter().map(|found| (found.error_code, found.port)).collect();
        let port = i32::from(node.port());
        match version {
            0..4 => assert_eq!((answer.error_code, answer.node_id, answer.port), (NONE, 1, port)),
            _ => assert_eq!(found, [(NONE, port), (NONE, port)]),
        }
        if version >= 1 {
            let answer = connection.call_at(version, &request(1)).await.expect("an answer");
            let code = answer.coordinators.first().map_or(answer.error_code, |found| found.error_code);
            assert_eq!(code, INVALID_REQUEST, "version {version}: there are no transactions");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_share_out_and_a_member_that_leaves_makes_room() {
    let node = node("g").await;
    let mut first = Member::new(&node, "g").await;
    first.lead_alone().await;
    assert_eq!((first.generation, first.heartbeat().await), (1, NONE));

    let mut second = Member::new(&node, "g").await;
    let joining = tokio::spawn(async move {
        let joined = second.join().await;
        (second, joined)
    });
    while first.heartbeat().await != REBALANCE_IN_PROGRESS {}
    let joined = first.join().await;
    let (mut second, followed) = joining.await.expect("a member that joins");
    assert_eq!((joined.generation_id, followed.generation_id), (2, 2));
    assert_eq!(joined.leader, first.id);
    let mut known: Vec<_> = joined.members.iter().map(|member| member.member_id.clone()).collect();
    let mut expected = vec![first.id.clone(), second.id.clone()];
    known.sort();
    expected.sort();
    assert_eq!((known, followed.members.len()), (expected, 0), "only the leader hears who is there");

    let follower = tokio::spawn(async move {
        let synced = second.sync(&[]).await;
        (second, synced)
    });
    let (one, other) = (first.id.clone(), joined.members.iter().find(|member| member.member_id != first.id));
    let other = other.expect("the second member").member_id.clone();
    let synced = first.sync(&[(&one, "a"), (&other, "b")]).await;
    let (mut second, of_second) = follower.await.expect("a member that syncs");
    assert_eq!((&synced.assignment[..], &of_second.assignment[..]), (&b"a"[..], &b"b"[..]));
    assert_eq!((first.commit(5).await, second.heartbeat().await), (NONE, NONE));

    assert_eq!((first.leave().await, first.leave().await), (NONE, UNKNOWN_MEMBER_ID));
    while second.heartbeat().await != REBALANCE_IN_PROGRESS {}
    second.lead_alone().await;
    assert_eq!(second.generation, 3);
    assert_eq!(fetch(&mut node.connect().await, "g").await, Ok(vec![(0, 5), (1, -1)]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_silent_for_too_long_is_gone() {
    let settings = [SETTINGS[0], SETTINGS[1], ("group.min.session.timeout.ms", "1")];
    let node = OneNode::start_with(&settings).await;
    let mut connection = node.connect().await;
    until_coordinated(&mut connection, "g").await;
    let hasty = |member: &str| JoinGroupRequest { session_timeout_ms: 50, ..join_request("g", member) };
    let id = connection.call(&hasty("")).await.expect("an answer").member_id;
    // Either the id that was handed out is forgotten, or the member is.
    let _ = connection.call(&hasty(&id)).await.expect("an answer");
    let described = async |connection: &mut Connection| {
        let request = DescribeGroupsRequest { groups: vec!["g".to_owned()], ..Default::default() };
        connection.call(&request).await.expect("an answer").groups.remove(0)
    };
    while !described(&mut connection).await.members.is_empty() {}
    let mut next = Member::new(&node, "g").await;
    next.lead_alone().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_outlives_a_restart_with_its_members_and_offsets() {
    let node = node("g").await;
    let mut member = Member::new(&node, "g").await;
    member.lead_alone().await;
    assert_eq!(member.commit(7).await, NONE);

    let node = node.restart().await;
    until_coordinated(&mut node.connect().await, "g").await;
    let mut member = member.reconnected(&node).await;
    assert_eq!(member.heartbeat().await, NONE, "it is still a member");
    let synced = member.sync(&[]).await;
    assert_eq!((synced.error_code, &synced.assignment[..]), (NONE, &b"all"[..]));
    assert_eq!(fetch(&mut node.connect().await, "g").await, Ok(vec![(0, 7), (1, -1)]));
    assert_eq!(member.commit(8).await, NONE);

    let node = node.restart().await;
    until_coordinated(&mut node.connect().await, "g").await;
    assert_eq!(fetch(&mut node.connect().await, "g").await, Ok(vec![(0, 8), (1, -1)]), "the last commit counts");
    node.stop().await;
}

async fn describe(connection: &mut Connection, version: i16, group: &str) -> DescribedGroup {
    let request = DescribeGroupsRequest { groups: vec![group.to_owned()], include_authorized_operations: version >= 3 };
    connection.call_at(version, &request).await.expect("an answer").groups.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_listed_described_and_deleted_in_every_version() {
    let node = node("g").await;
    let mut connection = node.connect().await;
    until_coordinated(&mut connection, "none").await;
    let mut member = Member::new(&node, "g").await;
    member.lead_alone().await;
    for version in DescribeGroupsRequest::VERSIONS.iter() {
        let found = describe(&mut connection, version, "g").await;
        let of_group = (found.error_code, found.group_state.as_str(), found.protocol_data.as_str());
        assert_eq!(of_group, (NONE, "Stable", "range"), "version {version}");
        let [described] = found.members.as_slice() else { panic!("{found:?}") };
        let of_member = (&described.member_id, described.client_id.as_str(), described.client_host.as_str());
        assert_eq!(of_member, (&member.id, "highwater", "/127.0.0.1"));
        assert_eq!(&described.member_assignment[..], b"all");
        assert_eq!(found.authorized_operations, if version >= 3 { 3400 } else { i32::MIN });
        let missing = describe(&mut connection, version, "none").await;
        let expected = if version >= 6 { GROUP_ID_NOT_FOUND } else { NONE };
        assert_eq!((missing.error_code, missing.group_state.as_str()), (expected, "Dead"), "version {version}");
    }
    for version in ListGroupsRequest::VERSIONS.iter() {
        let listed = async |connection: &mut Connection, states: &[&str], types: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let request = ListGroupsRequest { states_filter: owned(states), types_filter: owned(types) };
            loop {
                let answer = connection.call_at(version, &request).await.expect("an answer");
                if answer.error_code != COORDINATOR_LOAD_IN_PROGRESS {
                    break answer.groups.into_iter().map(|group| group.group_id).collect::<Vec<_>>();
                }
            }
        };
        assert_eq!(listed(&mut connection, &[], &[]).await, ["g"], "version {version}");
        if version >= 4 {
            assert_eq!(listed(&mut connection, &["stable"], &[]).await, ["g"]);
            assert_eq!(listed(&mut connection, &["Empty"], &[]).await, [""; 0]);
        }
        if version >= 5 {
            assert_eq!(listed(&mut connection, &[], &["Classic"]).await, ["g"]);
            assert_eq!(listed(&mut connection, &[], &["consumer"]).await, [""; 0]);
        }
    }
    let delete = async |connection: &mut Connection, version| {
        let request = DeleteGroupsRequest { groups_names: vec!["g".to_owned(), "g".to_owned()] };
        let answer = connection.call_at(version, &request).await.expect("an answer");
        answer.results.iter().map(|result| result.error_code).collect::<Vec<_>>()
    };
    assert_eq!(delete(&mut connection, 0).await, [NON_EMPTY_GROUP]);
    assert_eq!(member.leave().await, NONE);
    assert_eq!(delete(&mut connection, 1).await, [NONE]);
    assert_eq!(delete(&mut connection, 2).await, [GROUP_ID_NOT_FOUND]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_that_name_is_not_made_like_any_other() {
    let node = OneNode::start_with(&SETTINGS).await;
    let mut connection = node.connect().await;
    let asked = MetadataRequestTopic { name: Some("__consumer_offsets".to_owned()), ..Default::default() };
    let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
    let count = loop {
        let topic = connection.call(&request).await.expect("an answer").topics.remove(0);
        if topic.error_code == NONE {
            break topic.partitions.len();
        }
    };
    assert_eq!(count, 3, "as many partitions as it is to have, not as others get");
    let topic = CreatableTopic { name: "__consumer_offsets".to_owned(), num_partitions: 1, ..Default::default() };
    let again = CreateTopicsRequest { topics: vec![topic], timeout_ms: 5000, ..Default::default() };
    assert_ne!(connection.call(&again).await.expect("an answer").topics[0].error_code, NONE);
    node.stop().await;
}
