//! Renaming brokers.
//!
//! Nothing that a machine decides depends on how a broker is called, but for the order of a partition's replicas. A
//! model that leaves that order out may take states that differ only in names for one. A renamed value forgets the
//! order of replicas.

use crate::values::{BrokerId, Brokers, TopicPartition};
use std::collections::BTreeMap;

/// A permutation of broker ids.
pub type Names<'a> = &'a dyn Fn(BrokerId) -> BrokerId;

/// A value in which brokers can be called by other names.
pub trait Renamed {
    /// The value with every broker called by its new name.
    #[must_use]
    fn renamed(&self, names: Names<'_>) -> Self;
}

impl Renamed for BrokerId {
    fn renamed(&self, names: Names<'_>) -> Self {
        names(*self)
    }
}

impl Renamed for Brokers {
    fn renamed(&self, names: Names<'_>) -> Self {
        self.iter().map(names).collect()
    }
}

impl<T: Renamed> Renamed for Option<T> {
    fn renamed(&self, names: Names<'_>) -> Self {
        self.as_ref().map(|value| value.renamed(names))
    }
}

impl<T: Renamed> Renamed for Vec<T> {
    fn renamed(&self, names: Names<'_>) -> Self {
        self.iter().map(|value| value.renamed(names)).collect()
    }
}

impl<V: Renamed> Renamed for BTreeMap<BrokerId, V> {
    fn renamed(&self, names: Names<'_>) -> Self {
        self.iter().map(|(broker, value)| (names(*broker), value.renamed(names))).collect()
    }
}

impl<V: Renamed> Renamed for BTreeMap<TopicPartition, V> {
    fn renamed(&self, names: Names<'_>) -> Self {
        self.iter().map(|(partition, value)| (*partition, value.renamed(names))).collect()
    }
}

impl<T: Renamed, E: Clone> Renamed for Result<T, E> {
    fn renamed(&self, names: Names<'_>) -> Self {
        self.as_ref().map(|value| value.renamed(names)).map_err(E::clone)
    }
}

impl<V: Renamed> Renamed for (TopicPartition, V) {
    fn renamed(&self, names: Names<'_>) -> Self {
        (self.0, self.1.renamed(names))
    }
}
