//! The latest value of something, for threads that only read it: a replica's view, the cluster's metadata.

use super::sync::RwLock;
use std::mem;
use std::sync::{Arc, PoisonError};

/// A value that one writer replaces whole and many readers see.
///
/// A reader gets the value as it was published, never parts of two. Once [`Published::publish`] has returned, every
/// read gives that value or a newer one; and no reader sees a value older than one that it saw before.
#[derive(Debug)]
pub struct Published<T> {
    latest: RwLock<Arc<T>>,
}

impl<T> Published<T> {
    /// A cell that holds `first`.
    #[must_use]
    pub fn new(first: impl Into<Arc<T>>) -> Self {
        Self { latest: RwLock::new(first.into()) }
    }

    /// The latest value. It stays as it is for as long as the caller keeps it.
    #[must_use]
    pub fn read(&self) -> Arc<T> {
        Arc::clone(&self.latest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the value. The old one is dropped after the lock is given back.
    pub fn publish(&self, value: impl Into<Arc<T>>) {
        let value = value.into();
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        let old = mem::replace(&mut *latest, value);
        drop(latest);
        drop(old);
    }
}
