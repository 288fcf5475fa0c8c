//! Breadth-first search, level by level, by any number of workers, with the same outcome for all.
//!
//! A level is explored in rounds of three phases, each shared out among the workers. *Expanding*, they
//! apply events to states and claim what no earlier round knows; among equal finds the one that a worker
//! alone would have come to first wins, whoever was faster. *Keeping*, they judge the winners, which are the
//! next level, in order. *Settling*, what was claimed becomes known. So counts, counterexamples and even
//! the order of exploration are the same with any number of workers.
//!
//! Not here: when to stop for lack of time or memory (`limits.rs`).

use std::mem::take;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::Explorable;
use super::level::{Level, Node};
use super::limits::{LimitUnknown, Watch};
use super::report::{Progress, PropertyReport, Report};
use super::tally::{Judge, Tally};
use super::visited::{Finder, Rank, SHARDS, Visited};

/// Chunks of a round. More of them keep lost claims in memory longer; fewer start threads more often.
const ROUND: usize = 256;

/// How to search.
#[derive(Clone, Debug)]
pub struct Search {
    /// Threads to use; 0 counts as 1. The outcome doesn't depend on it.
    pub workers: usize,
    /// Stop after this long.
    pub time_limit: Option<Duration>,
    /// Stop when the process has this many bytes in memory.
    pub memory_limit: Option<u64>,
    /// Whether to go on after a violation.
    pub stop_on: StopOn,
}

/// When a search that meets no limit is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOn {
    /// At the end of the first level with a violation: enough for a shortest counterexample.
    FirstViolation,
    /// When everything is explored.
    Never,
}

impl Search {
    /// Explores `model`, telling `progress` about it.
    ///
    /// # Panics
    ///
    /// When the model panics, or answers the same question differently when asked again.
    pub fn run<E: Explorable>(&self, model: &E, progress: &Progress) -> Result<Report<E::Event>, LimitUnknown> {
        progress.reset();
        let watch = Watch::start(self.time_limit, self.memory_limit)?;
        let run = Run {
            model,
            workers: self.workers.max(1),
            watch,
            progress,
            expanded: AtomicU64::new(0),
            visited: Visited::new(),
            tallies: (model.properties().iter()).map(|_| Tally::default()).collect(),
        };
        run.explore(self.stop_on);
        Ok(run.report())
    }
}

/// One search under way.
struct Run<'a, E: Explorable> {
    model: &'a E,
    workers: usize,
    watch: Watch,
    progress: &'a Progress,
    expanded: AtomicU64,
    visited: Visited,
    tallies: Vec<Tally>,
}

/// What a chunk led to: states that their finder claims, the claims that were lost since included.
type Found<E> = Vec<Node<<E as Explorable>::State>>;

impl<E: Explorable> Run<'_, E> {
    fn explore(&self, stop_on: StopOn) {
        let mut depth = 0;
        let mut level = self.start();
        while level.len() > 0 && !self.watch.exceeded() {
            if stop_on == StopOn::FirstViolation && self.is_violated() {
                return;
            }
            depth += 1;
            level = self.explore_level(depth, level);
        }
    }

    /// The initial state, as a level of its own. It is its own parent: there a path ends.
    fn start(&self) -> Level<E::State> {
        let state = self.model.initial();
        let fingerprint = self.model.fingerprint(&state);
        let rank = Rank { chunk: 0, index: 0 };
        self.visited.finder().claim(fingerprint, fingerprint, rank);
        self.progress.generated.fetch_add(1, Ordering::Relaxed);
        self.keep(0, vec![Mutex::new(vec![Node { fingerprint, state }])])
    }

    /// Explores a level, and returns the next, which is `depth` events away from the initial state.
    fn explore_level(&self, depth: u64, level: Level<E::State>) -> Level<E::State> {
        let mut next = Level::default();
        let mut chunks = level.into_chunks().map(Mutex::new);
        loop {
            let round: Vec<_> = chunks.by_ref().take(ROUND).collect();
            if round.is_empty() || self.watch.exceeded() {
                return next;
            }
            let found = self.expand(&round);
            next.append(self.keep(depth, found));
        }
    }

    fn expand(&self, round: &[Mutex<Vec<Node<E::State>>>]) -> Vec<Mutex<Found<E>>> {
        let found: Vec<_> = round.iter().map(|_| Mutex::default()).collect();
        in_parallel(self.workers, round.len(), |tasks| {
            let finder = self.visited.finder();
            for index in tasks {
                if self.watch.exceeded() {
                    return; // this chunk stays unexplored, and is counted as such
                }
                let chunk = take(&mut *round[index].lock().unwrap());
                *found[index].lock().unwrap() = self.expand_chunk(index, &chunk, &finder);
            }
        });
        found
    }

    fn expand_chunk(&self, number: usize, chunk: &[Node<E::State>], finder: &Finder<'_>) -> Found<E> {
        let mut candidates = Vec::new();
        let mut generated = 0;
        let mut found = Vec::new();
        for node in chunk {
            self.model.candidates(&node.state, &mut candidates);
            for event in candidates.drain(..) {
                let Some(state) = self.model.apply(&node.state, &event) else {
                    continue;
                };
                generated += 1;
                let fingerprint = self.model.fingerprint(&state);
                if finder.claim(fingerprint, node.fingerprint, rank(number, found.len())) {
                    found.push(Node { fingerprint, state });
                }
            }
        }
        self.progress.generated.fetch_add(generated, Ordering::Relaxed);
        self.expanded.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        found
    }

    /// Judges the states whose claims stand, and returns them in order.
    fn keep(&self, depth: u64, found: Vec<Mutex<Found<E>>>) -> Level<E::State> {
        let kept: Vec<_> = found.iter().map(|_| Mutex::default()).collect();
        in_parallel(self.workers, found.len(), |tasks| {
            let mut judge = Judge::new(self.model);
            for number in tasks {
                let mut kept: MutexGuard<'_, Level<_>> = kept[number].lock().unwrap();
                let found = take(&mut *found[number].lock().unwrap());
                for (index, node) in found.into_iter().enumerate() {
                    if self.visited.has_won(node.fingerprint, rank(number, index)) {
                        judge.judge(&node.state, depth, node.fingerprint);
                        kept.push(node);
                    }
                }
            }
            judge.tell(&self.tallies);
        });
        in_parallel(self.workers, SHARDS, |tasks| {
            tasks.for_each(|shard| self.visited.settle(shard));
        });
        let mut all = Level::default();
        for kept in kept {
            all.append(kept.into_inner().unwrap());
        }
        self.count(depth, all.len());
        all
    }

    fn count(&self, depth: u64, new: usize) {
        if new > 0 {
            self.progress.depth.store(depth, Ordering::Relaxed);
        }
        let distinct = (self.progress.distinct).fetch_add(new as u64, Ordering::Relaxed) + new as u64;
        let frontier = distinct - self.expanded.load(Ordering::Relaxed);
        self.progress.frontier.store(frontier, Ordering::Relaxed);
    }

    fn is_violated(&self) -> bool {
        (self.tallies.iter()).any(|tally| tally.violation().is_some())
    }

    fn report(&self) -> Report<E::Event> {
        let frontier = self.progress.frontier();
        Report {
            distinct: self.progress.distinct(),
            generated: self.progress.generated(),
            depth: self.progress.depth(),
            frontier,
            elapsed: self.watch.elapsed(),
            peak_memory: self.watch.peak_memory(),
            stopped_by: self.watch.hit().filter(|_| frontier > 0), // reached too late to matter
            properties: (self.model.properties().iter().enumerate())
                .map(|(index, name)| self.report_property(index, name))
                .collect(),
        }
    }

    fn report_property(&self, index: usize, name: &'static str) -> PropertyReport<E::Event> {
        let tally = &self.tallies[index];
        PropertyReport {
            name,
            judged: tally.judged(),
            violation: (tally.violation()).map(|violation| self.events_to(violation.fingerprint)),
        }
    }

    /// The events from the initial state to the one with this fingerprint.
    ///
    /// Fingerprints are of canonical forms, but what is replayed are real states, so the labels of an event
    /// (which broker) go on meaning what they meant one event earlier, symmetry or not.
    fn events_to(&self, fingerprint: u64) -> Vec<E::Event> {
        let mut state = self.model.initial();
        let mut candidates = Vec::new();
        let mut events = Vec::new();
        for next in self.visited.path_to(fingerprint).into_iter().skip(1) {
            candidates.clear();
            self.model.candidates(&state, &mut candidates);
            let step = candidates.drain(..).find_map(|event| {
                let after = self.model.apply(&state, &event)?;
                (self.model.fingerprint(&after) == next).then_some((event, after))
            });
            let Some((event, after)) = step else {
                panic!("the model isn't a function: asked again, no event leads on from {state:?}");
            };
            events.push(event);
            state = after;
        }
        events
    }
}

fn rank(chunk: usize, index: usize) -> Rank {
    Rank { chunk: chunk as u32, index: index as u32 }
}

/// Shares out the numbers of `tasks` tasks among `workers` threads, this one included.
///
/// Threads are started anew each time (some 20 µs each), so that a panic in a model ends the search
/// instead of leaving the others waiting for ever.
fn in_parallel(workers: usize, tasks: usize, work: impl Fn(&mut dyn Iterator<Item = usize>) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|task| *task < tasks);
        work(&mut std::iter::from_fn(take));
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.min(tasks) {
            scope.spawn(work);
        }
        work();
    });
}
