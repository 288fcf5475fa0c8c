//! A registration has an epoch of its own.
//!
//! Source: KIP-631; Kafka's `ClusterControlManager.registerBroker`.
//! Verifies: controller.broker.register
//! Can fail: breaks `broker-epoch-reused`.

use super::{Property, ensure};
use crate::view::View;

/// C-6
pub const BROKER_EPOCHS: Property = Property {
    name: "broker-epochs",
    number: "C-6",
    statement: "no two registrations share an epoch, and none has one that is yet to come",
    guards: &[],
    check: |view: &View<'_>| {
        let mut epochs: Vec<_> = view.metadata.brokers.values().map(|found| found.epoch).collect();
        epochs.sort_unstable();
        let distinct = epochs.windows(2).all(|pair| pair[0] != pair[1]);
        ensure(distinct, || format!("two registrations share an epoch: {epochs:?}"))?;
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
