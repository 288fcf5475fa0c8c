//! Models whose numbers are known without an engine.

use std::fmt;
use std::time::Duration;

use super::{Explorable, Verdict};

fn mix(value: impl std::hash::Hash) -> u64 {
    ahash::RandomState::with_seeds(1, 2, 3, 4).hash_one(value)
}

/// Counters that go up one at a time, each to a limit: (limit + 1)ⁿ states.
#[derive(Clone)]
pub(super) struct Counters {
    pub(super) counters: usize,
    pub(super) limit: u8,
    /// Whether counters are interchangeable: C(n + limit, n) states.
    pub(super) symmetric: bool,
    /// The property that the counters' sum stays below this.
    pub(super) sum_below: u32,
    /// The model itself panics where the sum reaches this.
    pub(super) panics_at: u32,
    /// Whether a counter at its limit goes on from 0: full of cycles.
    pub(super) wraps: bool,
    /// How long each state takes to explore.
    pub(super) pause: Duration,
}

/// The names of [`Counters`]' properties.
pub(super) const SUM_BELOW: &str = "sum-below";
pub(super) const EQUAL_ARE_SMALL: &str = "equal-are-small";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Up(pub(super) usize);

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counter {} goes up", self.0)
    }
}

impl Counters {
    pub(super) fn new(counters: usize, limit: u8) -> Counters {
        Counters {
            counters,
            limit,
            symmetric: false,
            sum_below: u32::MAX,
            panics_at: u32::MAX,
            wraps: false,
            pause: Duration::ZERO,
        }
    }
}

fn sum(state: &[u8]) -> u32 {
    state.iter().map(|count| u32::from(*count)).sum()
}

impl Explorable for Counters {
    type State = Vec<u8>;
    type Event = Up;

    fn initial(&self) -> Vec<u8> {
        vec![0; self.counters]
    }

    fn candidates(&self, _: &Vec<u8>, out: &mut Vec<Up>) {
        if !self.pause.is_zero() {
            std::thread::sleep(self.pause);
        }
        out.extend((0..self.counters).map(Up));
    }

    fn apply(&self, state: &Vec<u8>, Up(counter): &Up) -> Option<Vec<u8>> {
        let mut next = state.clone();
        next[*counter] += 1;
        if self.wraps {
            next[*counter] %= self.limit + 1;
        }
        assert!(sum(&next) < self.panics_at, "a mistake in the model");
        (next[*counter] <= self.limit).then_some(next)
    }

    fn fingerprint(&self, state: &Vec<u8>) -> u64 {
        let mut canonical = state.clone();
        if self.symmetric {
            canonical.sort_unstable();
        }
        mix(canonical)
    }

    fn properties(&self) -> &[&'static str] {
        &[SUM_BELOW, EQUAL_ARE_SMALL]
    }

    /// The second property's guard is met in `limit + 1` states, and never violated.
    fn judge(&self, state: &Vec<u8>, verdicts: &mut Vec<Verdict>) {
        verdicts.push(match sum(state) < self.sum_below {
            true => Verdict::Holds,
            false => Verdict::Violated,
        });
        verdicts.push(match state.iter().all(|count| *count == state[0]) {
            true if state[0] > self.limit => Verdict::Violated,
            true => Verdict::Holds,
            false => Verdict::Unguarded,
        });
    }

    fn describe(&self, state: &Vec<u8>) -> String {
        let counts: Vec<_> = state.iter().map(u8::to_string).collect();
        format!("counters at {}", counts.join(" "))
    }
}

/// Jugs of 3 and 5 litres and a tap: 16 states, and 4 litres take 6 events. Full of cycles and self-loops.
pub(super) struct Jugs;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pour {
    Fill(usize),
    Empty(usize),
    Into(usize),
}

impl fmt::Display for Pour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Explorable for Jugs {
    type State = [u8; 2];
    type Event = Pour;

    fn initial(&self) -> [u8; 2] {
        [0, 0]
    }

    fn candidates(&self, _: &[u8; 2], out: &mut Vec<Pour>) {
        out.extend((0..2).flat_map(|jug| [Pour::Fill(jug), Pour::Empty(jug), Pour::Into(jug)]));
    }

    fn apply(&self, state: &[u8; 2], event: &Pour) -> Option<[u8; 2]> {
        const LITRES: [u8; 2] = [3, 5];
        let mut next = *state;
        match *event {
            Pour::Fill(jug) => next[jug] = LITRES[jug],
            Pour::Empty(jug) => next[jug] = 0,
            Pour::Into(jug) => {
                let poured = state[1 - jug].min(LITRES[jug] - state[jug]);
                next[jug] += poured;
                next[1 - jug] -= poured;
            }
        }
        Some(next)
    }

    fn fingerprint(&self, state: &[u8; 2]) -> u64 {
        mix(state)
    }

    fn properties(&self) -> &[&'static str] {
        &["never-four"]
    }

    fn judge(&self, state: &[u8; 2], verdicts: &mut Vec<Verdict>) {
        verdicts.push(match state.contains(&4) {
            true => Verdict::Violated,
            false => Verdict::Holds,
        });
    }

    fn describe(&self, state: &[u8; 2]) -> String {
        format!("{state:?}")
    }
}

/// Counts to a hundred, and violates whatever properties it has all the way.
pub(super) struct Line {
    pub(super) properties: Vec<&'static str>,
}

impl Explorable for Line {
    type State = u8;
    type Event = u8;

    fn initial(&self) -> u8 {
        0
    }

    fn candidates(&self, state: &u8, out: &mut Vec<u8>) {
        out.push(state + 1);
    }

    fn apply(&self, _: &u8, event: &u8) -> Option<u8> {
        (*event <= 100).then_some(*event)
    }

    fn fingerprint(&self, state: &u8) -> u64 {
        mix(state)
    }

    fn properties(&self) -> &[&'static str] {
        &self.properties
    }

    fn judge(&self, _: &u8, verdicts: &mut Vec<Verdict>) {
        verdicts.extend(self.properties.iter().map(|_| Verdict::Violated));
    }

    fn describe(&self, state: &u8) -> String {
        state.to_string()
    }
}
