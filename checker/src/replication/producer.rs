//! The one producer of a world, if it has an id: how it numbers its records.
//!
//! Its first record has the largest number that there is, so that its second begins at 0 again.

use super::Bounds;
use highwater_spec::producer::{Producers, Sequence, Sequenced};
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Timestamp};
use highwater_spec::view::Entry;

impl Bounds {
    /// The number of a record, whose value is 1 for the first.
    #[must_use]
    pub fn sequenced(&self, value: u8) -> Option<Sequenced> {
        (self.idempotent == 1).then(|| Sequenced {
            producer: ProducerId(1),
            epoch: ProducerEpoch(0),
            first: Sequence::LAST.plus(u32::from(value.saturating_sub(1))),
            timestamp: Timestamp(0),
        })
    }

    /// Every value with its number.
    pub(super) fn all_sequenced(&self) -> Vec<(u64, Sequenced)> {
        let all = (1..=self.records).filter_map(|value| Some((u64::from(value), self.sequenced(value)?)));
        all.collect()
    }

    /// What a log says of the producer.
    pub(super) fn producers(&self, log: &[Entry]) -> Producers {
        let mut producers = Producers::default();
        for (entry, offset) in log.iter().zip(0..) {
            if let Some(sequenced) = self.sequenced(u8::try_from(entry.value).unwrap_or(u8::MAX)) {
                producers.appended(&sequenced, Offset(offset), 1);
            }
        }
        producers
    }
}
