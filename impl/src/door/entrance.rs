//! How events get into a thread's inbox: at once, or when the door's keeper lets them.

use super::{Done, Door, Held, Pass, Place, What};
use crate::cells::{Closed, Drained, Inbox};
use std::sync::Arc;
use std::time::Instant;

/// An event of a thread that hosts machines.
pub trait Enters: Send + Sized + 'static {
    /// Before which machine it waits, and how it is told. `None`: no machine hears of it, so that it need not wait.
    fn arrival(&self) -> Option<(Place, What)>;

    /// An event that calls `done` when everything before it has been dealt with.
    fn mark(done: Done) -> Self;
}

/// The way into an inbox.
pub struct Entrance<T> {
    inbox: Arc<Inbox<T>>,
    door: Door,
}

impl<T> Clone for Entrance<T> {
    fn clone(&self) -> Self {
        Self { inbox: Arc::clone(&self.inbox), door: self.door.clone() }
    }
}

impl<T: Enters> Entrance<T> {
    /// To an inbox of its own.
    pub fn new(door: Door) -> Self {
        Self { inbox: Arc::new(Inbox::new()), door }
    }

    /// The door before it.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Brings an event to the inbox, or to the door before it.
    ///
    /// # Errors
    /// [`Closed`] with the event, if the inbox was closed; not told while the event waits at the door.
    pub fn send(&self, event: T) -> Result<(), Closed<T>> {
        let (Some(keeper), Some((at, what))) = (self.door.keeper(), event.arrival()) else {
            return self.inbox.send(event);
        };
        keeper.arrived(at, what, self.pass(move || event));
        Ok(())
    }

    /// A timer that the thread has armed, if the door is kept: it fires when it is passed.
    pub(crate) fn hold_timer(
        &self,
        at: Place,
        timer: String,
        due: impl FnOnce() -> T + Send + 'static,
    ) -> Option<Held> {
        let keeper = self.door.keeper()?;
        Some(Held::new(keeper, at, What::Timer(timer), self.pass(due)))
    }

    pub(crate) fn pass(&self, event: impl FnOnce() -> T + Send + 'static) -> Pass {
        let inbox = Arc::clone(&self.inbox);
        Box::new(move |done| {
            let _ = inbox.send(event());
            let _ = inbox.send(T::mark(done));
        })
    }

    /// Takes what has passed: [`Inbox::drain`].
    pub fn drain(&self, into: &mut Vec<T>, deadline: Option<Instant>) -> Drained {
        self.inbox.drain(into, deadline)
    }

    /// Closes the inbox: [`Inbox::close`].
    pub fn close(&self) {
        self.inbox.close();
    }
}
