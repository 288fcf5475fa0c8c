//! Who waits until something is published: fetches without enough data, at the end of the log.
//!
//! A waiter registers, **then** looks at what is published, and sleeps only if that isn't enough; the publisher
//! publishes, **then** wakes. So either the waiter sees the new value or it is woken (Kafka's purgatory closes the same
//! gap by asking again after it has watched, KAFKA-9777). What is enough, only the waiter knows: woken, it looks again.

use super::sync::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// What can be woken. A wake that comes before the sleep must not be lost: the next sleep then ends at once.
pub trait Wake: Send + Sync {
    /// Wakes it, or lets its next sleep end at once. Doesn't wait.
    fn wake(&self);
}

impl Wake for tokio::sync::Notify {
    fn wake(&self) {
        self.notify_one();
    }
}

/// The waiters on one published value.
#[derive(Clone, Default)]
pub struct Parked {
    waiters: Arc<Mutex<Waiters>>,
}

#[derive(Default)]
struct Waiters {
    next: u64,
    registered: BTreeMap<u64, Arc<dyn Wake>>,
}

/// A waiter's place in one [`Parked`]. Dropping it takes the waiter off.
#[must_use = "a registration ends when it is dropped"]
pub struct Registration {
    waiters: Arc<Mutex<Waiters>>,
    number: u64,
}

impl Parked {
    /// Nobody waits yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on each [`Parked::wake_all`] wakes `waiter`, until the registration is dropped. One waiter may be
    /// registered at many places.
    pub fn register(&self, waiter: Arc<dyn Wake>) -> Registration {
        let mut waiters = lock(&self.waiters);
        let number = waiters.next;
        waiters.next += 1;
        waiters.registered.insert(number, waiter);
        Registration { waiters: Arc::clone(&self.waiters), number }
    }

    /// Wakes everyone who is registered. To be called after publishing.
    pub fn wake_all(&self) {
        // Woken outside the lock: what a waker does, even dropping a registration, is then no concern of this cell.
        let woken: Vec<_> = lock(&self.waiters).registered.values().cloned().collect();
        woken.iter().for_each(|waiter| waiter.wake());
    }

    /// How many are registered.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.waiters).registered.len()
    }

    /// Whether nobody is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let waiter = lock(&self.waiters).registered.remove(&self.number);
        drop(waiter); // after the lock was given back
    }
}

/// Each change of the list is one statement, so a thread that panicked left nothing half done.
fn lock(waiters: &Mutex<Waiters>) -> MutexGuard<'_, Waiters> {
    waiters.lock().unwrap_or_else(PoisonError::into_inner)
}
