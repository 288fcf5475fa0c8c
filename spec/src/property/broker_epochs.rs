//! A broker's registrations have growing epochs.
//!
//! Source: KIP-631; Kafka's `ClusterControlManager.registerBroker`.
//! Verifies: controller.broker.register
//! Can fail: break broker-epoch-reused.

use super::{Property, ensure};
use crate::view::View;

/// C-6
pub const BROKER_EPOCHS: Property = Property {
    name: "broker-epochs",
    number: "C-6",
    statement: "a new process of a broker has a higher epoch than the last, which is not yet to come",
    guards: &[],
    check: |view: &View<'_>| {
        let epochs: Vec<_> = view.metadata.brokers.values().map(|found| found.epoch).collect();
        let written = epochs.iter().all(|epoch| epoch.0 < view.metadata_end.0);
        ensure(written, || format!("a registration has an epoch that is yet to come: {epochs:?}"))?;
        view.replicas
            .iter()
            .filter_map(|replica| Some((replica.broker, replica.running.as_ref()?.broker_epoch?)))
            .try_for_each(|(broker, own)| {
                let registered = view.metadata.brokers.get(&broker).map(|found| found.epoch);
                ensure(registered >= Some(own), || format!("{broker} has an epoch that the controller never gave"))
            })
    },
};
