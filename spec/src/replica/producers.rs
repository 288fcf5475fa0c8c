//! What a replica remembers of its producers, as its log grows and is cut.
//!
//! Not here: what becomes of a producer's batch (`producer`). Rules: `replica.producers.*`. Source: Kafka's
//! `UnifiedLog.append`, `ProducerStateManager.truncateAndReload`.

use super::{Output, Replica};
use crate::log::Batch;
use crate::machine::Carrier;
use crate::producer::Producers;
use crate::values::Offset;

impl<C: Carrier> Replica<C> {
    /// `replica.producers.note`: leader or follower, whoever appends a batch notes whose it is.
    pub(super) fn note_producer(&mut self, batch: &Batch<C>) {
        if let Some(sequenced) = &batch.producer {
            self.producers.appended(sequenced, batch.base, batch.count);
        }
    }

    /// `replica.producers.cut`: the log is asked what is left, for only a few batches of each producer are known here,
    /// and those that were cut pushed out others. Until it answers, nobody is known.
    pub(super) fn forget_cut_batches(&mut self, out: &mut Vec<Output<C>>) {
        if self.producers.reach_past(self.log.end) {
            self.producers = Producers::default();
            out.push(Output::ReadProducers { upto: self.log.end });
        }
    }

    /// An answer about another log than the one that is here now is ignored.
    pub(super) fn producers_read(&mut self, upto: Offset, producers: Producers) {
        if upto == self.log.end {
            self.producers = producers;
        }
    }
}
