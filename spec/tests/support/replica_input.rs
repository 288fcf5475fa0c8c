//! Whatever a replica may hear, in small numbers: what fits, what is stale and what is plain wrong.

use crate::carrier::{ME, Test};
use highwater_spec::log::{Batch, EpochEnd};
use highwater_spec::producer::{Sequence, Sequenced};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::*;
use highwater_spec::values::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn broker() -> impl Strategy<Value = BrokerId> + Clone {
    prop_oneof![2 => Just(ME), 3 => (1..=4).prop_map(BrokerId)]
}

fn brokers() -> impl Strategy<Value = Brokers> {
    vec(broker(), 0..5).prop_map(|members| members.into_iter().collect())
}

fn epoch() -> impl Strategy<Value = LeaderEpoch> + Clone {
    (0..=4).prop_map(LeaderEpoch)
}

pub fn offset() -> impl Strategy<Value = Offset> + Clone {
    (-1..=6_i64).prop_map(Offset)
}

fn broker_epoch() -> impl Strategy<Value = BrokerEpoch> + Clone {
    (0..=1_i64).prop_map(BrokerEpoch)
}

fn peers() -> impl Strategy<Value = Vec<Peer>> {
    let active = prop::bool::weighted(0.8);
    vec((broker(), broker_epoch(), active).prop_map(|(broker, epoch, active)| Peer { broker, epoch, active }), 0..5)
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        select(Refusal::ALL),
        select(vec![Refusal::OffsetOutOfRange, Refusal::FencedLeaderEpoch, Refusal::IneligibleReplica])
    ]
}

fn asked() -> impl Strategy<Value = FetchRequest> {
    (broker(), epoch(), offset(), of(epoch())).prop_map(|(leader, leader_epoch, offset, last_fetched_epoch)| {
        FetchRequest { leader, leader_epoch, offset, last_fetched_epoch }
    })
}

/// Of two producers in two epochs, with numbers around the largest.
fn sequenced() -> impl Strategy<Value = Sequenced> {
    let first = prop_oneof![4 => 0..4, 1 => i32::MAX - 1..=i32::MAX];
    (0..2_i64, 0..2_i16, first, 0..3_i64).prop_map(|(producer, epoch, first, timestamp)| Sequenced {
        producer: ProducerId(producer),
        epoch: ProducerEpoch(epoch),
        first: Sequence(first),
        timestamp: Timestamp(timestamp),
    })
}

fn answer() -> impl Strategy<Value = FetchAnswer<Test>> {
    let batch = (offset(), 0..3_u32, epoch(), of(sequenced()), any::<u8>());
    let batch = batch.prop_map(|(base, count, epoch, producer, bytes)| Batch { base, count, epoch, producer, bytes });
    prop_oneof![
        4 => (vec(batch, 0..3), offset(), offset())
            .prop_map(|(batches, high_watermark, log_start)| FetchAnswer::Records { batches, high_watermark, log_start }),
        2 => (epoch(), offset()).prop_map(|(epoch, end)| FetchAnswer::Diverging(EpochEnd { epoch, end })),
        2 => refusal().prop_map(FetchAnswer::Refused),
    ]
}

pub fn input() -> impl Strategy<Value = Input<Test>> {
    let ticket = || (0..=5_u32).prop_map(Ticket);
    let partition_epoch = || (0..=4).prop_map(PartitionEpoch);
    let acks = select(vec![Acks::None, Acks::Leader, Acks::All, Acks::All]);
    let produce = (ticket(), acks, 0..3_u32, of(sequenced()), any::<u8>());
    let produce =
        produce.prop_map(|(ticket, acks, count, producer, bytes)| Produce { ticket, acks, count, producer, bytes });
    let members = vec((broker(), of(broker_epoch())), 0..4);
    let state = (epoch(), partition_epoch(), brokers());
    let assigned = (of(broker()), epoch(), partition_epoch(), brokers(), brokers(), 0..3_usize, peers(), any::<u8>());
    let fetched = (broker(), of(broker_epoch()), of(epoch()), offset(), of(epoch()), any::<u8>());
    let timer = prop_oneof![broker().prop_map(Timer::Lag), Just(Timer::FetchRetry)];
    prop_oneof![
        24 => assigned.prop_map(|(leader, leader_epoch, partition_epoch, replicas, isr, min, peers, at)| {
            Input::Assigned(Assignment {
                leader, leader_epoch, partition_epoch, replicas, isr, min_insync_replicas: min, peers, at,
            })
        }),
        6 => (peers(), 0..4_usize).prop_map(|(peers, min_insync_replicas)| Input::ClusterChanged { peers, min_insync_replicas }),
        24 => vec(produce, 0..4).prop_map(Input::Produced),
        4 => ticket().prop_map(Input::ProduceTimedOut),
        30 => fetched.prop_map(|(replica, broker_epoch, leader_epoch, offset, last_fetched_epoch, at)| {
            Input::FollowerFetched(FollowerFetch { replica, broker_epoch, leader_epoch, offset, last_fetched_epoch, at })
        }),
        40 => (asked(), answer()).prop_map(|(asked, answer)| Input::FetchAnswered { asked, answer }),
        6 => (asked(), offset(), offset()).prop_map(|(asked, start, end)| Input::LogEndsAnswered { asked, start, end }),
        12 => (members, epoch(), partition_epoch(), state, of(refusal())).prop_map(|(members, e, p, state, refused)| {
            let (leader_epoch, partition_epoch, isr) = state;
            let proposal = IsrProposal { leader_epoch: e, partition_epoch: p, members };
            let outcome = refused.map_or(Ok(IsrState { leader_epoch, partition_epoch, isr }), Err);
            Input::IsrAnswered { proposal, outcome }
        }),
        1 => vec((0..2_i64).prop_map(ProducerId), 0..2).prop_map(Input::ProducersExpired),
        12 => timer.prop_map(Input::TimerFired),
        2 => Just(Input::Closing),
        1 => Just(Input::Failed { unanswered: Vec::new() }),
        1 => Just(Input::Deleted),
    ]
}
