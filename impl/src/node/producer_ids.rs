//! The ids that this broker gives out to producers, a block of which it gets from the controller at a time.
//!
//! Source: KIP-730; Kafka's `RPCProducerIdManager`.

use super::broker_host::Life;
use super::to_controller::Channel;
use crate::client::ClientError;
use crate::wire::messages::allocate_producer_ids::AllocateProducerIdsRequest;
use highwater_spec::producer::IdBlock;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{BrokerId, ProducerId};
use tokio::sync::{Mutex, watch};

/// Why there is no id to give out now.
#[derive(Debug, thiserror::Error)]
pub enum NoProducerId {
    /// The controller was not heard.
    #[error(transparent)]
    Unheard(#[from] ClientError),
    /// The controller gave none.
    #[error("the controller gave no producer ids: {0}")]
    Refused(Refusal),
}

/// Gives out ids, to whoever asks first.
pub struct ProducerIds {
    me: BrokerId,
    life: watch::Receiver<Life>,
    controller: Channel,
    block: Mutex<IdBlock>,
}

impl ProducerIds {
    /// No block has been asked for yet.
    pub fn new(me: BrokerId, life: watch::Receiver<Life>, controller: Channel) -> Self {
        Self { me, life, controller, block: Mutex::default() }
    }

    /// An id that no producer was ever given.
    ///
    /// # Errors
    /// When a new block is needed, and the controller does not give one.
    pub async fn next(&self) -> Result<ProducerId, NoProducerId> {
        // Held while the controller is asked, so that those who come meanwhile share its answer.
        let mut block = self.block.lock().await;
        if let Some(id) = block.take() {
            return Ok(id);
        }
        let broker_epoch = self.life.borrow().epoch.map_or(-1, |epoch| epoch.0);
        let request = AllocateProducerIdsRequest { broker_id: self.me.0, broker_epoch };
        let answer = self.controller.call(&request).await?;
        match Refusal::from_code(answer.error_code) {
            Some(refusal) => return Err(NoProducerId::Refused(refusal)),
            None => {
                *block =
                    IdBlock::new(ProducerId(answer.producer_id_start), answer.producer_id_len.max(0).unsigned_abs())
            }
        }
        block.take().ok_or(NoProducerId::Refused(Refusal::UnknownServerError))
    }
}
