//! Which part of a log is to be cleaned next, and whether it is time.
//!
//! Source: Kafka's `LogCleanerManager.cleanableOffsets`, `LogToClean`.

use crate::values::Offset;

/// A part of 1, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(pub u32);

impl Ratio {
    /// How much of a whole `part` is; nothing of nothing.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        let millionths = (u128::from(part) * 1_000_000).checked_div(u128::from(whole)).unwrap_or(0);
        Self(u32::try_from(millionths).unwrap_or(u32::MAX))
    }
}

/// A segment that is written to no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealedSegment {
    /// The offset that it begins at (inclusive).
    pub base: Offset,
    /// How many bytes of batches it holds.
    pub bytes: u64,
    /// The largest timestamp of its first batch, in milliseconds; none if that batch has none.
    pub first_timestamp: Option<i64>,
    /// The largest timestamp of all, in milliseconds; none if it has none.
    pub largest_timestamp: Option<i64>,
}

/// What a topic's configuration says of cleaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CleaningLimits {
    /// `min.cleanable.dirty.ratio`.
    pub min_dirty_ratio: Ratio,
    /// `min.compaction.lag.ms`.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`.
    pub max_lag_ms: i64,
}

/// A log, as far as the choice of what to clean needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct Cleaning<'a> {
    /// Its segments but for the active one, oldest first.
    pub sealed: &'a [SealedSegment],
    /// Where the active segment begins (inclusive).
    pub active_base: Offset,
    /// The first offset that can be read (inclusive).
    pub log_start: Offset,
    /// The log end offset (exclusive).
    pub log_end: Offset,
    /// Everything below is committed, and belongs to no open transaction (exclusive).
    pub stable: Offset,
    /// Everything below is durable, and known to be so at the next start (exclusive).
    pub durable: Offset,
    /// Up to where earlier rounds have cleaned (exclusive), if any is known of.
    pub cleaned: Option<Offset>,
}

/// The part of a log that the next round is to look for keys in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirtyPart {
    /// Its first offset (inclusive).
    pub from: Offset,
    /// Its end (exclusive): where a segment begins.
    pub upto: Offset,
    /// How many bytes its segments hold.
    pub bytes: u64,
    /// How many bytes the segments before it hold.
    pub clean_bytes: u64,
    /// The earliest time that a segment of it begins with, in milliseconds; none if none has a time.
    pub since: Option<i64>,
}

impl Cleaning<'_> {
    /// The part to be cleaned next; it may be empty. `now` in milliseconds since 1970.
    #[must_use]
    pub fn dirty_part(&self, limits: &CleaningLimits, now: i64) -> DirtyPart {
        let from = self.first_dirty();
        let upto = self.segment_with(self.first_uncleanable(from, limits, now)).max(from);
        let begins = self.segment_with(from);
        let dirty = || self.sealed.iter().filter(|segment| segment.base >= begins && segment.base < upto);
        let clean = self.sealed.iter().filter(|segment| segment.base < begins);
        DirtyPart {
            from,
            upto,
            bytes: dirty().map(|segment| segment.bytes).sum(),
            clean_bytes: clean.map(|segment| segment.bytes).sum(),
            since: dirty().filter_map(|segment| segment.first_timestamp).min(),
        }
    }

    /// `log.clean.from`: where the last round ended, if that lies in the log; else all of it is dirty.
    fn first_dirty(&self) -> Offset {
        let known = self.cleaned.filter(|cleaned| (self.log_start..=self.log_end).contains(cleaned));
        known.unwrap_or(self.log_start)
    }

    /// `log.clean.upto`: what may still be cut, lost or undecided stays as it is, and so does what is still young.
    fn first_uncleanable(&self, from: Offset, limits: &CleaningLimits, now: i64) -> Offset {
        let latest = now.saturating_sub(limits.min_lag_ms);
        let is_young = |segment: &&SealedSegment| segment.largest_timestamp.is_some_and(|largest| largest > latest);
        let begins = self.segment_with(from);
        let dirty = || self.sealed.iter().filter(|segment| segment.base >= begins);
        let young = dirty().find(|segment| limits.min_lag_ms > 0 && is_young(segment));
        let bound = self.stable.min(self.durable).min(self.active_base);
        young.map_or(bound, |segment| bound.min(segment.base))
    }

    /// Where the segment begins that has `offset`.
    fn segment_with(&self, offset: Offset) -> Offset {
        if offset >= self.active_base {
            return self.active_base;
        }
        let before = self.sealed.partition_point(|segment| segment.base <= offset);
        before.checked_sub(1).map_or(offset, |index| self.sealed[index].base)
    }
}

impl DirtyPart {
    /// How much of what could be cleaned is dirty.
    #[must_use]
    pub fn ratio(&self) -> Ratio {
        Ratio::of(self.bytes, self.bytes.saturating_add(self.clean_bytes))
    }

    /// `log.clean.due`: enough of the log is dirty, or some of it has been for too long. `now` in milliseconds since
    /// 1970.
    #[must_use]
    pub fn is_due(&self, limits: &CleaningLimits, now: i64) -> bool {
        let until = now.saturating_sub(limits.max_lag_ms);
        let overdue = self.since.is_some_and(|since| since > 0 && since < until);
        self.bytes > 0 && (overdue || self.ratio() > limits.min_dirty_ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: CleaningLimits =
        CleaningLimits { min_dirty_ratio: Ratio(500_000), min_lag_ms: 0, max_lag_ms: i64::MAX };

    const fn segment(base: i64, bytes: u64, first: i64, largest: i64) -> SealedSegment {
        SealedSegment { base: Offset(base), bytes, first_timestamp: Some(first), largest_timestamp: Some(largest) }
    }

    const SEALED: [SealedSegment; 3] =
        [segment(0, 100, 1000, 1900), segment(10, 200, 2000, 2900), segment(20, 300, 3000, 3900)];

    const LOG: Cleaning<'static> = Cleaning {
        sealed: &SEALED,
        active_base: Offset(30),
        log_start: Offset(0),
        log_end: Offset(35),
        stable: Offset(35),
        durable: Offset(30),
        cleaned: Some(Offset(10)),
    };

    fn part(log: &Cleaning<'_>, limits: &CleaningLimits) -> (i64, i64) {
        let part = log.dirty_part(limits, 4000);
        (part.from.0, part.upto.0)
    }

    // Verifies: log.clean.from
    #[test]
    fn a_round_goes_on_where_the_last_one_ended() {
        assert_eq!(part(&LOG, &LIMITS), (10, 30));
        assert_eq!(part(&Cleaning { cleaned: None, ..LOG }, &LIMITS), (0, 30));
        assert_eq!(part(&Cleaning { cleaned: Some(Offset(36)), ..LOG }, &LIMITS), (0, 30), "past the end");
        assert_eq!(part(&Cleaning { log_start: Offset(11), ..LOG }, &LIMITS), (11, 30), "before the start");
        assert_eq!(part(&Cleaning { cleaned: Some(Offset(33)), ..LOG }, &LIMITS), (33, 33), "nothing is left");
    }

    // Verifies: log.clean.upto
    #[test]
    fn what_is_not_settled_is_left_alone() {
        assert_eq!(part(&Cleaning { stable: Offset(29), ..LOG }, &LIMITS), (10, 20), "may be cut");
        assert_eq!(part(&Cleaning { durable: Offset(25), ..LOG }, &LIMITS), (10, 20), "may be lost");
        assert_eq!(part(&Cleaning { stable: Offset(10), ..LOG }, &LIMITS), (10, 10));
        let lagging = CleaningLimits { min_lag_ms: 1000, ..LIMITS };
        assert_eq!(part(&LOG, &lagging), (10, 20), "3900 is younger than a second at 4000");
        assert_eq!(part(&LOG, &CleaningLimits { min_lag_ms: 100, ..LIMITS }), (10, 30));
        let clean_is_young = CleaningLimits { min_lag_ms: 3500, ..LIMITS };
        assert_eq!(part(&LOG, &clean_is_young), (10, 10));
    }

    // Verifies: log.clean.due
    #[test]
    fn enough_is_dirty_or_has_been_for_too_long() {
        let part = LOG.dirty_part(&LIMITS, 4000);
        assert_eq!((part.bytes, part.clean_bytes, part.ratio()), (500, 100, Ratio(833_333)));
        assert!(part.is_due(&LIMITS, 4000));
        let tolerant = CleaningLimits { min_dirty_ratio: Ratio(833_333), ..LIMITS };
        assert!(!part.is_due(&tolerant, 4000), "not more than that");
        let impatient = CleaningLimits { max_lag_ms: 1999, ..tolerant };
        assert!(part.is_due(&impatient, 4000), "2000 is longer ago than 1999");
        assert!(!part.is_due(&CleaningLimits { max_lag_ms: 2000, ..tolerant }, 4000));
        let nothing = Cleaning { cleaned: Some(Offset(30)), ..LOG }.dirty_part(&impatient, 4000);
        assert!(!nothing.is_due(&CleaningLimits { min_dirty_ratio: Ratio(0), ..impatient }, 4000));
    }
}
