//! Where in a log each leader epoch began.
//!
//! Rules: `log.epochs.*`. Source: KIP-101, KIP-279; Kafka's `LeaderEpochFileCache`.

use crate::marks::guard;
use crate::values::{LeaderEpoch, Offset};
use std::sync::Arc;

/// One leader epoch and the offset of its first record (inclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochEntry {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// Where it began: the log end offset at that moment, even if nothing was ever written in it.
    pub start: Offset,
}

/// The epochs of one log, oldest first; both columns strictly increase.
///
/// Views of a log are published far more often than its epochs change, so that copies share the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochCache(Arc<Vec<EpochEntry>>);

impl EpochCache {
    /// The entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[EpochEntry] {
        &self.0
    }

    /// The newest epoch.
    #[must_use]
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.0.last().map(|entry| entry.epoch)
    }

    /// `log.epochs.assign`: an epoch begins once; what contradicts the new entry goes.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) {
        let begun = self.0.last().is_some_and(|last| last.epoch == epoch && last.start <= start);
        if guard!("log.epochs.assign", begun) {
            return;
        }
        let kept = self.0.iter().rposition(|entry| entry.epoch < epoch && entry.start < start);
        let entries = Arc::make_mut(&mut self.0);
        entries.truncate(kept.map_or(0, |index| index + 1));
        entries.push(EpochEntry { epoch, start });
    }

    /// `log.epochs.end`: the largest epoch not above `epoch`, and where it ends (exclusive).
    ///
    /// `None` when the log can't say: it has no epochs, or only older ones.
    #[must_use]
    pub fn end_of(&self, epoch: LeaderEpoch, log_end: Offset) -> Option<EpochEnd> {
        if guard!("log.epochs.end", self.latest()? == epoch) {
            return Some(EpochEnd { epoch, end: log_end });
        }
        let next = self.0.iter().position(|entry| entry.epoch > epoch)?;
        let found = next.checked_sub(1).map_or(epoch, |floor| self.0[floor].epoch);
        Some(EpochEnd { epoch: found, end: self.0[next].start })
    }

    /// How 0.11 looked it up: where the next epoch after `epoch` began, whether or not this log knows `epoch` itself.
    #[must_use]
    pub fn end_of_or_next(&self, epoch: LeaderEpoch, log_end: Offset) -> Option<EpochEnd> {
        if self.latest()? == epoch {
            return Some(EpochEnd { epoch, end: log_end });
        }
        if self.0.first().is_some_and(|first| epoch < first.epoch) {
            return None;
        }
        let next = self.0.iter().find(|entry| entry.epoch > epoch)?;
        Some(EpochEnd { epoch, end: next.start })
    }

    /// `log.epochs.cut`: drops every epoch that began at or above `end`.
    pub fn truncate_from_end(&mut self, end: Offset) {
        let kept = self.0.partition_point(|entry| entry.start < end);
        if guard!("log.epochs.cut", kept < self.0.len()) {
            Arc::make_mut(&mut self.0).truncate(kept);
        }
    }

    /// Moves the log's start: epochs that ended before it go, the one that spans it begins there.
    pub fn truncate_from_start(&mut self, start: Offset) {
        let spanning = self.0.partition_point(|entry| entry.start <= start);
        if let Some(last) = spanning.checked_sub(1)
            && (last > 0 || self.0[0].start != start)
        {
            let entries = Arc::make_mut(&mut self.0);
            entries.drain(..last);
            entries[0].start = start;
        }
    }
}

impl FromIterator<EpochEntry> for EpochCache {
    /// The cache that results from assigning the entries in turn.
    fn from_iter<I: IntoIterator<Item = EpochEntry>>(entries: I) -> Self {
        let mut cache = Self::default();
        entries.into_iter().for_each(|entry| cache.assign(entry.epoch, entry.start));
        cache
    }
}

/// Where an epoch ends in some log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochEnd {
    /// The epoch that was found: the one asked for, or the largest below it.
    pub epoch: LeaderEpoch,
    /// The offset after its last record (exclusive).
    pub end: Offset,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(i32, i64)]) -> EpochCache {
        EpochCache(Arc::new(entries.iter().map(|(epoch, start)| entry(*epoch, *start)).collect()))
    }

    fn entry(epoch: i32, start: i64) -> EpochEntry {
        EpochEntry { epoch: LeaderEpoch(epoch), start: Offset(start) }
    }

    fn end(epoch: i32, end: i64) -> Option<EpochEnd> {
        Some(EpochEnd { epoch: LeaderEpoch(epoch), end: Offset(end) })
    }

    // Verifies: log.epochs.assign
    #[test]
    fn an_epoch_begins_once() {
        let mut epochs = cache(&[(0, 0), (2, 5)]);
        epochs.assign(LeaderEpoch(2), Offset(9));
        assert_eq!(epochs, cache(&[(0, 0), (2, 5)]));
        epochs.assign(LeaderEpoch(3), Offset(5));
        assert_eq!(epochs, cache(&[(0, 0), (3, 5)]), "nothing was written in epoch 2");
        epochs.assign(LeaderEpoch(1), Offset(4));
        assert_eq!(epochs, cache(&[(0, 0), (1, 4)]), "what contradicts the new entry goes");
    }

    // Verifies: log.epochs.end
    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let epochs = cache(&[(1, 2), (3, 5)]);
        assert_eq!(epochs.end_of(LeaderEpoch(3), Offset(9)), end(3, 9));
        assert_eq!(epochs.end_of(LeaderEpoch(1), Offset(9)), end(1, 5));
        assert_eq!(epochs.end_of(LeaderEpoch(2), Offset(9)), end(1, 5), "the largest epoch not above");
        assert_eq!(epochs.end_of(LeaderEpoch(0), Offset(9)), end(0, 2), "none below: where the log's first begins");
        assert_eq!(epochs.end_of(LeaderEpoch(4), Offset(9)), None);
        assert_eq!(cache(&[]).end_of(LeaderEpoch(0), Offset(0)), None);
    }

    #[test]
    fn the_lookup_of_0_11_does_not_say_which_epoch_it_found() {
        let epochs = cache(&[(1, 2), (3, 5)]);
        assert_eq!(epochs.end_of_or_next(LeaderEpoch(2), Offset(9)), end(2, 5));
        assert_eq!(epochs.end_of_or_next(LeaderEpoch(0), Offset(9)), None);
    }

    // Verifies: log.epochs.cut
    #[test]
    fn cuts_at_both_ends() {
        let mut epochs = cache(&[(1, 2), (3, 5), (4, 7)]);
        epochs.truncate_from_end(Offset(7));
        assert_eq!(epochs, cache(&[(1, 2), (3, 5)]));
        epochs.truncate_from_start(Offset(6));
        assert_eq!(epochs, cache(&[(3, 6)]));
        epochs.truncate_from_start(Offset(3));
        assert_eq!(epochs, cache(&[(3, 6)]), "a start before the first epoch changes nothing");
    }
}
