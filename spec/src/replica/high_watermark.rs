//! The high watermark: the first offset not known to be committed (exclusive).
//!
//! Not here: who may read up to it (`read_view.rs`), how followers learn it (`follower.rs`).
//! Rules: `replica.hw.*`. Source: KIP-497, KIP-966; Kafka's `Partition.maybeIncrementLeaderHW`.

use super::{Leader, Output, Replica, Role};
use crate::machine::Carrier;
use crate::marks::guard;
use crate::rules::{HwGate, HwQuorum, Rules};
use crate::values::{BrokerId, Brokers, Offset};

impl<C: Carrier> Replica<C> {
    /// Raises the high watermark as far as it may go, and answers the producers that waited for it.
    pub(super) fn raise_high_watermark(&mut self, rules: &Rules, out: &mut Vec<Output<C>>) {
        let advanced = self.advanced_high_watermark(rules);
        guard!("replica.hw.advance", advanced > self.high_watermark);
        self.high_watermark = advanced;
        self.answer_committed(out);
    }

    /// `replica.hw.advance`, `replica.hw.gate`, `replica.hw.monotone`
    fn advanced_high_watermark(&self, rules: &Rules) -> Offset {
        let Role::Leader(leader) = &self.role else { return self.high_watermark };
        if rules.hw_gate == HwGate::MinIsr && leader.isr.committed().len() < leader.min_insync_replicas {
            guard!("replica.hw.gate", true);
            return self.high_watermark;
        }
        guard!("replica.hw.gate", false);
        let counted = match rules.hw_quorum {
            HwQuorum::CommittedIsr => leader.isr.committed().clone(),
            HwQuorum::MaximalIsr => leader.isr.maximal(),
            // Waiting for those that are about to join keeps the ISR from being out of their reach for ever.
            HwQuorum::MaximalIsrAndCaughtUp => leader.isr.maximal().union(&leader.caught_up(rules, self.log.end)),
        };
        let replicated = counted.iter().map(|broker| self.end_known(broker)).min().flatten();
        guard!("replica.hw.monotone", replicated.is_some_and(|end| end < self.high_watermark));
        replicated.map_or(self.high_watermark, |end| end.max(self.high_watermark))
    }

    /// The end of a follower's log as far as this leader knows it.
    fn end_known(&self, broker: BrokerId) -> Option<Offset> {
        match &self.role {
            _ if broker == self.me => Some(self.log.end),
            Role::Leader(leader) => leader.end_of(broker),
            _ => None,
        }
    }
}

impl<C: Carrier> Leader<C> {
    /// The followers that are caught up and may join, in the ISR or not.
    fn caught_up(&self, rules: &Rules, log_end: Offset) -> Brokers {
        let eligible = self.progress.iter().filter(|progress| self.is_isr_eligible(rules, progress.replica));
        eligible.filter(|progress| progress.is_caught_up(log_end)).map(|progress| progress.replica).collect()
    }
}
