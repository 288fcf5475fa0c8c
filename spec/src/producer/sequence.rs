//! Sequence numbers: records of one producer, counted per partition and epoch.
//!
//! Source: Kafka's `DefaultRecordBatch.incrementSequence`, `ProducerAppendInfo.inSequence`.

use std::fmt;

/// The number of one record, from 0 to 2³¹ − 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub i32);

impl Sequence {
    /// The largest one, after which 0 comes again.
    pub const LAST: Self = Self(i32::MAX);

    /// `producer.sequence.wrap`: the number `count` records further; after the largest comes 0.
    #[must_use]
    pub fn plus(self, count: u32) -> Self {
        let numbers = i64::from(i32::MAX) + 1;
        let further = (i64::from(self.0) + i64::from(count)).rem_euclid(numbers);
        Self(i32::try_from(further).unwrap_or_default())
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus(1)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Verifies: producer.sequence.wrap
    #[test]
    fn after_the_largest_comes_zero() {
        assert_eq!(Sequence(5).plus(3), Sequence(8));
        assert_eq!(Sequence::LAST.next(), Sequence(0));
        assert_eq!(Sequence(i32::MAX - 1).plus(4), Sequence(2));
        assert_eq!(Sequence(5).plus(i32::MAX.unsigned_abs()), Sequence(4), "once around, but for one");
    }
}
