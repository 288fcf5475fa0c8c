//! `controller.topic.*`

use super::cluster::{Cluster, partition, set};
use highwater_spec::controller::{Config, CreateTopic, Image, Input, Partition, Reply, is_valid_topic_name};
use highwater_spec::refusal::Refusal;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, Ticket, TopicId};

const NEW: TopicId = TopicId([2; 16]);

pub fn topic(name: &str) -> CreateTopic {
    CreateTopic {
        id: NEW,
        name: name.into(),
        partitions: 3,
        replication_factor: 2,
        first: 1,
        assignment: Vec::new(),
        config: Config::default(),
        validate_only: false,
    }
}

fn created(cluster: &mut Cluster, topic: CreateTopic) -> Result<Vec<Partition>, Refusal> {
    match cluster.asked(Input::CreateTopic { ticket: Ticket(0), topic }) {
        Reply::Created(id) => Ok(of(cluster.image(), id)),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn of(image: &Image, id: TopicId) -> Vec<Partition> {
    image.topics[&id].partitions.clone()
}

fn replicas(partitions: &[Partition]) -> Vec<Vec<i32>> {
    partitions.iter().map(|found| found.replicas.iter().map(|broker| broker.0).collect()).collect()
}

// Verifies: controller.topic.name
#[test]
fn a_name_must_do_for_a_folder() {
    for good in ["a", "A-b_c.9", "...", &"x".repeat(249)] {
        assert!(is_valid_topic_name(good), "{good}");
    }
    for bad in ["", ".", "..", "a b", "a/b", "ä", &"x".repeat(250)] {
        assert!(!is_valid_topic_name(bad), "{bad}");
    }
    let mut cluster = Cluster::today();
    assert_eq!(created(&mut cluster, topic("a b")), Err(Refusal::InvalidTopic));
    assert!(created(&mut cluster, topic("a.b")).is_ok());
    let another = |name| CreateTopic { id: TopicId([3; 16]), ..topic(name) };
    assert_eq!(created(&mut cluster, another("a_b")), Err(Refusal::InvalidTopic), "it would share metrics' names");
    assert_eq!(created(&mut cluster, another("a.b")), Err(Refusal::TopicAlreadyExists));
}

// Verifies: controller.topic.place
#[test]
fn replicas_are_striped_and_fenced_brokers_come_last() {
    let placed = |fenced: &[i32], topic| {
        let mut cluster = Cluster::with(Rules::KAFKA, partition(), fenced);
        created(&mut cluster, topic).map(|partitions| replicas(&partitions))
    };
    assert_eq!(placed(&[], topic("u")), Ok(vec![vec![2, 3], vec![3, 1], vec![1, 2]]));
    assert_eq!(placed(&[], CreateTopic { first: 3, ..topic("u") }), Ok(vec![vec![1, 2], vec![2, 3], vec![3, 1]]));
    assert_eq!(placed(&[1, 2], topic("u")), Ok(vec![vec![3, 2], vec![3, 1], vec![3, 2]]));
    let refused = Err(Refusal::InvalidReplicationFactor);
    assert_eq!(placed(&[1, 2, 3], topic("u")), refused);
    assert_eq!(placed(&[], CreateTopic { replication_factor: 4, ..topic("u") }), refused);
    assert_eq!(placed(&[], CreateTopic { partitions: 0, ..topic("u") }), Err(Refusal::InvalidPartitions));
}

// Verifies: controller.topic.assignment, controller.topic.first
#[test]
fn an_assignment_is_taken_if_it_makes_sense() {
    let assigned = |fenced: &[i32], assignment: &[&[i32]]| {
        let assignment = assignment.iter().map(|ids| ids.iter().copied().map(BrokerId).collect()).collect();
        let mut cluster = Cluster::with(Rules::KAFKA, partition(), fenced);
        created(&mut cluster, CreateTopic { assignment, partitions: -1, replication_factor: -1, ..topic("u") })
    };
    let found = assigned(&[2], &[&[2, 3], &[3, 1]]).unwrap();
    let begun: Vec<_> = found.iter().map(|found| (found.leader.unwrap().0, found.isr.clone())).collect();
    assert_eq!(begun, [(3, set([3])), (3, set([1, 3]))], "b2 is fenced");
    let bad: [(&[i32], &[&[i32]]); 5] =
        [(&[], &[&[1, 1]]), (&[], &[&[1, 4]]), (&[], &[&[1, 2], &[3]]), (&[], &[&[]]), (&[2, 3], &[&[2, 3]])];
    for (fenced, assignment) in bad {
        assert_eq!(assigned(fenced, assignment), Err(Refusal::InvalidReplicaAssignment), "{assignment:?}");
    }
}
