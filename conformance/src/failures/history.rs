//! What writers were told about each value, and whether a log agrees with it.
//!
//! Every attempt to write is a value of its own, sent once. So a value can be in the log once at most, and one that was
//! refused has no excuse to be there at all.

use highwater_spec::values::Offset;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one writer sends once: the `number`-th of its values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// Who writes it.
    pub writer: Arc<str>,
    /// Its place among the writer's values.
    pub number: u32,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.writer, self.number)
    }
}

/// What a writer knows of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is at this offset, for good.
    Acknowledged(Offset),
    /// It is in no log, for this reason.
    NotWritten(String),
    /// It may have been written, and may be written yet.
    Unknown(String),
}

/// What writers were told. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct History {
    told: Arc<Mutex<BTreeMap<Value, Outcome>>>,
    writers: Arc<AtomicU32>,
}

impl History {
    /// A name that no other writer has, beginning with `kind`.
    #[must_use]
    pub fn name(&self, kind: &str) -> Arc<str> {
        format!("{kind}-{}", self.writers.fetch_add(1, Ordering::Relaxed)).into()
    }

    /// Notes what is known of a value now.
    pub fn note(&self, value: Value, outcome: Outcome) {
        self.lock().insert(value, outcome);
    }

    /// How many values were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.lock().values().filter(|outcome| matches!(outcome, Outcome::Acknowledged(_))).count()
    }

    /// The last reason that a writer was given for not being acknowledged, for whoever wonders why nothing moves.
    #[must_use]
    pub fn complaints(&self) -> String {
        let mut latest = BTreeMap::new();
        for (value, outcome) in self.lock().iter() {
            latest.insert(Arc::clone(&value.writer), format!("{value}: {outcome:?}"));
        }
        latest.into_values().collect::<Vec<_>>().join("; ")
    }

    /// Everything in which `log`, whose first offset is 0, contradicts what was told; nothing if all is well.
    #[must_use]
    pub fn contradictions(&self, log: &[String]) -> Vec<String> {
        let told = self.lock();
        let mut found = Vec::new();
        let mut places: BTreeMap<&str, Offset> = BTreeMap::new();
        for (offset, value) in (0..).map(Offset).zip(log) {
            if let Some(first) = places.insert(value, offset) {
                found.push(format!("{value} is there twice, at {first} and {offset}"));
            }
        }
        for (value, outcome) in told.iter() {
            let place = places.remove(value.to_string().as_str());
            match (outcome, place) {
                (Outcome::Acknowledged(at), None) => found.push(format!("{value}, acknowledged at {at}, is lost")),
                (Outcome::Acknowledged(at), Some(place)) if *at != place => {
                    found.push(format!("{value}, acknowledged at {at}, is at {place}"));
                }
                (Outcome::NotWritten(reason), Some(place)) => {
                    found.push(format!("{value}, refused ({reason}), is there all the same, at {place}"));
                }
                _ => {}
            }
        }
        found.extend(places.iter().map(|(value, place)| format!("{value}, at {place}, was never sent")));
        found.extend(out_of_order(&told));
        found
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Value, Outcome>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A writer sends a value when it has heard of the one before: what is acknowledged later lies later.
fn out_of_order(told: &BTreeMap<Value, Outcome>) -> Vec<String> {
    let mut last: BTreeMap<&str, (&Value, Offset)> = BTreeMap::new();
    let mut found = Vec::new();
    for (value, outcome) in told {
        let Outcome::Acknowledged(at) = outcome else { continue };
        match last.insert(&value.writer, (value, *at)) {
            Some((before, earlier)) if earlier >= *at => {
                found.push(format!("{value} was acknowledged at {at}, and {before} before it at {earlier}"));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(outcomes: &[Outcome]) -> History {
        let history = History::default();
        for (number, outcome) in (0..).zip(outcomes) {
            history.note(Value { writer: "w".into(), number }, outcome.clone());
        }
        history
    }

    fn log(numbers: &[u32]) -> Vec<String> {
        numbers.iter().map(|number| format!("w #{number}")).collect()
    }

    fn at(offset: i64) -> Outcome {
        Outcome::Acknowledged(Offset(offset))
    }

    fn refused() -> Outcome {
        Outcome::NotWritten("too few".to_owned())
    }

    fn unknown() -> Outcome {
        Outcome::Unknown("no answer".to_owned())
    }

    #[test]
    fn a_log_that_keeps_its_word_contradicts_nothing() {
        let told = history(&[at(0), refused(), unknown(), at(1), unknown(), at(3)]);
        assert_eq!(told.contradictions(&log(&[0, 3, 2, 5])), Vec::<String>::new());
    }

    #[test]
    fn every_broken_word_is_found() {
        let one = |outcomes: &[Outcome], numbers: &[u32]| history(outcomes).contradictions(&log(numbers)).join("\n");
        assert!(one(&[at(0)], &[]).contains("is lost"));
        assert!(one(&[at(0), unknown()], &[1, 0]).contains("acknowledged at 0, is at 1"));
        assert!(one(&[refused()], &[0]).contains("all the same"));
        assert!(one(&[unknown()], &[0, 0]).contains("twice"));
        assert!(one(&[], &[0]).contains("never sent"));
        assert!(one(&[at(1), at(0)], &[1, 0]).contains("before it"));
    }
}
