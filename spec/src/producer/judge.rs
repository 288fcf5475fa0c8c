//! What becomes of a batch that a client sent with a producer id.
//!
//! Rules: `producer.sequence.*`, `producer.epoch.*`. Source: Kafka's `ProducerStateEntry.findDuplicateBatch`,
//! `ProducerAppendInfo.maybeValidateDataBatch`, in their order.

use super::{Producer, Producers, Sequence, Sequenced, Written};
use crate::refusal::Refusal;
use crate::rules::{KnownBatches, Rules};
use crate::values::{Offset, ProducerEpoch};

/// What a leader does with a batch of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is the next one.
    Append,
    /// It is in the log already.
    Duplicate(Written),
    /// It must not be written.
    Refused(Refusal),
}

impl Producers {
    /// Judges a batch of `count` records.
    #[must_use]
    pub fn judge(&self, rules: &Rules, batch: &Sequenced, count: u32) -> Verdict {
        let known = match rules.known_batches {
            KnownBatches::None => return Verdict::Append,
            KnownBatches::Last => 1,
            KnownBatches::LastFive => Producer::WINDOW,
        };
        let producer = self.get(batch.producer);
        // `producer.epoch.fence`: of whoever is not known the last epoch was -1, which is none.
        if batch.epoch < producer.map_or(ProducerEpoch(-1), Producer::epoch) {
            return Verdict::Refused(Refusal::InvalidProducerEpoch);
        }
        // `producer.sequence.unknown`: who is not known may have been forgotten, and goes on wherever it was.
        let Some(producer) = producer else { return Verdict::Append };
        if batch.epoch > producer.epoch() {
            return Self::in_order(batch.first == Sequence(0)); // `producer.epoch.begin`
        }
        // `producer.sequence.duplicate`: the same numbers from first to last; a part of a batch is none.
        let sent = Written::new(batch, Offset(0), count);
        let same = |written: &&Written| (written.first, written.next) == (sent.first, sent.next);
        match producer.batches().rev().take(known).find(same) {
            Some(written) => Verdict::Duplicate(*written),
            None => Self::in_order(producer.last().is_none_or(|last| batch.first == last.next)),
        }
    }

    /// `producer.sequence.next`: a number that is not the next one means that records before it are missing, or that it
    /// is older than what is remembered.
    fn in_order(is_next: bool) -> Verdict {
        if is_next { Verdict::Append } else { Verdict::Refused(Refusal::OutOfOrderSequenceNumber) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{ProducerId, Timestamp};

    const GAP: Verdict = Verdict::Refused(Refusal::OutOfOrderSequenceNumber);
    const FENCED: Verdict = Verdict::Refused(Refusal::InvalidProducerEpoch);

    fn batch(epoch: i16, first: i32) -> Sequenced {
        let (producer, epoch) = (ProducerId(7), ProducerEpoch(epoch));
        Sequenced { producer, epoch, first: Sequence(first), timestamp: Timestamp(0) }
    }

    /// What is known after batches of two records each with these first numbers.
    fn after(epoch: i16, firsts: impl IntoIterator<Item = i32>) -> Producers {
        let mut known = Producers::default();
        for (index, first) in (0..).zip(firsts) {
            known.appended(&batch(epoch, first), Offset(index * 2), 2);
        }
        known
    }

    // Verifies: producer.sequence.next, producer.sequence.unknown, producer.epoch.fence
    #[test]
    fn the_next_number_is_appended_and_no_other() {
        let known = after(0, [0, 2]);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 4), 1), Verdict::Append);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 5), 1), GAP);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 3), 1), GAP, "a part of a batch is no duplicate of it");
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 2), 1), GAP, "nor the beginning of one");
        let other = Sequenced { producer: ProducerId(8), ..batch(3, 99) };
        assert_eq!(known.judge(&Rules::KAFKA, &other, 1), Verdict::Append, "nothing is known of it");
        let none = |epoch| Sequenced { epoch: ProducerEpoch(epoch), ..other };
        assert_eq!(known.judge(&Rules::KAFKA, &none(-1), 1), Verdict::Append);
        assert_eq!(known.judge(&Rules::KAFKA, &none(-2), 1), FENCED);
    }

    // Verifies: producer.sequence.duplicate, producer.state.window
    #[test]
    fn five_batches_are_remembered() {
        let known = after(0, [0, 2, 4, 6, 8, 10]);
        for (first, base) in [(2, 2), (6, 6), (10, 10)] {
            let Verdict::Duplicate(written) = known.judge(&Rules::KAFKA, &batch(0, first), 2) else {
                panic!("{first} is known")
            };
            assert_eq!((written.base, written.end), (Offset(base), Offset(base + 2)));
        }
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 0), 2), GAP, "six batches ago");
    }

    #[test]
    fn once_only_the_last_batch_was_known_again_and_before_that_none() {
        let judged = |rules: Rules, first| after(0, [0, 2]).judge(&rules, &batch(0, first), 2);
        assert!(matches!(judged(Rules::V0_11, 2), Verdict::Duplicate(_)));
        assert_eq!(judged(Rules::V0_11, 0), GAP);
        assert_eq!(judged(Rules::V0_10, 2), Verdict::Append);
        assert!(matches!(judged(Rules::V2_0, 0), Verdict::Duplicate(_)));
    }

    // Verifies: producer.epoch.fence, producer.epoch.begin, producer.state.epoch
    #[test]
    fn a_new_epoch_begins_at_zero_and_fences_the_last() {
        let mut known = after(1, [0, 2]);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 4), 2), FENCED);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 2), 2), FENCED, "even what looks like a duplicate");
        assert_eq!(known.judge(&Rules::KAFKA, &batch(2, 4), 2), GAP);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(2, 0), 2), Verdict::Append, "no duplicate: the epoch is another");
        known.appended(&batch(2, 0), Offset(4), 2);
        assert_eq!(known.judge(&Rules::KAFKA, &batch(2, 2), 2), Verdict::Append, "not the second batch of epoch 1");
        assert_eq!(known.judge(&Rules::KAFKA, &batch(1, 4), 2), FENCED);
    }

    // Verifies: producer.sequence.wrap, producer.sequence.duplicate
    #[test]
    fn numbers_begin_again_after_the_largest() {
        let known = after(0, [i32::MAX - 2, i32::MAX]);
        assert_eq!(
            known.judge(&Rules::KAFKA, &batch(0, 1), 1),
            Verdict::Append,
            "the last batch was the largest number and 0"
        );
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 0), 1), GAP);
        assert!(matches!(known.judge(&Rules::KAFKA, &batch(0, i32::MAX), 2), Verdict::Duplicate(_)));
    }

    // Verifies: producer.state.expire, producer.sequence.unknown
    #[test]
    fn who_was_forgotten_may_go_on() {
        let mut known = after(1, [0]);
        known.expire(ProducerId(7));
        assert_eq!(known.judge(&Rules::KAFKA, &batch(0, 40), 1), Verdict::Append);
    }
}
