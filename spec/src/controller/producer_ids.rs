//! AllocateProducerIds: a broker asks for ids that it may give out to producers.
//!
//! Not here: giving them out (`producer::IdBlock`). Rules: `controller.producer-ids.*`. Source: KIP-730; Kafka's
//! `ProducerIdControlManager`.

use super::{Controller, Image, Record, Reply};
use crate::refusal::Refusal;
use crate::values::{BrokerEpoch, BrokerId, ProducerId};

/// How many ids a broker gets at once.
pub const PRODUCER_IDS_PER_BLOCK: u32 = 1000;

impl Controller {
    /// `controller.producer-ids.epoch`: only to the present registration of a broker.
    pub(super) fn allocate_producer_ids(
        &self,
        broker: BrokerId,
        broker_epoch: BrokerEpoch,
        records: &mut Vec<Record>,
    ) -> Reply {
        if self.image.brokers.get(&broker).is_none_or(|known| known.epoch != broker_epoch) {
            return Reply::Refused(Refusal::StaleBrokerEpoch);
        }
        let (first, count) = (self.image.next_producer_id, PRODUCER_IDS_PER_BLOCK);
        match first.0.checked_add(i64::from(count)).map(ProducerId) {
            Some(next) => {
                records.push(Record::ProducerIdsAllocated { broker, broker_epoch, next });
                Reply::ProducerIds { first, count }
            }
            None => Reply::Refused(Refusal::UnknownServerError),
        }
    }
}

impl Image {
    /// `controller.producer-ids.once`: a block begins where all before it have ended, and the log says so before
    /// anyone hears of it.
    pub(super) fn producer_ids_allocated(&mut self, next: ProducerId) {
        self.next_producer_id = self.next_producer_id.max(next);
    }
}
