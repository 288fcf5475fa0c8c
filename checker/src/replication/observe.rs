//! Keeping the history: what was promised, and whether it was kept. And the view that properties judge.

use super::Bounds;
use super::state::{Model, PARTITION, State, asked_for_all, index, value_of};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Answer, Ask, ProduceOutcome, Reader, Replica};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, LeaderEpoch, Offset, Ticket};
use highwater_spec::view::{Belief, History, ReplicaView, Running, View};

/// A high watermark with the leadership that it belongs to.
#[derive(Clone, Copy)]
pub struct Leadership {
    epoch: Option<LeaderEpoch>,
    high_watermark: Offset,
}

impl Leadership {
    pub fn of(replica: &Replica<Model>) -> Self {
        let epoch = replica.leader_epoch().filter(|_| replica.leader().is_some());
        Self { epoch, high_watermark: replica.high_watermark() }
    }
}

/// P-11: a leader's high watermark does not go back.
pub fn high_watermark(state: &mut State, before: Leadership, after: Leadership) {
    if before.epoch.is_some() && before.epoch == after.epoch && after.high_watermark < before.high_watermark {
        state.history.edit().went_back = true;
    }
}

/// A producer got its answer.
pub fn answered(state: &mut State, by: BrokerId, ticket: Ticket, outcome: ProduceOutcome) {
    if outcome == ProduceOutcome::Refused(Refusal::OutOfOrderSequenceNumber) {
        return denied(state, by, u64::from(value_of(ticket)));
    }
    let (ProduceOutcome::Acked { .. } | ProduceOutcome::Duplicate { .. }) = outcome else { return };
    let value = u64::from(value_of(ticket));
    let history = state.history.edit();
    let all = asked_for_all(ticket);
    let list = if all { &mut history.acknowledged } else { &mut history.acknowledged_by_leader };
    if let Err(place) = list.binary_search(&value) {
        list.insert(place, value);
    }
}

/// A leader does not know a record again, or not the one that comes next. The worlds are too small for more than five to
/// have come after it.
fn denied(state: &mut State, by: BrokerId, value: u64) {
    let log = &state.node(by).disk.log;
    let comes_next = log.last().is_some_and(|last| last.value + 1 == value);
    if comes_next || log.iter().any(|entry| entry.value == value) {
        state.history.edit().denied = Some(value);
    }
}

/// A replica is about to cut its log. One that may not be elected may cut what it likes: it will be given it again.
pub fn cut(state: &mut State, of: BrokerId, to: Offset) {
    let Some(partition) = state.image().partition(PARTITION) else { return };
    let registered = state.image().brokers.get(&of).map(|known| known.epoch);
    let present = state.process(of).is_some_and(|process| process.broker.epoch() == registered);
    if !present || !partition.isr.union(&partition.elr).contains(of) {
        return;
    }
    let committed = &state.history.committed;
    let from = usize::try_from(to.0).unwrap_or(0);
    let log = &state.nodes[index(of)].disk.log;
    let lost = (from..log.len().min(committed.len())).find(|place| log[*place] == committed[*place]);
    if let Some(lost) = lost {
        state.history.edit().cut = Some(Offset(lost as i64));
    }
}

/// Whatever a broker's view lets consumers read now is committed, and may not contradict what was.
pub fn exposed(state: &mut State, rules: &Rules, by: BrokerId) {
    let node = &state.nodes[index(by)];
    let Some(process) = &node.process else { return };
    let from = process.published.log_start;
    let ask = Ask { reader: Reader::Consumer, leader_epoch: None, offset: from, last_fetched_epoch: None };
    let Answer::Read { upto, .. } = process.published.answer(rules, &ask) else { return };
    let bound = process.readable_below.map_or(upto, |cut| cut.min(upto));
    let readable = usize::try_from(bound.0).unwrap_or(0).min(node.disk.log.len());
    let committed = &state.history.committed;
    let differs = (0..readable.min(committed.len())).find(|place| node.disk.log[*place] != committed[*place]);
    if differs.is_none() && readable <= committed.len() {
        return;
    }
    let more = node.disk.log[committed.len().min(readable)..readable].to_vec();
    let history = state.history.edit();
    history.rewritten = history.rewritten.or(differs.map(|place| Offset(place as i64)));
    history.committed.extend(more);
}

/// Calls `judge` with the view of a state.
pub fn with_view<T>(bounds: &Bounds, state: &State, judge: impl FnOnce(&View<'_>) -> T) -> T {
    let replicas: Vec<_> = state.brokers().map(|broker| replica_view(state, broker)).collect();
    let history: &History = &state.history;
    let sequenced = bounds.all_sequenced();
    judge(&View {
        partition: PARTITION,
        metadata: state.image(),
        metadata_end: state.controller.end(),
        replicas: &replicas,
        sequenced: &sequenced,
        history,
    })
}

fn replica_view(state: &State, broker: BrokerId) -> ReplicaView<'_> {
    let node = state.node(broker);
    let running = node.process.as_ref().map(|process| Running {
        broker_epoch: process.broker.epoch(),
        image: process.broker.image(),
        metadata_end: process.broker.metadata_end(),
        image_is_a_prefix: process.image_is_a_prefix,
        replica: Some(Belief {
            log_start: process.replica.log().start,
            log_end: process.replica.log().end,
            high_watermark: process.replica.high_watermark(),
            epochs: &process.replica.log().epochs,
            producers: process.replica.producers(),
            leader_epoch: process.replica.leader_epoch(),
            partition_epoch: process.replica.partition_epoch(),
            leads: process.replica.leader().map(|leader| (leader.isr.committed().clone(), leader.isr.maximal())),
        }),
    });
    ReplicaView { broker, log: &node.disk.log, log_start: Offset(0), running }
}
