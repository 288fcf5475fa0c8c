//! An epoch names one state.
//!
//! Source: KIP-497; Kafka's `PartitionRegistration.merge`.
//! Verifies: controller.epochs
//! Can fail: break leader-epoch-not-raised.

use super::{Property, ensure};
use crate::view::View;

/// C-5
pub const CONTROLLER_EPOCHS: Property = Property {
    name: "controller-epochs",
    number: "C-5",
    statement: "a partition's epochs never fall; a new leader has a new leader epoch, a new state a new partition epoch",
    guards: &[],
    check: |view: &View<'_>| {
        ensure(!view.history.epoch_reused, || "an epoch stands for two states".into())?;
        let Some(now) = view.metadata.partition(view.partition) else { return Ok(()) };
        let heard = view.replicas.iter().filter_map(|replica| {
            let image = replica.running.as_ref()?.image;
            Some((replica.broker, image.partition(view.partition)?))
        });
        for (broker, then) in heard {
            let ahead = then.leader_epoch > now.leader_epoch || then.partition_epoch > now.partition_epoch;
            ensure(!ahead, || format!("{broker} has heard of an epoch that is yet to come"))?;
            let same = then.leader_epoch != now.leader_epoch || then.leader == now.leader;
            ensure(same, || format!("{broker} has heard of another leader in {}", now.leader_epoch))?;
            let same = then.partition_epoch != now.partition_epoch || then == now;
            ensure(same, || format!("{broker} has heard of another state in {}", now.partition_epoch))?;
        }
        Ok(())
    },
};
