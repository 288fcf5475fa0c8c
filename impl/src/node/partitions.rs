//! What the whole broker may see of its replicas: published views, readers of their logs, and who waits for more.

use crate::cells::{Parked, Published};
use crate::storage::{LogReader, PartitionName};
use highwater_spec::replica::ReadView;
use highwater_spec::values::{Offset, TopicPartition};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// One hosted replica, as threads other than its shard see it.
pub struct Partition {
    /// Which.
    pub id: TopicPartition,
    /// Its name.
    pub name: PartitionName,
    /// What readers may see of it.
    pub view: Published<ReadView>,
    /// The fetches that wait for more.
    pub parked: Parked,
    /// Reads its log.
    pub reader: LogReader,
    recovery_point: AtomicI64,
}

impl Partition {
    /// A replica that was just opened.
    pub fn new(
        id: TopicPartition,
        name: PartitionName,
        view: ReadView,
        reader: LogReader,
        recovery_point: Offset,
    ) -> Self {
        let recovery_point = AtomicI64::new(recovery_point.0);
        Self { id, name, view: Published::new(view), parked: Parked::new(), reader, recovery_point }
    }

    /// Everything below is on the disk for certain (exclusive).
    pub fn recovery_point(&self) -> Offset {
        Offset(self.recovery_point.load(Ordering::Acquire))
    }

    /// The shard has flushed, or cut.
    pub fn set_recovery_point(&self, offset: Offset) {
        self.recovery_point.store(offset.0, Ordering::Release);
    }
}

/// The replicas that this broker hosts.
#[derive(Default)]
pub struct Partitions(RwLock<HashMap<TopicPartition, Arc<Partition>>>);

impl Partitions {
    /// The replica of a partition, if there is one here.
    pub fn get(&self, id: TopicPartition) -> Option<Arc<Partition>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All of them, in no order.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Adds one.
    pub fn insert(&self, partition: Arc<Partition>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(partition.id, partition);
    }

    /// Takes one away.
    pub fn remove(&self, id: TopicPartition) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}
