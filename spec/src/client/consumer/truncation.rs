//! Whether a partition's leader still has what a consumer has read.
//!
//! A log is cut when a replica that lacks some of it is elected. A consumer that has read what was cut would read on
//! past the gap, and never see what took its place. So it remembers of which leader epoch its last record was, and asks
//! a new leader where that epoch ends.
//!
//! As in Kafka only the end is compared. A leader that never had the epoch, but has more of an older one than the
//! consumer has read, is believed. Rules: `client.consumer.truncation.*`. Source: KIP-320; Kafka's
//! `SubscriptionState.maybeCompleteValidation`, `OffsetsForLeaderEpochUtils`, `FetchCollector`.

use super::{Consumer, Failure, Leader, Output, Place};
use crate::group::NamedPartition;
use crate::log::EpochEnd;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::values::{LeaderEpoch, Offset};
use std::collections::BTreeMap;

impl Consumer {
    /// `client.consumer.truncation.leader`: who heard of a newer leader epoch forgets the older one, and does not go
    /// back to it.
    pub(super) fn leaders_seen(&mut self, leaders: BTreeMap<NamedPartition, Leader>, out: &mut Vec<Output>) {
        self.asks_leaders = false;
        for (partition, leader) in leaders {
            let is_newer = self.leaders.get(&partition).is_none_or(|known| leader.follows(known));
            if guard!("client.consumer.truncation.leader", is_newer) {
                self.leaders.insert(partition.clone(), leader);
            }
            let waits = self.owned.get(&partition).is_some_and(|at| at.is_some_and(|at| !at.is_checked));
            if is_newer || waits {
                self.check(&partition, out);
            }
        }
    }

    /// `client.consumer.truncation.check`: a consumer that knows of which leader epoch its last record was reads on only
    /// when the partition's leader has said where that epoch ends.
    pub(super) fn check(&mut self, partition: &NamedPartition, out: &mut Vec<Output>) {
        let leader = self.leaders.get(partition).copied();
        let Some(Some(position)) = self.owned.get_mut(partition) else { return };
        position.is_checked = false;
        match (position.next.epoch, leader) {
            (None, _) | (_, Some(Leader { epoch: None, .. })) => {
                guard!("client.consumer.truncation.check", false);
                position.is_checked = true;
            }
            (Some(_), None) => self.find_leaders(out),
            (Some(_), Some(Leader { epoch: Some(leader), .. })) => {
                guard!("client.consumer.truncation.check", true);
                out.push(Output::FindEpochEnd { partition: partition.clone(), at: position.next, leader });
            }
        }
    }

    /// An answer counts for the place and the leader epoch that it was asked for.
    pub(super) fn epoch_end_answered(
        &mut self,
        partition: NamedPartition,
        at: Place,
        leader: LeaderEpoch,
        outcome: Result<Option<EpochEnd>, Refusal>,
        out: &mut Vec<Output>,
    ) {
        let is_current = self.leader_epoch(&partition) == Some(leader);
        let Some(Some(position)) = self.owned.get_mut(&partition) else { return };
        if position.is_checked || position.next != at || !is_current {
            return;
        }
        match outcome {
            Ok(Some(found)) if found.end >= at.offset => position.is_checked = true,
            Ok(found) => self.truncated(partition, at.offset, found, out),
            // Its leader is too old to be asked.
            Err(Refusal::UnsupportedVersion) => position.is_checked = true,
            Err(_) => self.find_leaders(out),
        }
    }

    /// `client.consumer.truncation.resume`: where the leader's log ends the epoch earlier, the consumer goes on from
    /// there; where it cannot say, as `auto.offset.reset` tells. `client.consumer.truncation.fail`: one that was not told
    /// how to go on fails.
    fn truncated(&mut self, partition: NamedPartition, at: Offset, found: Option<EpochEnd>, out: &mut Vec<Output>) {
        let diverges = found.map(|found| found.end);
        let (Some(_), Some(Some(position))) = (self.config.reset, self.owned.get_mut(&partition)) else {
            rule!("client.consumer.truncation.fail");
            return self.fail(Failure::Truncated { partition, at, diverges }, out);
        };
        guard!("client.consumer.truncation.resume", found.is_some());
        out.push(Output::Truncated { partition: partition.clone(), at, diverges });
        match found {
            Some(found) => {
                position.next = Place { offset: found.end, epoch: Some(found.epoch) };
                if position.processed.offset > found.end {
                    position.processed = position.next;
                }
                position.is_checked = true;
            }
            None => {
                self.owned.insert(partition.clone(), None);
                self.reset(partition, out);
            }
        }
    }

    /// `client.consumer.truncation.fence`: who is refused looks up the leaders anew. A broker that has yet to hear of an
    /// epoch is asked again. Only a refusal of what is asked for now counts.
    pub(super) fn fetch_refused(
        &mut self,
        partition: NamedPartition,
        from: Offset,
        under: Option<LeaderEpoch>,
        refusal: Refusal,
        out: &mut Vec<Output>,
    ) {
        let is_current = self.leader_epoch(&partition) == under;
        let Some(Some(position)) = self.owned.get(&partition) else { return };
        if position.next.offset != from || !position.is_checked || !is_current {
            return;
        }
        guard!("client.consumer.truncation.fence", refusal != Refusal::OffsetOutOfRange);
        match refusal {
            Refusal::OffsetOutOfRange => {
                self.owned.insert(partition.clone(), None);
                self.reset(partition, out);
            }
            Refusal::UnknownLeaderEpoch => {}
            _ => self.find_leaders(out),
        }
    }

    fn find_leaders(&mut self, out: &mut Vec<Output>) {
        if !self.asks_leaders {
            self.asks_leaders = true;
            out.push(Output::FindLeaders);
        }
    }
}

impl Leader {
    /// Whether this is news to someone who knows `other`. A topic that was made anew begins anew with its epochs.
    fn follows(&self, other: &Self) -> bool {
        self.topic != other.topic || self.epoch.is_none() != other.epoch.is_none() || self.epoch > other.epoch
    }
}
