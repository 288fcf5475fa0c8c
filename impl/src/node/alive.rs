//! Who still runs: a task that was aborted may be in the middle of a poll on another thread, and go on to its end.

use std::convert::Infallible;
use tokio::sync::mpsc;

/// Held by a task for as long as it may do anything.
#[derive(Clone)]
pub struct Alive(#[expect(dead_code, reason = "it is enough that it is held")] mpsc::Sender<Infallible>);

/// Tells when no one is alive any more.
pub struct Gone(mpsc::Receiver<Infallible>);

/// For tasks of one kind: what each holds, and what waits for all of them.
pub fn alive() -> (Alive, Gone) {
    let (held, all) = mpsc::channel(1);
    (Alive(held), Gone(all))
}

impl Gone {
    /// Waits until every holder is gone.
    pub async fn wait(mut self) {
        while self.0.recv().await.is_some() {}
    }
}
