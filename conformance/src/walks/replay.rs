//! Handing walks to replayers, on several threads.

use super::Walk;
use highwater_checker::narrated::Narrated;
use highwater_checker::story;
use highwater_spec::marks::{self, Mark, Passed};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Something that a walk can be replayed on.
pub trait Replayer<W: Narrated> {
    /// Brings a world's first state about, and then one event after the other.
    ///
    /// # Errors
    /// Says where what was replayed on and the world part.
    fn replay(&mut self, world: &W, events: &[W::Event]) -> Result<(), Divergence>;
}

/// Where a replay and its world part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many events went well before the one at which they part.
    pub step: usize,
    /// What is different.
    pub what: String,
}

/// A walk that did not go well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// The walk's number.
    pub walk: usize,
    /// Where it parted.
    pub divergence: Divergence,
    /// The walk up to there, as a scenario.
    pub scenario: String,
}

/// What came of replaying.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The walks that were begun.
    pub walks: usize,
    /// The events that went well.
    pub steps: usize,
    /// Whether each edge was walked, by its number.
    pub walked: Vec<bool>,
    /// Those that did not go well, by number.
    pub diverged: Vec<Diverged>,
    /// The marks that the replaying threads passed.
    pub passed: BTreeMap<Mark, Passed>,
    /// How long it took.
    pub took: Duration,
}

/// How walks are replayed.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many at a time.
    pub threads: usize,
    /// When so many have diverged no further one is begun.
    pub enough: usize,
}

/// Replays `chosen` of the `walks` of a world with `edges` edges. Each thread makes a replayer of its own.
pub fn replay<W, R: Replayer<W>>(
    world: &W,
    edges: usize,
    walks: &[Walk<W::Event>],
    chosen: &[usize],
    effort: Effort,
    make: impl Fn() -> R + Sync,
) -> Outcome
where
    W: Narrated + Sync,
    W::Event: Sync,
{
    let begun = Instant::now();
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(Outcome { walked: vec![false; edges], ..Outcome::default() });
    let work = || {
        let mut replayer = make();
        while let Some(walk) = chosen.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let replayed = replayer.replay(world, &walks[walk].events);
            let passed = marks::take();
            let diverged = replayed.err().map(|divergence| diverged(world, walk, &walks[walk], divergence));
            let mut outcome = outcome.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            outcome.note(&walks[walk], passed, diverged);
            if outcome.diverged.len() >= effort.enough {
                break;
            }
        }
    };
    thread::scope(|scope| (0..effort.threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    let mut outcome = outcome.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    outcome.diverged.sort_by_key(|diverged| diverged.walk);
    outcome.took = begun.elapsed();
    outcome
}

impl Outcome {
    fn note<E>(&mut self, walk: &Walk<E>, passed: BTreeMap<Mark, Passed>, diverged: Option<Diverged>) {
        let steps = diverged.as_ref().map_or(walk.edges.len(), |diverged| diverged.divergence.step);
        self.walks += 1;
        self.steps += steps;
        walk.edges.iter().take(steps).for_each(|edge| self.walked[*edge] = true);
        self.diverged.extend(diverged);
        for (mark, passed) in passed {
            let sum = self.passed.entry(mark).or_default();
            sum.met += passed.met;
            sum.unmet += passed.unmet;
        }
    }
}

fn diverged<W: Narrated>(world: &W, number: usize, walk: &Walk<W::Event>, divergence: Divergence) -> Diverged {
    let upto = walk.events.len().min(divergence.step + 1);
    let scenario = match story::tell(world, &walk.events[..upto], None) {
        Ok(scenario) => scenario.to_string(),
        Err(error) => format!("# It can't be told: {error}\n"),
    };
    Diverged { walk: number, divergence, scenario }
}
