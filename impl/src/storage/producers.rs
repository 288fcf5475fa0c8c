//! What a log says of its producers.
//!
//! Source: Kafka's `ProducerStateManager`, `UnifiedLog.rebuildProducerState`.

use super::StorageError;
use super::scan::Scan;
use super::segment::Segment;
use highwater_spec::producer::Producers;
use std::sync::Arc;

/// The fold of these segments' batches, by their headers.
pub(super) fn fold(segments: &[Arc<Segment>]) -> Result<Producers, StorageError> {
    let mut producers = Producers::default();
    for segment in segments {
        for batch in Scan::headers(segment, 0) {
            let header = batch.map_err(|error| error.into_storage(segment))?.header;
            if let Some(sequenced) = header.sequenced() {
                producers.appended(&sequenced, header.base_offset, header.offset_count());
            }
        }
    }
    Ok(producers)
}
