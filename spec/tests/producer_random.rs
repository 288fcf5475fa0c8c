//! A partition and clients that send what they like: whatever they do, the log has each number once and in order.

#[path = "support/cases.rs"]
mod cases;

use highwater_spec::producer::{Producers, Sequence, Sequenced, Verdict};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A batch, and how many numbers it takes.
type Sent = (Sequenced, u32);

/// Of two producers in three epochs; where it begins is counted from the next number of its producer.
fn sent() -> impl Strategy<Value = (i64, i16, i32, u32)> {
    (0..2_i64, prop_oneof![8 => Just(0_i16), 1 => 0..3_i16], prop_oneof![4 => Just(0), 2 => -6..6], 1..4_u32)
}

#[derive(Default)]
struct Partition {
    known: Producers,
    log: Vec<(Sent, Offset)>,
}

impl Partition {
    fn end(&self) -> Offset {
        self.log.last().map_or(Offset(0), |((_, count), base)| base.plus(*count))
    }

    fn produced(&mut self, (batch, count): Sent) -> Result<(), TestCaseError> {
        match self.known.judge(&Rules::KAFKA, &batch, count) {
            Verdict::Append => {
                self.known.appended(&batch, self.end(), count);
                self.log.push(((batch, count), self.end()));
            }
            Verdict::Duplicate(written) => {
                let there = self.log.iter().find(|(_, base)| *base == written.base);
                let same = there.is_some_and(|((first, size), _)| {
                    (first.producer, first.epoch, first.first, *size)
                        == (batch.producer, batch.epoch, batch.first, count)
                });
                prop_assert!(same, "{batch:?} is taken for {there:?}");
            }
            Verdict::Refused(_) => {}
        }
        Ok(())
    }

    /// The numbers of each producer and epoch, in the order of the log.
    fn numbers(&self) -> BTreeMap<(ProducerId, ProducerEpoch), Vec<Sequence>> {
        let mut numbers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((batch, count), _) in &self.log {
            let of = numbers.entry((batch.producer, batch.epoch)).or_default();
            of.extend((0..*count).map(|index| batch.first.plus(index)));
        }
        numbers
    }
}

proptest! {
    #![proptest_config(cases::cases(20_000))]

    // Verifies: producer.sequence.next, producer.sequence.wrap, producer.sequence.duplicate, producer.epoch.fence,
    // producer.epoch.begin, producer.state.epoch
    #[test]
    fn every_number_is_in_the_log_once_and_in_order(
        begins in prop_oneof![0..9_i32, i32::MAX - 9..=i32::MAX],
        batches in vec(sent(), 1..40),
    ) {
        let mut partition = Partition::default();
        for (producer, epoch, further, count) in batches {
            let id = ProducerId(producer);
            let next = partition.known.get(id).and_then(|known| known.last()).map_or(Sequence(begins), |last| last.next);
            let first = Sequence((i64::from(next.0) + i64::from(further)).rem_euclid(1 << 31) as i32);
            let batch = Sequenced { producer: id, epoch: ProducerEpoch(epoch), first, timestamp: Timestamp(0) };
            partition.produced((batch, count))?;
        }
        for ((id, epoch), numbers) in partition.numbers() {
            let follow = numbers.windows(2).all(|pair| pair[1] == pair[0].next());
            prop_assert!(follow, "{id} {epoch} wrote {numbers:?}");
        }
        let in_order = partition.log.windows(2).all(|pair| {
            let ((one, _), (other, _)) = (pair[0].0, pair[1].0);
            one.producer != other.producer || one.epoch <= other.epoch
        });
        prop_assert!(in_order, "an epoch went back: {:?}", partition.log);
    }

    // Verifies: producer.state.fold, producer.state.window
    #[test]
    fn what_is_known_is_the_last_of_the_log(batches in vec(sent(), 1..40)) {
        let mut known = Producers::default();
        let mut log: Vec<(Sequenced, Offset)> = Vec::new();
        for (index, (producer, epoch, first, _)) in batches.into_iter().enumerate() {
            let (epoch, first) = (ProducerEpoch(epoch), Sequence(first.abs()));
            let batch = Sequenced { producer: ProducerId(producer), epoch, first, timestamp: Timestamp(0) };
            known.appended(&batch, Offset(index as i64), 1);
            log.push((batch, Offset(index as i64)));
        }
        for (id, producer) in known.iter() {
            let last = log.iter().rev().filter(|(batch, _)| batch.producer == id);
            let last: Vec<_> = last.take_while(|(batch, _)| batch.epoch == producer.epoch()).take(5).collect();
            let written: Vec<_> = producer.batches().rev().map(|written| (written.first, written.base)).collect();
            prop_assert_eq!(written, last.iter().map(|(batch, base)| (batch.first, *base)).collect::<Vec<_>>());
        }
    }
}
