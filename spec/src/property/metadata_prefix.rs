//! Every broker knows a beginning of what the controller says.
//!
//! Source: MetadataLogMatchingProperty of the KIP-966 TLA+ specification.
//! Verifies: broker.metadata.*
//! Can fail: break metadata-record-skipped.

use super::{Property, ensure};
use crate::view::View;

/// C-7
pub const METADATA_PREFIX: Property = Property {
    name: "metadata-prefix",
    number: "C-7",
    statement: "a broker's metadata is what the controller's was at the offset that the broker has reached",
    guards: &[],
    check: |view: &View<'_>| {
        view.replicas.iter().filter_map(|replica| Some((replica.broker, replica.running.as_ref()?))).try_for_each(
            |(broker, running)| {
                ensure(running.metadata_end <= view.metadata_end, || {
                    format!("{broker} has heard what is not committed")
                })?;
                ensure(running.image_is_a_prefix, || format!("{broker} believes what the controller never said"))
            },
        )
    },
};
