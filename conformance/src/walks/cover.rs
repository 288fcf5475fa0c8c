//! Walks from the first state that together take every edge, with as few steps as there can be.
//!
//! Every edge is walked once, and some again on the way to edges that are left. How often each is the cheapest flow
//! that makes walks of it: whoever leaves a state has come to it or begins there. The edges, as often as that, fall
//! into walks as Euler's do. Source: Edmonds and Johnson, "Matching, Euler tours and the Chinese postman" (1973).

use super::flow::{Network, UNBOUNDED};
use super::graph::Graph;
use highwater_spec::scenario::Event;

/// A way through a graph, from its first state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk<E = Event> {
    /// The numbers of the edges, in order.
    pub edges: Vec<usize>,
    /// What happens on them.
    pub events: Vec<E>,
}

/// What beginning another walk costs, in steps.
const BEGINNING: u32 = 1;

impl<E: Clone + PartialEq> Graph<E> {
    /// Walks that take every edge. No others do so with fewer steps and beginnings, counted together.
    #[must_use]
    pub fn cover(&self) -> Vec<Walk<E>> {
        if self.edges().is_empty() {
            return Vec::new();
        }
        let tours = Tours::through(self, &self.times());
        tours.map(|edges| Walk { events: self.events(&edges), edges }).collect()
    }

    fn events(&self, edges: &[usize]) -> Vec<E> {
        edges.iter().map(|edge| self.edges()[*edge].event.clone()).collect()
    }

    /// How often each edge is walked.
    fn times(&self) -> Vec<u64> {
        let (source, sink) = (self.states(), self.states() + 1);
        let mut network = Network::new(self.states() + 2);
        let again: Vec<_> = self.edges().iter().map(|edge| network.add(edge.from, edge.to, UNBOUNDED, 1)).collect();
        // There is one walk at least.
        network.add(source, 0, 1, 0);
        network.add(source, 0, UNBOUNDED, BEGINNING);
        for (state, (left, reached)) in self.degrees().into_iter().enumerate() {
            if reached > left {
                network.add(source, state, reached - left, 0);
            } else if left > reached {
                network.add(state, sink, left - reached, 0);
            }
        }
        network.send(source, sink);
        again.into_iter().map(|arc| 1 + network.sent(arc)).collect()
    }

    /// How many edges leave each state, and how many come to it.
    fn degrees(&self) -> Vec<(u64, u64)> {
        let mut degrees = vec![(0, 0); self.states()];
        for edge in self.edges() {
            degrees[edge.from].0 += 1;
            degrees[edge.to].1 += 1;
        }
        degrees
    }
}

/// Takes edges, each as often as it is to be walked, apart into walks.
struct Tours {
    /// One round through all edges, last first. `None` is a jump back to the first state: a walk ends there.
    round: Vec<Option<usize>>,
}

impl Tours {
    /// Hierholzer's algorithm: where a walk comes to a state from which nothing is left, it is laid aside backwards,
    /// and what was left on its way is put in between.
    fn through<E: Clone + PartialEq>(graph: &Graph<E>, times: &[u64]) -> Self {
        let mut left = times.to_vec();
        let mut ends = ends(graph, times);
        let mut next: Vec<_> = (0..graph.states()).map(|state| graph.leaving(state)).collect();
        let (mut state, mut path, mut round) = (0, Vec::new(), Vec::new());
        loop {
            while next[state].start < next[state].end && left[next[state].start] == 0 {
                next[state].start += 1;
            }
            if let Some(edge) = next[state].clone().next() {
                left[edge] -= 1;
                path.push((state, Some(edge)));
                state = graph.edges()[edge].to;
            } else if ends[state] > 0 {
                ends[state] -= 1;
                path.push((state, None));
                state = 0;
            } else if let Some((before, edge)) = path.pop() {
                round.push(edge);
                state = before;
            } else {
                break;
            }
        }
        // The round has no beginning: let it begin behind a jump, or anywhere if it is one walk that returns.
        if let Some(jump) = round.iter().position(Option::is_none) {
            round.rotate_left(jump);
        }
        Self { round }
    }
}

/// How many walks end in each state. One that returns to where all began need not end.
fn ends<E: Clone + PartialEq>(graph: &Graph<E>, times: &[u64]) -> Vec<u64> {
    let (mut come, mut gone) = (vec![0; graph.states()], vec![0; graph.states()]);
    for (edge, times) in graph.edges().iter().zip(times) {
        gone[edge.from] += times;
        come[edge.to] += times;
    }
    come.iter().zip(&gone).map(|(come, gone): (&u64, &u64)| come.saturating_sub(*gone)).collect()
}

impl Iterator for Tours {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let mut walk = Vec::new();
        while let Some(Some(edge)) = self.round.pop() {
            walk.push(edge);
        }
        (!walk.is_empty()).then_some(walk)
    }
}
