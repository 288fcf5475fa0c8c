//! Marks: which rules, and which of their conditions, a run of the machines goes through.
//!
//! Where a machine decides by a rule, it says so: by `guard!("rule", condition)`, which is the condition, or by
//! `rule!("rule")` where there is none. With the feature `marks` each thread counts what it passes, and [`take`] tells;
//! without it a mark is nothing at all. Machines cannot see the counts, so that they decide alike with and without.
//!
//! A mark is named after its rule; where a rule has several, `/` and a word tell them apart.

use std::collections::BTreeMap;

/// A place where a machine decides by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Its name.
    pub id: &'static str,
    /// Whether it has a condition, which may hold or not.
    pub is_guard: bool,
}

/// How often a run came past a mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// With its condition met, or without one.
    pub met: u64,
    /// With its condition not met.
    pub unmet: u64,
}

impl Mark {
    /// The rule that it belongs to.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(rule, _)| rule)
    }
}

const fn conditional(id: &'static str) -> Mark {
    Mark { id, is_guard: true }
}

const fn plain(id: &'static str) -> Mark {
    Mark { id, is_guard: false }
}

/// Every mark, by name.
pub const ALL: [Mark; 261] = [
    plain("broker.heartbeat"),
    conditional("broker.heartbeat.ready"),
    conditional("broker.isr.one-request"),
    plain("broker.isr.retry"),
    conditional("broker.metadata.first"),
    plain("broker.metadata.order"),
    conditional("broker.metadata.snapshot"),
    plain("broker.metadata.whole"),
    conditional("broker.register"),
    conditional("broker.shutdown.clean"),
    plain("client.consumer.begin"),
    conditional("client.consumer.close"),
    conditional("client.consumer.commit"),
    conditional("client.consumer.commit.refused"),
    conditional("client.consumer.commit.refused/news"),
    conditional("client.consumer.cooperative"),
    plain("client.consumer.coordinator"),
    conditional("client.consumer.deliver"),
    plain("client.consumer.eager"),
    conditional("client.consumer.heartbeat"),
    conditional("client.consumer.lead"),
    conditional("client.consumer.lead/skips"),
    plain("client.consumer.lost"),
    plain("client.consumer.member-id"),
    plain("client.consumer.member-id/none"),
    plain("client.consumer.poll"),
    conditional("client.consumer.poll-interval"),
    conditional("client.consumer.poll/commits"),
    conditional("client.consumer.poll/out"),
    conditional("client.consumer.poll/rejoins"),
    conditional("client.consumer.rejoin"),
    conditional("client.consumer.rejoin/later"),
    conditional("client.consumer.remember"),
    conditional("client.consumer.reset"),
    conditional("client.consumer.revoke"),
    conditional("client.consumer.topics"),
    conditional("client.consumer.truncation.check"),
    plain("client.consumer.truncation.fail"),
    conditional("client.consumer.truncation.fence"),
    conditional("client.consumer.truncation.leader"),
    conditional("client.consumer.truncation.resume"),
    conditional("client.consumer.truncation.stale"),
    conditional("client.consumer.unknown"),
    conditional("controller.broker.expire"),
    conditional("controller.broker.expire/late"),
    plain("controller.broker.fence"),
    conditional("controller.broker.next-state/fails"),
    conditional("controller.broker.next-state/leads"),
    conditional("controller.broker.next-state/ready"),
    conditional("controller.broker.next-state/stops"),
    conditional("controller.broker.next-state/stops-fenced"),
    conditional("controller.broker.next-state/waits"),
    conditional("controller.broker.no-return"),
    conditional("controller.broker.register"),
    conditional("controller.broker.register/another"),
    conditional("controller.broker.restart"),
    plain("controller.broker.sessions"),
    conditional("controller.broker.shutdown"),
    plain("controller.broker.unfence"),
    conditional("controller.elect.complete"),
    conditional("controller.elect.complete/eligible"),
    conditional("controller.elect.last-known"),
    conditional("controller.elect.order"),
    conditional("controller.elect.unclean"),
    conditional("controller.elr.enough"),
    conditional("controller.elr.keep"),
    conditional("controller.elr.unclean-restart"),
    conditional("controller.epochs"),
    conditional("controller.isr.compare"),
    conditional("controller.isr.eligible"),
    conditional("controller.isr.newer"),
    plain("controller.min-isr"),
    conditional("group.consumer.answer"),
    conditional("group.consumer.assignor"),
    conditional("group.consumer.create"),
    conditional("group.consumer.create/classic"),
    conditional("group.consumer.epoch"),
    conditional("group.consumer.fence"),
    conditional("group.consumer.fence/behind"),
    conditional("group.consumer.fence/later"),
    plain("group.consumer.fence/unknown"),
    conditional("group.consumer.instance-fence"),
    conditional("group.consumer.instance-fence/known"),
    conditional("group.consumer.kind"),
    plain("group.consumer.leave"),
    conditional("group.consumer.leave/each"),
    conditional("group.consumer.leave/group"),
    conditional("group.consumer.leave/known"),
    plain("group.consumer.load"),
    conditional("group.consumer.load/revokes"),
    conditional("group.consumer.max-size"),
    conditional("group.consumer.offset.commit"),
    conditional("group.consumer.offset.commit/known"),
    conditional("group.consumer.offset.commit/nobody"),
    conditional("group.consumer.offset.commit/version"),
    conditional("group.consumer.offset.fetch"),
    conditional("group.consumer.offset.fetch/anyone"),
    conditional("group.consumer.offset.fetch/known"),
    conditional("group.consumer.pause"),
    conditional("group.consumer.preferred"),
    conditional("group.consumer.rebalance-timeout"),
    conditional("group.consumer.rebalance-timeout/late"),
    plain("group.consumer.reconcile.assign"),
    conditional("group.consumer.reconcile.assign/there"),
    conditional("group.consumer.reconcile.revoke"),
    conditional("group.consumer.reconcile.revoke/waits"),
    conditional("group.consumer.reconcile.wait"),
    conditional("group.consumer.regex"),
    conditional("group.consumer.retention"),
    conditional("group.consumer.session"),
    conditional("group.consumer.static"),
    conditional("group.consumer.target"),
    conditional("group.consumer.topics"),
    conditional("group.consumer.validate"),
    conditional("group.coordinator.append"),
    conditional("group.coordinator.append/leads"),
    conditional("group.coordinator.at-once"),
    conditional("group.coordinator.batch"),
    plain("group.coordinator.load"),
    conditional("group.coordinator.load/too-many"),
    plain("group.coordinator.resign"),
    conditional("group.coordinator.role"),
    conditional("group.coordinator.role/loading"),
    conditional("group.delete"),
    plain("group.delete/unknown"),
    conditional("group.heartbeat"),
    conditional("group.heartbeat/generation"),
    conditional("group.heartbeat/group"),
    conditional("group.heartbeat/known"),
    conditional("group.join.again"),
    conditional("group.join.create"),
    conditional("group.join.max-size"),
    conditional("group.join.member-id-required"),
    plain("group.join.new"),
    conditional("group.join.new/id-taken"),
    conditional("group.join.pending"),
    conditional("group.join.pending/dynamic"),
    conditional("group.join.skip-assignment"),
    plain("group.join.static"),
    plain("group.join.static/fenced"),
    conditional("group.join.static/goes-on"),
    conditional("group.join.static/too-large"),
    conditional("group.join.validate/group"),
    conditional("group.join.validate/member"),
    conditional("group.join.validate/session"),
    conditional("group.leave.each"),
    conditional("group.leave.each/group"),
    plain("group.leave.each/unknown"),
    conditional("group.leave.pending"),
    conditional("group.leave.static"),
    conditional("group.member.fence"),
    conditional("group.member.known"),
    conditional("group.member.known/instance"),
    plain("group.member.remove"),
    conditional("group.member.remove/leader"),
    conditional("group.offset.completing"),
    conditional("group.offset.delete"),
    conditional("group.offset.delete/group"),
    conditional("group.offset.delete/others"),
    conditional("group.offset.delete/unknown"),
    conditional("group.offset.fence"),
    conditional("group.offset.fence/anyone"),
    conditional("group.offset.fence/known"),
    conditional("group.offset.fence/nobody"),
    plain("group.offset.fetch"),
    conditional("group.offset.metadata-size"),
    conditional("group.offset.simple"),
    conditional("group.parked.one"),
    conditional("group.protocol.common"),
    plain("group.protocol.vote"),
    plain("group.rebalance.complete"),
    conditional("group.rebalance.complete/all-joined"),
    conditional("group.rebalance.complete/empty"),
    conditional("group.rebalance.extend"),
    conditional("group.rebalance.extend/over"),
    conditional("group.rebalance.initial"),
    conditional("group.rebalance.leader"),
    conditional("group.rebalance.leader/any"),
    plain("group.rebalance.prepare"),
    conditional("group.rebalance.prepare/all-joined"),
    conditional("group.rebalance.prepare/completing"),
    conditional("group.rebalance.sync-timeout"),
    conditional("group.retention.group"),
    conditional("group.retention.group/consumer"),
    conditional("group.retention.group/kept"),
    conditional("group.retention.offset"),
    conditional("group.retention.offset/active"),
    conditional("group.retention.since"),
    conditional("group.retention.some"),
    conditional("group.retention.some/group"),
    plain("group.session.expire"),
    conditional("group.session.expire/pending"),
    plain("group.session.extend"),
    conditional("group.session.parked"),
    conditional("group.sync.answer"),
    conditional("group.sync.known"),
    conditional("group.sync.known/group"),
    conditional("group.sync.stable"),
    plain("group.sync.store"),
    conditional("group.sync.store/too-large"),
    conditional("group.sync.validate"),
    conditional("group.sync.validate/begun"),
    conditional("group.sync.validate/protocol"),
    conditional("log.epochs.assign"),
    conditional("log.epochs.cut"),
    conditional("log.epochs.end"),
    conditional("log.recovery.epochs"),
    plain("log.recovery.epochs/stored"),
    conditional("log.recovery.hw"),
    conditional("replica.epoch.current"),
    conditional("replica.epoch.known"),
    conditional("replica.fetch.ack"),
    conditional("replica.fetch.ack/caught-up"),
    conditional("replica.fetch.diverging"),
    conditional("replica.fetch.fence/newer"),
    conditional("replica.fetch.fence/older"),
    conditional("replica.fetch.incarnation"),
    conditional("replica.follow.begin"),
    conditional("replica.follow.copy"),
    conditional("replica.follow.copy/new-epoch"),
    conditional("replica.follow.current"),
    conditional("replica.follow.hw"),
    plain("replica.follow.refused"),
    plain("replica.follow.refused/fenced"),
    conditional("replica.follow.retry"),
    conditional("replica.hw.advance"),
    conditional("replica.hw.gate"),
    conditional("replica.hw.monotone"),
    conditional("replica.isr.admit"),
    conditional("replica.isr.admit/member"),
    conditional("replica.isr.answer"),
    plain("replica.isr.answer/again"),
    plain("replica.isr.answer/ineligible"),
    conditional("replica.isr.answer/other"),
    plain("replica.isr.answer/superseded"),
    conditional("replica.isr.eligible"),
    conditional("replica.isr.eligible/active"),
    conditional("replica.isr.lag"),
    conditional("replica.isr.maximal"),
    conditional("replica.isr.one"),
    conditional("replica.isr.override"),
    conditional("replica.lead.begin"),
    conditional("replica.lead.epoch"),
    conditional("replica.produce.commit"),
    conditional("replica.produce.commit/enough"),
    conditional("replica.produce.leader"),
    conditional("replica.produce.min-isr"),
    plain("replica.produce.offset"),
    plain("replica.produce.timeout"),
    conditional("replica.produce.unknown"),
    conditional("replica.read.bound"),
    conditional("replica.read.own"),
    conditional("replica.read.range"),
    plain("replica.storage.offline"),
    conditional("replica.storage.offline/assigned"),
    conditional("replica.storage.offline/closing"),
    conditional("replica.truncate.diverging"),
    conditional("replica.truncate.diverging/shorter"),
    plain("replica.truncate.only"),
    conditional("replica.truncate.range"),
    conditional("replica.truncate.range/anew"),
];

/// Where a mark stands in [`ALL`]. A name that is not there does not compile.
pub(crate) const fn place(id: &str, is_guard: bool) -> usize {
    let mut place = 0;
    while place < ALL.len() {
        if equal(ALL[place].id.as_bytes(), id.as_bytes()) && ALL[place].is_guard == is_guard {
            return place;
        }
        place += 1;
    }
    panic!("no such mark in marks::ALL")
}

/// What `==` does, which constants can't use yet.
const fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// A condition by which a rule decides. Where it can't be put in, its two branches say `true` and `false`.
macro_rules! guard {
    ($id:literal, $condition:expr) => {{
        const PLACE: usize = $crate::marks::place($id, true);
        $crate::marks::note(PLACE, $condition)
    }};
}

/// A rule that decides without a condition.
macro_rules! rule {
    ($id:literal) => {{
        const PLACE: usize = $crate::marks::place($id, false);
        $crate::marks::note(PLACE, true);
    }};
}

pub(crate) use {guard, rule};

/// Counts one passage, and hands the condition back.
#[inline(always)]
pub(crate) fn note(place: usize, met: bool) -> bool {
    #[cfg(feature = "marks")]
    tally::add(place, met);
    #[cfg(not(feature = "marks"))]
    let _ = place;
    met
}

/// What this thread has passed since it asked last, of each mark that it came to; nothing without the feature.
#[must_use]
pub fn take() -> BTreeMap<Mark, Passed> {
    #[cfg(feature = "marks")]
    return tally::take();
    #[cfg(not(feature = "marks"))]
    BTreeMap::new()
}

#[cfg(feature = "marks")]
mod tally {
    use super::{ALL, BTreeMap, Mark, Passed};
    use std::cell::Cell;

    thread_local! {
        /// Unmet and met, in the order of [`ALL`].
        static TALLY: [[Cell<u64>; 2]; ALL.len()] = const { [const { [const { Cell::new(0) }; 2] }; ALL.len()] };
    }

    #[inline]
    pub(super) fn add(place: usize, met: bool) {
        TALLY.with(|tally| {
            let count = &tally[place][usize::from(met)];
            count.set(count.get() + 1);
        });
    }

    pub(super) fn take() -> BTreeMap<Mark, Passed> {
        TALLY.with(|tally| {
            let counts = tally.iter().map(|[unmet, met]| Passed { met: met.take(), unmet: unmet.take() });
            ALL.into_iter().zip(counts).filter(|(_, passed)| *passed != Passed::default()).collect()
        })
    }
}
