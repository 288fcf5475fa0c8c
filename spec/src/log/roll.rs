//! When a log begins a new segment.
//!
//! Not here: what a segment is made of, and making one (the shell). Rules: `log.roll.*`. Source: Kafka's
//! `LogSegment.shouldRoll`.

use crate::values::Offset;

/// A log's newest segment, the only one that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActiveSegment {
    /// The offset that it begins at (inclusive).
    pub base: Offset,
    /// How many bytes of batches it holds.
    pub bytes: u64,
    /// The largest timestamp of its first batch, in milliseconds; none if that batch has none.
    pub first_timestamp: Option<i64>,
    /// How long ago it was made, in milliseconds.
    pub age_ms: i64,
    /// Whether an index of it can't take another entry.
    pub index_full: bool,
}

/// A batch that is to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incoming {
    /// Its size in bytes.
    pub bytes: u64,
    /// The offset of its last record (inclusive).
    pub last_offset: Offset,
    /// The largest timestamp in it, in milliseconds.
    pub max_timestamp: i64,
}

/// What a topic's configuration says of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RollLimits {
    /// `segment.bytes`.
    pub segment_bytes: u64,
    /// `segment.ms`.
    pub segment_ms: i64,
}

/// The largest offset within a segment, counted from its base, that an index entry can hold.
const MAX_RELATIVE_OFFSET: i64 = i32::MAX as i64;

/// Whether `incoming` goes into a new segment. `log.roll.one`: never while the active one is empty, so that a batch
/// larger than `segment.bytes` has a place too. `log.roll.index`, `log.roll.offsets`: indexes bound a segment as well.
#[must_use]
pub fn must_roll(active: &ActiveSegment, incoming: &Incoming, limits: &RollLimits) -> bool {
    active.bytes > 0
        && (is_too_large(active, incoming, limits)
            || is_too_old(active, incoming, limits)
            || active.index_full // `log.roll.index`
            || incoming.last_offset.0.saturating_sub(active.base.0) > MAX_RELATIVE_OFFSET) // `log.roll.offsets`
}

/// `log.roll.size`: no segment grows past `segment.bytes`.
fn is_too_large(active: &ActiveSegment, incoming: &Incoming, limits: &RollLimits) -> bool {
    active.bytes.saturating_add(incoming.bytes) > limits.segment_bytes
}

/// `log.roll.age`: time passes as the records tell it, and by the clock only where they don't.
fn is_too_old(active: &ActiveSegment, incoming: &Incoming, limits: &RollLimits) -> bool {
    let waited = match active.first_timestamp {
        Some(first) => incoming.max_timestamp.saturating_sub(first),
        None => active.age_ms,
    };
    waited > limits.segment_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RollLimits = RollLimits { segment_bytes: 100, segment_ms: 1000 };
    const ACTIVE: ActiveSegment =
        ActiveSegment { base: Offset(10), bytes: 60, first_timestamp: Some(5000), age_ms: 0, index_full: false };
    const INCOMING: Incoming = Incoming { bytes: 40, last_offset: Offset(20), max_timestamp: 6000 };

    // Verifies: log.roll.size
    #[test]
    fn a_segment_may_be_filled_to_the_brim() {
        assert!(!must_roll(&ACTIVE, &INCOMING, &LIMITS));
        assert!(must_roll(&ACTIVE, &Incoming { bytes: 41, ..INCOMING }, &LIMITS));
    }

    // Verifies: log.roll.age
    #[test]
    fn records_tell_the_time() {
        assert!(must_roll(&ACTIVE, &Incoming { max_timestamp: 6001, ..INCOMING }, &LIMITS));
        let old = ActiveSegment { age_ms: 1001, ..ACTIVE };
        assert!(!must_roll(&old, &INCOMING, &LIMITS), "they do, so that the clock doesn't count");
        assert!(must_roll(&ActiveSegment { first_timestamp: None, ..old }, &INCOMING, &LIMITS));
    }

    // Verifies: log.roll.index, log.roll.offsets
    #[test]
    fn an_index_bounds_a_segment() {
        assert!(must_roll(&ActiveSegment { index_full: true, ..ACTIVE }, &INCOMING, &LIMITS));
        let last = Offset(ACTIVE.base.0 + MAX_RELATIVE_OFFSET);
        assert!(!must_roll(&ACTIVE, &Incoming { last_offset: last, ..INCOMING }, &LIMITS));
        assert!(must_roll(&ACTIVE, &Incoming { last_offset: last.next(), ..INCOMING }, &LIMITS));
    }

    // Verifies: log.roll.one
    #[test]
    fn an_empty_segment_takes_any_batch() {
        let empty = ActiveSegment { bytes: 0, first_timestamp: None, age_ms: i64::MAX, index_full: true, ..ACTIVE };
        assert!(!must_roll(&empty, &Incoming { bytes: u64::MAX, ..INCOMING }, &LIMITS));
    }
}
