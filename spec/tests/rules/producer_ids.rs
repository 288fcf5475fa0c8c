//! `controller.producer-ids.*`

use super::cluster::Cluster;
use highwater_spec::controller::{Input, PRODUCER_IDS_PER_BLOCK, Record, Reply};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{BrokerEpoch, BrokerId, ProducerId, Ticket};

fn asked(cluster: &mut Cluster, broker: i32, epoch: i64) -> Reply {
    let (broker, broker_epoch) = (BrokerId(broker), BrokerEpoch(epoch));
    cluster.asked(Input::AllocateProducerIds { ticket: Ticket(0), broker, broker_epoch })
}

fn block(first: i64) -> Reply {
    Reply::ProducerIds { first: ProducerId(first), count: PRODUCER_IDS_PER_BLOCK }
}

// Verifies: controller.producer-ids.once
#[test]
fn blocks_follow_on_each_other_whoever_asks() {
    let mut cluster = Cluster::today();
    assert_eq!(asked(&mut cluster, 1, 1), block(0));
    assert_eq!(asked(&mut cluster, 2, 2), block(1000));
    assert_eq!(asked(&mut cluster, 1, 1), block(2000));
    assert_eq!(cluster.image().next_producer_id, ProducerId(3000));
}

// Verifies: controller.producer-ids.epoch
#[test]
fn who_is_not_registered_now_gets_none() {
    let mut cluster = Cluster::today();
    assert_eq!(asked(&mut cluster, 1, 0), Reply::Refused(Refusal::StaleBrokerEpoch));
    assert_eq!(asked(&mut cluster, 9, 1), Reply::Refused(Refusal::StaleBrokerEpoch));
    assert_eq!(cluster.image().next_producer_id, ProducerId(0));
}

// Verifies: controller.producer-ids.once
#[test]
fn the_ids_do_not_begin_again_when_all_are_given_out() {
    let mut image = Cluster::today().image().clone();
    let (broker, broker_epoch) = (BrokerId(1), BrokerEpoch(1));
    image.apply(&Record::ProducerIdsAllocated { broker, broker_epoch, next: ProducerId(i64::MAX - 5) });
    image.apply(&Record::ProducerIdsAllocated { broker, broker_epoch, next: ProducerId(7) });
    assert_eq!(image.next_producer_id, ProducerId(i64::MAX - 5), "nor go back");
    assert_eq!(asked(&mut Cluster::of(image), 1, 1), Reply::Refused(Refusal::UnknownServerError));
}
