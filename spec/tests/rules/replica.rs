//! A replica on b1, and how to lead it where a rule is to be seen.

pub use crate::carrier::{ME, Test};
use highwater_spec::log::{EpochCache, EpochEntry, Found, recover};
use highwater_spec::machine::Machine;
use highwater_spec::replica::{
    Acks, Assignment, FollowerFetch, Input, Output, Peer, Produce, ProduceOutcome, Replica, Timer,
};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, BrokerId, Brokers, LeaderEpoch, Offset, PartitionEpoch, Ticket};

pub const B2: BrokerId = BrokerId(2);
pub const B3: BrokerId = BrokerId(3);

pub fn set<const N: usize>(ids: [i32; N]) -> Brokers {
    ids.into_iter().map(BrokerId).collect()
}

/// A replica whose log ends at `end`, with epochs as (epoch, start), that has heard nothing yet.
pub fn replica(end: i64, epochs: &[(i32, i64)], high_watermark: i64) -> Replica<Test> {
    let entry = |(epoch, start): &(i32, i64)| EpochEntry { epoch: LeaderEpoch(*epoch), start: Offset(*start) };
    let epochs: EpochCache = epochs.iter().map(entry).collect();
    let (end, high_watermark) = (Offset(end), Offset(high_watermark));
    Replica::new(ME, recover(Found { start: Offset(0), end, epochs, high_watermark, producers: Default::default() }))
}

/// An assignment to b1, b2 and b3, of which b1 and b2 are in sync; b2 and b3 are active, with broker epochs 20 and 30.
pub fn assigned(leader: i32, leader_epoch: i32, partition_epoch: i32) -> Assignment<Test> {
    let peer = |id: i32| Peer { broker: BrokerId(id), epoch: BrokerEpoch(i64::from(id) * 10), active: true };
    Assignment {
        leader: Some(BrokerId(leader)),
        leader_epoch: LeaderEpoch(leader_epoch),
        partition_epoch: PartitionEpoch(partition_epoch),
        replicas: set([1, 2, 3]),
        isr: set([1, 2]),
        min_insync_replicas: 1,
        peers: vec![peer(2), peer(3)],
        at: 100,
    }
}

pub fn step(replica: &mut Replica<Test>, input: Input<Test>) -> Vec<Output<Test>> {
    step_by(&Rules::KAFKA, replica, input)
}

pub fn step_by(rules: &Rules, replica: &mut Replica<Test>, input: Input<Test>) -> Vec<Output<Test>> {
    let mut out = Vec::new();
    replica.step(rules, input, &mut out);
    out
}

/// b1, which leads in e3, p5 from an empty log.
pub fn leader() -> Replica<Test> {
    let mut replica = replica(0, &[], 0);
    step(&mut replica, Input::Assigned(assigned(1, 3, 5)));
    replica
}

pub fn produce(ticket: u32, acks: Acks, count: u32) -> Input<Test> {
    Input::Produced(vec![Produce { ticket: Ticket(ticket), acks, count, producer: None, bytes: 0 }])
}

/// A fetch in e3 that parts from nothing, of the process that is registered.
pub fn fetch(replica: BrokerId, offset: i64) -> FollowerFetch<Test> {
    FollowerFetch {
        replica,
        broker_epoch: Some(BrokerEpoch(i64::from(replica.0) * 10)),
        leader_epoch: Some(LeaderEpoch(3)),
        offset: Offset(offset),
        last_fetched_epoch: None,
        at: 1,
    }
}

pub fn fetched(replica: &mut Replica<Test>, fetch: FollowerFetch<Test>) -> Vec<Output<Test>> {
    step(replica, Input::FollowerFetched(fetch))
}

/// The answers to producers.
pub fn replies(out: &[Output<Test>]) -> Vec<(u32, ProduceOutcome)> {
    let reply = |output: &Output<Test>| match output {
        Output::Reply { ticket, outcome } => Some((ticket.0, *outcome)),
        _ => None,
    };
    out.iter().filter_map(reply).collect()
}

/// The members of the proposed ISR, if one is proposed.
pub fn proposed(out: &[Output<Test>]) -> Option<Brokers> {
    out.iter()
        .find_map(|output| if let Output::ProposeIsr(proposal) = output { Some(proposal.brokers()) } else { None })
}

pub fn lag(broker: BrokerId) -> Input<Test> {
    Input::TimerFired(Timer::Lag(broker))
}

pub fn appends(out: &[Output<Test>]) -> bool {
    out.iter().any(|output| matches!(output, Output::Append(_)))
}
