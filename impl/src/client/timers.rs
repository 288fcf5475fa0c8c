//! The timers that a machine asks for.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Armed timers, by name.
#[derive(Debug)]
pub(super) struct Timers<T>(BTreeMap<T, Instant>);

impl<T: Ord + Clone> Timers<T> {
    pub fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Arms a timer, in place of an earlier one of this name.
    pub fn set(&mut self, timer: T, after: Duration) {
        self.0.insert(timer, Instant::now() + after);
    }

    pub fn cancel(&mut self, timer: &T) {
        self.0.remove(timer);
    }

    /// Waits until one is due; for ever if none is armed. It stays armed until it is [taken](Self::take).
    pub async fn due(&self) -> T {
        match self.0.iter().min_by_key(|(_, at)| **at) {
            Some((timer, at)) => {
                sleep_until(*at).await;
                timer.clone()
            }
            None => std::future::pending().await,
        }
    }

    /// Lets a timer that is due be so only once.
    pub fn take(&mut self, timer: &T) -> bool {
        self.0.remove(timer).is_some()
    }
}
