//! Named timers of one thread: set anew, cancelled, due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Timers by name. A name has one deadline; setting it again replaces it.
#[derive(Debug)]
pub struct Timers<K> {
    deadlines: BTreeMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Clone> Timers<K> {
    /// None armed.
    pub fn new() -> Self {
        Self { deadlines: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Arms `name`, in place of what it was armed for.
    pub fn set(&mut self, name: K, at: Instant) {
        self.cancel(&name);
        self.order.insert((at, name.clone()));
        self.deadlines.insert(name, at);
    }

    /// Disarms `name`.
    pub fn cancel(&mut self, name: &K) {
        if let Some(at) = self.deadlines.remove(name) {
            self.order.remove(&(at, name.clone()));
        }
    }

    /// Disarms every timer that `gone` names.
    pub fn cancel_all(&mut self, gone: impl Fn(&K) -> bool) {
        self.deadlines.retain(|name, _| !gone(name));
        self.order.retain(|(_, name)| !gone(name));
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes one that is due at `now`, the earliest first.
    pub fn take_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, name) = self.order.pop_first()?;
        self.deadlines.remove(&name);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_timer_set_anew_is_due_once_and_later() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut timers = Timers::new();
        timers.set("lag", at(1));
        timers.set("retry", at(2));
        timers.set("gone", at(1));
        timers.set("lag", at(3));
        timers.cancel(&"gone");
        assert_eq!(timers.next(), Some(at(2)));
        assert_eq!(timers.take_due(at(1)), None);
        assert_eq!(timers.take_due(at(3)), Some("retry"));
        assert_eq!(timers.take_due(at(3)), Some("lag"));
        assert_eq!(timers.take_due(at(9)), None);
    }
}
