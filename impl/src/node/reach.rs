//! Whether a peer answers, said in the log once when it stops to and once when it does again.
//!
//! Whoever is away is asked again and again, on several connections; that each attempt failed is for those who debug.

use crate::client::ClientError;
use std::sync::atomic::{AtomicBool, Ordering};

/// A peer, and whether it answered when it was last asked.
#[derive(Debug)]
pub struct Reach {
    peer: String,
    is_lost: AtomicBool,
}

impl Reach {
    /// A peer that nobody has asked yet.
    pub fn new(peer: impl Into<String>) -> Self {
        Self { peer: peer.into(), is_lost: AtomicBool::new(false) }
    }

    /// Notes what came of a request to it.
    pub fn note<T>(&self, outcome: &Result<T, ClientError>) {
        let has_turned = self.turn(outcome.is_err());
        match outcome {
            Ok(_) if has_turned => tracing::info!("{} answers again", self.peer),
            Err(error) if has_turned => tracing::warn!(%error, "{} does not answer", self.peer),
            Err(error) => tracing::debug!(%error, "{} still does not answer", self.peer),
            Ok(_) => {}
        }
    }

    /// Whether this is news.
    fn turn(&self, is_lost: bool) -> bool {
        self.is_lost.swap(is_lost, Ordering::Relaxed) != is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_turn_is_news() {
        let reach = Reach::new("broker 1");
        let said = [false, true, true, false, false, true].map(|is_lost| reach.turn(is_lost));
        assert_eq!(said, [false, true, false, true, false, true]);
    }
}
