//! The keeper of a node's door, for a conductor: it tells what waits, and passes what it is told to pass.

use super::board::{Entry, Note};
use highwater::door::{Keeper, Pass, Place, What};
use highwater_spec::values::BrokerId;
use std::collections::HashMap;
use std::panic;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Takes the notes of a gate.
pub type Notes = Box<dyn Fn(Note) + Send + Sync>;

/// The keeper of one process's door.
pub struct Gate {
    node: BrokerId,
    incarnation: [u8; 16],
    notes: std::sync::Arc<Notes>,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    last: u64,
    waiting: HashMap<u64, Pass>,
    /// After how many more outputs that outlive it the process stops.
    stops_after: Option<u8>,
    ended: bool,
}

impl Gate {
    /// Of a process of `node`.
    pub fn new(node: BrokerId, incarnation: [u8; 16], notes: Notes) -> Self {
        let (state, ended) = (Mutex::default(), Condvar::new());
        Self { node, incarnation, notes: std::sync::Arc::new(notes), state, ended }
    }

    /// Lets through what waits under a number. Without effect if it has gone.
    pub fn pass(&self, number: u64) {
        let Some(pass) = self.state().waiting.remove(&number) else { return };
        let (notes, node) = (std::sync::Arc::clone(&self.notes), self.node);
        pass(Box::new(move || notes(Note::Done(node, number))));
    }

    /// Drops what waits under a number: it never passes.
    pub fn discard(&self, number: u64) {
        let dropped = self.state().waiting.remove(&number);
        drop(dropped);
    }

    /// Tells that something that no entry stood for has been carried out.
    pub fn done(&self, number: u64) {
        (self.notes)(Note::Done(self.node, number));
    }

    /// Lets the process stop once it has carried out so many more outputs that outlive it.
    pub fn stop_after(&self, outputs: u8) {
        self.state().stops_after = Some(outputs);
    }

    /// The process ends: nothing passes any more, and who has stopped does not go on.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.ended.notify_all();
        drop(waiting);
    }

    /// Each change of the state is one statement, so a thread that panicked left nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Gate {
    fn arrived(&self, at: Place, what: What, pass: Pass) -> u64 {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        if state.ended {
            drop(state);
            drop(pass);
            return number;
        }
        state.waiting.insert(number, pass);
        // Told under the lock, so that it is told before it can be told to have gone.
        (self.notes)(Note::Arrived(Entry { node: self.node, number, at, what }));
        number
    }

    fn gone(&self, number: u64) {
        let mut state = self.state();
        let dropped = state.waiting.remove(&number);
        if dropped.is_some() {
            (self.notes)(Note::Gone(self.node, number));
        }
        drop(state);
        drop(dropped);
    }

    fn carried_out(&self, _: Place) {
        let mut state = self.state();
        let Some(left) = state.stops_after else { return };
        state.stops_after = left.checked_sub(1).filter(|left| *left > 0);
        if state.stops_after.is_none() {
            (self.notes)(Note::Stopped(self.node));
            while !state.ended {
                state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
            // As a kill would have it: the thread is gone, and what it was about to do with it.
            panic::resume_unwind(Box::new("killed"));
        }
    }

    fn incarnation(&self) -> [u8; 16] {
        self.incarnation
    }
}
