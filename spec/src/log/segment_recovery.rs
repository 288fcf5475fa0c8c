//! Which segments of a log are looked through at a start, and what of them stays.
//!
//! Not here: what a replica then makes of the log's ends (`recovery.rs`), whether a batch is valid (the shell).
//! Rules: `log.recovery.*`. Source: Kafka's `LogLoader`, `LogSegment.recover`.

use crate::values::Offset;

/// What is known of the process that used a log before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LastRun {
    /// Whether it shut down cleanly: everything is on the disk, indexes and all.
    pub clean: bool,
    /// Everything below is on the disk (exclusive).
    pub recovery_point: Offset,
    /// The first offset that could be read (inclusive).
    pub log_start: Offset,
    /// The first offset not known to be committed (exclusive), as it was last written down.
    pub high_watermark: Offset,
    /// Whether nobody else has the log, so that what it loses is lost.
    pub only_copy: bool,
}

impl LastRun {
    /// Of a log that is made now, or of which nothing was written down.
    pub const UNKNOWN: Self = Self {
        clean: false,
        recovery_point: Offset(0),
        log_start: Offset(0),
        high_watermark: Offset(0),
        only_copy: false,
    };

    /// `log.recovery.scan`: after an unclean shutdown every batch from the segment with the recovery point on is
    /// looked at. Where each epoch began is in the batches, so that without its checkpoint all of them are.
    ///
    /// Which of the segments with these base offsets, ascending, is the first to be scanned.
    #[must_use]
    pub fn first_to_scan(&self, bases: &[Offset], epochs_known: bool) -> Option<usize> {
        match (self.clean, epochs_known) {
            _ if bases.is_empty() => None,
            (_, false) => Some(0),
            (true, true) => None,
            (false, true) => Some(bases.partition_point(|base| *base <= self.recovery_point).saturating_sub(1)),
        }
    }

    /// `log.recovery.cut`: the log ends at the first batch that is no batch, and what comes later is dropped.
    /// `log.recovery.intact`: not so after a clean shutdown, which leaves nothing half written, nor below what was durable
    /// of a log that nobody else has: then the disk is broken.
    #[must_use]
    pub fn may_cut(&self, end: Offset) -> bool {
        !self.clean && self.is_whole(end)
    }

    /// `log.recovery.whole`: a log that ends before what was durable has lost it. After a crash its replica is in no ISR,
    /// and fetches it again; after a clean shutdown it might lead, and the others would follow it.
    #[must_use]
    pub fn is_whole(&self, end: Offset) -> bool {
        !(self.clean || self.only_copy) || end >= self.recovery_point
    }

    /// `log.recovery.gap`: a segment that begins at `base` goes on where the one before it ended. Above the recovery
    /// point nothing can have been compacted away, so that a gap there is a file that was lost.
    #[must_use]
    pub fn goes_on(&self, end: Offset, base: Offset) -> bool {
        base == end || (end < base && (self.clean || base <= self.recovery_point))
    }

    /// `log.recovery.start`: a log that ends before it may be read is dropped, and begins anew where it may be.
    #[must_use]
    pub fn begins_anew(&self, end: Offset) -> bool {
        end < self.log_start
    }

    /// `log.recovery.point`: reading a batch doesn't make it durable.
    #[must_use]
    pub fn recovery_point_now(&self, end: Offset) -> Offset {
        if self.clean { end } else { self.recovery_point.min(end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASES: [Offset; 3] = [Offset(0), Offset(10), Offset(20)];

    fn unclean(recovery_point: i64) -> LastRun {
        LastRun { recovery_point: Offset(recovery_point), ..LastRun::UNKNOWN }
    }

    // Verifies: log.recovery.scan
    #[test]
    fn scans_from_the_segment_with_the_recovery_point() {
        assert_eq!(unclean(0).first_to_scan(&BASES, true), Some(0));
        assert_eq!(unclean(9).first_to_scan(&BASES, true), Some(0));
        assert_eq!(unclean(10).first_to_scan(&BASES, true), Some(1));
        assert_eq!(unclean(99).first_to_scan(&BASES, true), Some(2));
        assert_eq!(unclean(5).first_to_scan(&BASES[1..], true), Some(0), "it lies before the log");
        assert_eq!(unclean(5).first_to_scan(&[], true), None);
    }

    // Verifies: log.recovery.scan, log.recovery.cut, log.recovery.intact
    #[test]
    fn a_clean_log_is_not_scanned_unless_its_epochs_are_missing() {
        let clean = LastRun { clean: true, ..unclean(15) };
        assert_eq!(clean.first_to_scan(&BASES, true), None);
        assert_eq!(clean.first_to_scan(&BASES, false), Some(0));
        assert_eq!(unclean(15).first_to_scan(&BASES, false), Some(0));
        assert!(!clean.may_cut(Offset(15)) && unclean(15).may_cut(Offset(0)));
    }

    // Verifies: log.recovery.whole, log.recovery.intact
    #[test]
    fn what_was_durable_must_be_there_if_it_counts() {
        let clean = LastRun { clean: true, ..unclean(15) };
        assert!(clean.is_whole(Offset(15)) && !clean.is_whole(Offset(14)));
        assert!(unclean(15).is_whole(Offset(0)), "the leader has it");
        let only = LastRun { only_copy: true, ..unclean(15) };
        assert!(only.may_cut(Offset(15)), "a torn end");
        assert!(!only.may_cut(Offset(14)) && !only.is_whole(Offset(14)));
    }

    // Verifies: log.recovery.gap
    #[test]
    fn a_lost_file_ends_the_log_where_nothing_was_flushed() {
        assert!(unclean(10).goes_on(Offset(20), Offset(20)));
        assert!(unclean(20).goes_on(Offset(15), Offset(20)), "compacted");
        assert!(!unclean(19).goes_on(Offset(15), Offset(20)), "lost");
        assert!(!unclean(99).goes_on(Offset(21), Offset(20)), "segments don't overlap");
    }

    // Verifies: log.recovery.point, log.recovery.start
    #[test]
    fn the_recovery_point_stands_still() {
        assert_eq!(unclean(5).recovery_point_now(Offset(9)), Offset(5));
        assert_eq!(unclean(9).recovery_point_now(Offset(5)), Offset(5));
        assert_eq!(LastRun { clean: true, ..unclean(5) }.recovery_point_now(Offset(9)), Offset(9));
        let late = LastRun { log_start: Offset(7), ..unclean(0) };
        assert!(late.begins_anew(Offset(6)) && !late.begins_anew(Offset(7)));
    }
}
