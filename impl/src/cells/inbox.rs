//! A queue from many threads to one: how anything reaches a shard.
//!
//! Sending never waits. What bounds the queue is that each connection may have only so many bytes under way.

use super::sync::{Condvar, Mutex, MutexGuard};
use std::mem;
use std::sync::PoisonError;
use std::time::Instant;

/// A queue with many senders and **one** receiving thread. Order is kept for each sender.
#[derive(Debug)]
pub struct Inbox<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State<T> {
    queue: Vec<T>,
    closed: bool,
    /// Whether the receiver sleeps. A notification costs a system call, so a busy receiver gets none.
    asleep: bool,
}

/// How [`Inbox::drain`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// At least one value was taken.
    Some,
    /// The deadline passed and there was nothing.
    Deadline,
    /// The inbox is closed and empty: nothing will come any more.
    Closed,
}

/// The inbox was closed before: the value comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the inbox is closed")]
pub struct Closed<T>(pub T);

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Inbox<T> {
    /// An empty, open inbox.
    #[must_use]
    pub fn new() -> Self {
        let state = State { queue: Vec::new(), closed: false, asleep: false };
        Self { state: Mutex::new(state), arrived: Condvar::new() }
    }

    /// Adds a value and wakes the receiver if it sleeps. Never waits for it.
    ///
    /// # Errors
    ///
    /// [`Closed`] with the value, if the inbox was closed; otherwise the receiver will get it.
    pub fn send(&self, value: T) -> Result<(), Closed<T>> {
        let mut state = self.state();
        if state.closed {
            return Err(Closed(value));
        }
        state.queue.push(value);
        self.wake(state);
        Ok(())
    }

    /// Closes the inbox. The receiver still gets what was sent before.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        self.wake(state);
    }

    /// Moves everything that has arrived to the end of `into`. Waits until there is something, the inbox is closed, or
    /// `deadline` has passed (`None`: never passes; one in the past: doesn't wait).
    pub fn drain(&self, into: &mut Vec<T>, deadline: Option<Instant>) -> Drained {
        let mut state = self.state();
        loop {
            if !state.queue.is_empty() {
                move_all(&mut state.queue, into);
                return Drained::Some;
            }
            if state.closed {
                return Drained::Closed;
            }
            state.asleep = true;
            let Some(woken) = self.sleep(state, deadline) else { return Drained::Deadline };
            state = woken;
            state.asleep = false;
        }
    }

    /// One sleep, which may end without a reason; `None` once the deadline has passed.
    fn sleep<'a>(
        &self,
        state: MutexGuard<'a, State<T>>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, State<T>>> {
        let Some(deadline) = deadline else {
            return Some(self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner));
        };
        let mut state = state;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            state.asleep = false;
            return None;
        }
        Some(self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0)
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>) {
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.arrived.notify_one();
        }
    }

    /// Each change of the state is one statement, so a thread that panicked left nothing half done.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Swaps the buffers where it can: then both keep their memory and nothing is copied under the lock.
fn move_all<T>(from: &mut Vec<T>, into: &mut Vec<T>) {
    if into.is_empty() {
        mem::swap(from, into);
    } else {
        into.append(from);
    }
}
