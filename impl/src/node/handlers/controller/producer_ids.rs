//! AllocateProducerIds: a block of ids for a broker.
//!
//! Source: KIP-730; Kafka's `ControllerApis.handleAllocateProducerIdsRequest`.

use super::{ControllerService, code_of};
use crate::wire::messages::allocate_producer_ids::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
use highwater_spec::controller::{Input, Reply as Answer};
use highwater_spec::values::{BrokerEpoch, BrokerId};

impl ControllerService {
    pub(super) async fn allocate_producer_ids(
        &self,
        request: AllocateProducerIdsRequest,
    ) -> AllocateProducerIdsResponse {
        let (broker, broker_epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        match self.ask(None, move |ticket| Input::AllocateProducerIds { ticket, broker, broker_epoch }).await {
            Answer::ProducerIds { first, count } => AllocateProducerIdsResponse {
                producer_id_start: first.0,
                producer_id_len: i32::try_from(count).unwrap_or(i32::MAX),
                ..Default::default()
            },
            other => AllocateProducerIdsResponse { error_code: code_of(&other), ..Default::default() },
        }
    }
}
