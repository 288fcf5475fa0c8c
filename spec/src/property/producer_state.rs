//! What a replica knows of producers is what its log says, no less and no more.
//!
//! Whoever leads next decides by what it knows which batch is a retry: it is right only if that is of the log that it has.
//! Here no producer expires; a replica may forget one that has written nothing for long.
//!
//! Source: KIP-98; Kafka's `ProducerStateManager`.
//! Verifies: producer.state.fold, replica.producers.note, replica.producers.cut
//! Can fail: break cut-batches-stay-known.

use super::{Property, ensure};
use crate::producer::Producers;
use crate::view::{ReplicaView, View};

/// T-2
pub const PRODUCER_STATE: Property = Property {
    name: "producer-state",
    number: "T-2",
    statement: "what a running replica knows of producers with ids is the fold of its log",
    guards: &[],
    check: |view: &View<'_>| view.replicas.iter().try_for_each(|replica| check(view, replica)),
};

fn check(view: &View<'_>, replica: &ReplicaView<'_>) -> Result<(), String> {
    let Some(belief) = replica.running.as_ref().and_then(|running| running.replica.as_ref()) else { return Ok(()) };
    let mut of_log = Producers::default();
    for (entry, above) in replica.log.iter().zip(0..) {
        if let Some((_, sequenced)) = view.sequenced.iter().find(|(value, _)| *value == entry.value) {
            of_log.appended(sequenced, replica.log_start.plus(above), 1);
        }
    }
    ensure(*belief.producers == of_log, || {
        format!("{} knows {:?}, its log says {of_log:?}", replica.broker, belief.producers)
    })
}
