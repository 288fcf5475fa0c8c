//! Every state that a world can reach and every event between them, as a graph.
//!
//! Not here: which properties hold in those states (the checker), and in which order edges are walked (`cover.rs`).

use highwater_checker::engine::Explorable;
use highwater_spec::scenario::Event;
use std::collections::HashMap;
use std::ops::Range;

/// One event in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge<E = Event> {
    /// The state in which it happens.
    pub from: usize,
    /// What happens.
    pub event: E,
    /// The state that it leads to, which may be the same.
    pub to: usize,
}

/// A graph whose states all are reached from the first. States and edges are numbered in the order in which a search
/// level by level comes to them, so that a world has the same numbers in every run.
#[derive(Clone, Debug)]
pub struct Graph<E = Event> {
    /// By the state that they leave.
    edges: Vec<Edge<E>>,
    /// Each state's first edge, and one past the last edge of all.
    first: Vec<usize>,
}

impl<E: Clone + PartialEq> Graph<E> {
    /// Explores a world wholly. It must not take states that differ in names for one (`symmetric`): no walk could be
    /// followed through a change of names.
    pub fn explore<W: Explorable<Event = E>>(world: &W) -> Self {
        let initial = world.initial();
        let mut numbers = HashMap::from([(world.fingerprint(&initial), 0)]);
        let (mut edges, mut first) = (Vec::new(), vec![0]);
        let (mut level, mut candidates) = (vec![initial], Vec::new());
        while !level.is_empty() {
            let mut next = Vec::new();
            for state in level {
                let from = first.len() - 1;
                candidates.clear();
                world.candidates(&state, &mut candidates);
                for event in candidates.drain(..) {
                    let Some(after) = world.apply(&state, &event) else { continue };
                    let new = numbers.len();
                    let to = *numbers.entry(world.fingerprint(&after)).or_insert(new);
                    if to == new {
                        next.push(after);
                    }
                    edges.push(Edge { from, event, to });
                }
                first.push(edges.len());
            }
            level = next;
        }
        Self { edges, first }
    }

    /// How many states there are.
    #[must_use]
    pub fn states(&self) -> usize {
        self.first.len() - 1
    }

    /// Every edge; its place is its number.
    #[must_use]
    pub fn edges(&self) -> &[Edge<E>] {
        &self.edges
    }

    /// The numbers of the edges that leave a state.
    #[must_use]
    pub fn leaving(&self, state: usize) -> Range<usize> {
        self.first[state]..self.first[state + 1]
    }
}
