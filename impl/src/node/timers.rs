//! Named timers of one thread: set anew, cancelled, due.
//!
//! Where a door is kept they stand before it, and time does not make them fire.

use crate::door::Held;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Timers by name. A name has one deadline; setting it again replaces it.
pub struct Timers<K> {
    deadlines: BTreeMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
    /// Puts a timer before the door, if that is kept.
    hold: Hold<K>,
    held: BTreeMap<K, Held>,
}

type Hold<K> = Box<dyn Fn(&K) -> Option<Held> + Send>;

impl<K: Ord + Clone> Timers<K> {
    /// None armed. `hold` puts a timer before a door, if that is kept.
    pub fn before(hold: impl Fn(&K) -> Option<Held> + Send + 'static) -> Self {
        Self { deadlines: BTreeMap::new(), order: BTreeSet::new(), hold: Box::new(hold), held: BTreeMap::new() }
    }

    /// Arms `name`, in place of what it was armed for.
    pub fn set(&mut self, name: K, at: Instant) {
        self.cancel(&name);
        if let Some(held) = (self.hold)(&name) {
            self.held.insert(name, held);
            return;
        }
        self.order.insert((at, name.clone()));
        self.deadlines.insert(name, at);
    }

    /// Disarms `name`.
    pub fn cancel(&mut self, name: &K) {
        self.held.remove(name);
        if let Some(at) = self.deadlines.remove(name) {
            self.order.remove(&(at, name.clone()));
        }
    }

    /// Disarms every timer that `gone` names.
    pub fn cancel_all(&mut self, gone: impl Fn(&K) -> bool) {
        self.held.retain(|name, _| !gone(name));
        self.deadlines.retain(|name, _| !gone(name));
        self.order.retain(|(_, name)| !gone(name));
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes a timer that the door has let through; false if it was disarmed meanwhile.
    pub fn take(&mut self, name: &K) -> bool {
        self.held.remove(name).is_some()
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
        let mut timers = Timers::before(|_| None);
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
