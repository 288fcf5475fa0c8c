//! `controller.elect.*`, `controller.elr.*`, `controller.isr.*`

use super::cluster::{Cluster, PARTITION, TOPIC, change, expired, heartbeat, partition, set};
use highwater_spec::controller::{Config, CreateTopic, Election, Heartbeat, Input, IsrChange, Partition, Reply};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{IsrProposal, IsrState};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, BrokerId, Brokers, LeaderEpoch, PartitionEpoch, Ticket};

fn elect(election: Election) -> Input {
    Input::ElectLeader { ticket: Ticket(0), partition: PARTITION, election, choice: None }
}

fn leader_after(partition: Partition, fenced: &[i32], input: Input) -> Option<i32> {
    let mut cluster = Cluster::with(Rules::KAFKA, partition, fenced);
    cluster.hear(Input::Activated);
    cluster.hear(input);
    cluster.now().leader.map(|leader| leader.0)
}

// Verifies: controller.elect.order
#[test]
fn the_leader_stays_and_then_the_order_of_the_assignment_counts() {
    let led_by = |leader: i32| Partition {
        replicas: [3, 1, 2].map(BrokerId).to_vec(),
        leader: Some(BrokerId(leader)),
        ..partition()
    };
    assert_eq!(leader_after(led_by(2), &[], expired(1)), Some(2));
    assert_eq!(leader_after(led_by(2), &[], expired(2)), Some(3));
    assert_eq!(leader_after(led_by(2), &[], elect(Election::Preferred)), Some(3));
    let without_b3 = Partition { isr: set([1, 2]), ..led_by(2) };
    assert_eq!(leader_after(without_b3, &[], elect(Election::Preferred)), Some(2), "b3 may not lead");
}

// Verifies: controller.elect.complete
#[test]
fn only_who_is_complete_and_active_leads() {
    let leaderless = |isr, elr| Partition { leader: None, isr, elr, ..partition() };
    let elected = |partition, fenced: &[i32]| leader_after(partition, fenced, elect(Election::Online));
    assert_eq!(elected(leaderless(set([2]), set([3])), &[1]), Some(2));
    assert_eq!(elected(leaderless(set([2]), set([3])), &[1, 2]), None, "the ISR is not empty");
    assert_eq!(elected(leaderless(set([]), set([3])), &[1, 2]), Some(3));
    let mut cluster = Cluster::with(Rules::KAFKA, leaderless(set([]), set([2, 3])), &[]);
    cluster.hear(elect(Election::Online));
    assert_eq!((&cluster.now().isr, &cluster.now().elr), (&set([2]), &set([3])), "the whole ISR");
    assert!(!cluster.now().recovering, "which is clean");
}

// Verifies: controller.elect.last-known
#[test]
fn when_no_one_is_complete_the_last_leader_leads_again() {
    let alone = Partition { isr: set([1]), ..partition() };
    let mut cluster = Cluster::with(Rules::KAFKA, alone, &[2, 3]);
    cluster.hear(Input::Activated);
    cluster.hear(expired(1));
    assert_eq!((cluster.now().leader, cluster.now().last_known_leader), (None, Some(BrokerId(1))));
    assert_eq!(cluster.now().elr, set([1]));
    cluster.hear(super::cluster::register(1, None));
    assert_eq!(cluster.now().elr, set([]), "it may have lost records");
    cluster.beat(heartbeat(2));
    assert_eq!(cluster.now().leader, None, "b2 did not lead last");
    let (epoch, metadata_end) = (cluster.image().brokers[&BrokerId(1)].epoch, cluster.end());
    cluster.beat(Heartbeat { epoch, metadata_end, ..heartbeat(1) });
    let now = cluster.now();
    assert_eq!((now.leader, now.last_known_leader, now.recovering), (Some(BrokerId(1)), None, true));
}

// Verifies: controller.elect.last-known
#[test]
fn the_last_leader_does_not_lead_again_while_someone_is_complete() {
    for (elr, leader) in [(set([]), Some(BrokerId(1))), (set([3]), None)] {
        let last_known_leader = Some(BrokerId(1));
        let leaderless = Partition { leader: None, isr: set([]), elr, last_known_leader, ..partition() };
        let mut cluster = Cluster::with(Rules::KAFKA, leaderless, &[1, 2, 3]);
        cluster.beat(heartbeat(1));
        assert_eq!(cluster.now().leader, leader);
    }
}

// Verifies: controller.elect.unclean
#[test]
fn a_topic_may_prefer_a_lossy_leader_to_none() {
    let leaderless = Partition { leader: None, isr: set([]), elr: set([1]), ..partition() };
    for (allowed, leader) in [(false, None), (true, Some(BrokerId(2)))] {
        let config = Config { unclean_leader_election: Some(allowed), ..Config::default() };
        let mut cluster = Cluster::configured(Rules::KAFKA, leaderless.clone(), &[1, 3], config);
        cluster.hear(Input::LeaderlessChecked { choice: None });
        let now = cluster.now();
        assert_eq!((now.leader, now.recovering), (leader, allowed));
        assert!(!allowed || (now.isr == set([2]) && now.elr.is_empty()), "its log is all there is: {now:?}");
    }
}

// Verifies: controller.elr.keep, controller.elr.enough
#[test]
fn who_was_in_sync_when_it_became_too_few_stays_eligible() {
    let mut cluster = Cluster::today();
    cluster.hear(Input::Activated);
    let sizes = [(3, set([1, 2]), set([])), (2, set([1]), set([2])), (1, set([]), set([1, 2]))];
    for (broker, isr, elr) in sizes {
        cluster.hear(expired(broker));
        assert_eq!((&cluster.now().isr, &cluster.now().elr), (&isr, &elr), "without b{broker}");
    }
    cluster.beat(heartbeat(1));
    let joined = propose(cluster.now(), set([1, 2]), |_| None);
    assert_eq!((&cluster.now().isr, &cluster.now().elr), (&set([1]), &set([2])));
    cluster.beat(heartbeat(2));
    cluster.hear(joined);
    assert_eq!((&cluster.now().isr, &cluster.now().elr), (&set([1, 2]), &set([])), "enough again");
}

// Verifies: controller.elr.min-isr-changed, controller.config
#[test]
fn another_min_isr_clears_what_rested_on_the_last() {
    let before = Partition { isr: set([1]), elr: set([2]), ..partition() };
    let configure = |topic, min_insync_replicas| {
        let config = Config { min_insync_replicas, ..Config::default() };
        Input::Configure { ticket: Ticket(0), topic, config }
    };
    for (min_insync_replicas, elr) in [(Some(2), set([2])), (Some(3), set([])), (None, set([]))] {
        let mut cluster = Cluster::with(Rules::KAFKA, before.clone(), &[2, 3]);
        assert_eq!(cluster.asked(configure(Some(TOPIC), min_insync_replicas)), Reply::Configured);
        assert_eq!(cluster.now().elr, elr, "{min_insync_replicas:?}");
    }
    let mut cluster = Cluster::today();
    let invalid = Reply::Refused(Refusal::InvalidConfig);
    assert_eq!(cluster.asked(configure(Some(TOPIC), Some(0))), invalid);
    assert_eq!(cluster.asked(configure(None, Some(1))), Reply::Configured);
    assert_eq!(cluster.asked(configure(None, None)), invalid, "the cluster's own stays");
}

// Verifies: controller.isr.last
#[test]
fn without_elrs_the_last_one_in_sync_stays_there() {
    let alone = Partition { isr: set([1]), ..partition() };
    for (rules, isr, elr) in [(Rules::V3_9, set([1]), set([])), (Rules::KAFKA, set([]), set([1]))] {
        let mut cluster = Cluster::with(rules, alone.clone(), &[2, 3]);
        cluster.hear(Input::Activated);
        let written = cluster.hear(expired(1));
        assert_eq!(change(&written).leader, Some(None), "it may not lead");
        assert_eq!((&cluster.now().isr, &cluster.now().elr), (&isr, &elr), "{rules}");
    }
}

fn propose(now: &Partition, isr: Brokers, epoch_of: impl Fn(BrokerId) -> Option<i64>) -> Input {
    let proposal = IsrProposal {
        leader_epoch: now.leader_epoch,
        partition_epoch: now.partition_epoch,
        members: isr.iter().map(|member| (member, epoch_of(member).map(BrokerEpoch))).collect(),
    };
    of(proposal)
}

fn of(proposal: IsrProposal) -> Input {
    let changes = vec![IsrChange { partition: PARTITION, proposal }];
    Input::AlterPartition { ticket: Ticket(0), broker: BrokerId(1), broker_epoch: BrokerEpoch(1), changes }
}

fn altered(cluster: &mut Cluster, input: Input) -> Result<IsrState, Refusal> {
    match cluster.asked(input) {
        Reply::AlteredPartitions(mut answers) => answers.remove(0).1,
        other => panic!("{other:?}"),
    }
}

// Verifies: controller.isr.newer, controller.isr.compare
#[test]
fn a_proposal_counts_if_it_was_made_from_what_is_in_force() {
    let cases = [
        (5, 7, None),
        (6, 7, Some(Refusal::NotController)),
        (5, 8, Some(Refusal::NotController)),
        (4, 8, Some(Refusal::NotController)),
        (4, 7, Some(Refusal::FencedLeaderEpoch)),
        (5, 6, Some(Refusal::InvalidUpdateVersion)),
    ];
    for (leader_epoch, partition_epoch, refusal) in cases {
        let mut cluster = Cluster::today();
        let (leader_epoch, partition_epoch) = (LeaderEpoch(leader_epoch), PartitionEpoch(partition_epoch));
        let members = vec![(BrokerId(1), None), (BrokerId(2), None)];
        let proposal = IsrProposal { leader_epoch, partition_epoch, members };
        let answer = altered(&mut cluster, of(proposal.clone()));
        assert_eq!(answer.clone().err(), refusal, "{leader_epoch} {partition_epoch}");
        let isr = if refusal.is_some() { set([1, 2, 3]) } else { set([1, 2]) };
        assert_eq!(cluster.now().isr, isr);
        if let Ok(state) = answer {
            assert_eq!((state.partition_epoch, state.isr), (PartitionEpoch(8), isr));
            assert_eq!(altered(&mut cluster, of(proposal)), Err(Refusal::InvalidUpdateVersion), "and once");
        }
    }
}

#[test]
fn a_leader_proposes_itself_and_replicas_each_once() {
    let wrong: [&[i32]; 4] = [&[2, 3], &[], &[1, 4], &[1, 2, 2]];
    for members in wrong {
        let mut cluster = Cluster::today();
        let (leader_epoch, partition_epoch) = (LeaderEpoch(5), PartitionEpoch(7));
        let named = members.iter().map(|member| (BrokerId(*member), None)).collect();
        let answer = altered(&mut cluster, of(IsrProposal { leader_epoch, partition_epoch, members: named }));
        assert_eq!(answer, Err(Refusal::InvalidRequest), "{members:?}");
        assert_eq!(cluster.now().isr, set([1, 2, 3]));
    }
}

// Verifies: controller.isr.eligible
#[test]
fn only_active_members_of_the_process_that_fetched_are_accepted() {
    let smaller = Partition { isr: set([1, 2]), ..partition() };
    let cases: [(&[i32], Option<i64>, bool); 4] =
        [(&[], Some(3), true), (&[], None, true), (&[], Some(2), false), (&[3], Some(3), false)];
    for (fenced, epoch, accepted) in cases {
        let mut cluster = Cluster::with(Rules::KAFKA, smaller.clone(), fenced);
        let input = propose(&smaller, set([1, 2, 3]), |member| if member == BrokerId(3) { epoch } else { None });
        let answer = altered(&mut cluster, input);
        assert_eq!(
            answer.err(),
            (!accepted).then_some(Refusal::IneligibleReplica),
            "fenced {fenced:?}, epoch {epoch:?}"
        );
    }
    let mut cluster = Cluster::with(Rules::KAFKA, smaller.clone(), &[]);
    let assignment = vec![vec![BrokerId(3)]];
    cluster
        .hear(Input::CreateTopic { ticket: Ticket(0), topic: CreateTopic { assignment, ..super::topics::topic("u") } });
    cluster.beat(Heartbeat { want_shutdown: true, ..heartbeat(3) });
    let found = cluster.image().brokers[&BrokerId(3)];
    assert!(found.in_controlled_shutdown && !found.fenced, "it led the other topic");
    let answer = altered(&mut cluster, propose(&smaller, set([1, 2, 3]), |_| None));
    assert_eq!(answer, Err(Refusal::IneligibleReplica), "b3 is on its way out");
}
