//! The cheapest way to send as much as possible through a network: the primal-dual algorithm.
//!
//! Costs are small whole numbers and not negative. Each phase finds what the next unit costs everywhere, and sends all
//! that can be sent at that price; there are no more phases than different prices. Source: Ford and Fulkerson's
//! primal-dual method, with Dinic's algorithm inside each phase.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// More than any network holds.
pub const UNBOUNDED: u64 = u64::MAX / 4;

/// A directed network with capacities and costs.
pub struct Network {
    /// An arc and the one that takes it back lie side by side: `arc ^ 1` is the other.
    arcs: Vec<Arc>,
    leaving: Vec<Vec<usize>>,
    /// What it costs to bring one unit to a node, as of the last phase.
    price: Vec<i64>,
}

struct Arc {
    to: usize,
    /// What can still be sent.
    capacity: u64,
    cost: i64,
}

impl Network {
    /// A network without arcs.
    pub fn new(nodes: usize) -> Self {
        Self { arcs: Vec::new(), leaving: vec![Vec::new(); nodes], price: vec![0; nodes] }
    }

    /// Adds an arc, and returns its number for [`Network::sent`].
    pub fn add(&mut self, from: usize, to: usize, capacity: u64, cost: u32) -> usize {
        let (arc, cost) = (self.arcs.len(), i64::from(cost));
        self.arcs.push(Arc { to, capacity, cost });
        self.arcs.push(Arc { to: from, capacity: 0, cost: -cost });
        self.leaving[from].push(arc);
        self.leaving[to].push(arc + 1);
        arc
    }

    /// What goes through an arc.
    pub fn sent(&self, arc: usize) -> u64 {
        self.arcs[arc ^ 1].capacity
    }

    /// Sends as much as possible, as cheaply as possible.
    pub fn send(&mut self, source: usize, sink: usize) {
        while self.find_prices(source, sink) {
            while let Some(depth) = self.depths(source, sink) {
                self.send_along(source, sink, &depth);
            }
        }
    }

    /// What an arc costs more than the difference in price between its ends.
    fn excess(&self, from: usize, arc: &Arc) -> i64 {
        arc.cost + self.price[from] - self.price[arc.to]
    }

    /// Dijkstra's algorithm over what can still be sent. False if nothing more reaches the sink.
    fn find_prices(&mut self, source: usize, sink: usize) -> bool {
        let mut dearer = vec![i64::MAX; self.leaving.len()];
        let mut open = BinaryHeap::from([Reverse((0, source))]);
        dearer[source] = 0;
        while let Some(Reverse((sum, node))) = open.pop() {
            if sum > dearer[node] {
                continue;
            }
            for arc in self.leaving[node].iter().map(|arc| &self.arcs[*arc]).filter(|arc| arc.capacity > 0) {
                let over = sum + self.excess(node, arc);
                if over < dearer[arc.to] {
                    dearer[arc.to] = over;
                    open.push(Reverse((over, arc.to)));
                }
            }
        }
        let reached = dearer[sink];
        if reached == i64::MAX {
            return false;
        }
        // Nodes beyond the sink need no exact price in this phase.
        self.price.iter_mut().zip(dearer).for_each(|(price, dearer)| *price += dearer.min(reached));
        true
    }

    /// How many arcs away from the source each node is, over arcs that cost what they must; `None` once the sink is
    /// out of reach.
    fn depths(&self, source: usize, sink: usize) -> Option<Vec<usize>> {
        let mut depth = vec![usize::MAX; self.leaving.len()];
        let mut open = VecDeque::from([source]);
        depth[source] = 0;
        while let Some(node) = open.pop_front() {
            for arc in self.leaving[node].iter().map(|arc| &self.arcs[*arc]) {
                if arc.capacity > 0 && depth[arc.to] == usize::MAX && self.excess(node, arc) == 0 {
                    depth[arc.to] = depth[node] + 1;
                    open.push_back(arc.to);
                }
            }
        }
        (depth[sink] != usize::MAX).then_some(depth)
    }

    /// Fills every path that goes one deeper with each arc.
    fn send_along(&mut self, source: usize, sink: usize, depth: &[usize]) {
        let mut tried = vec![0; self.leaving.len()];
        let mut path: Vec<usize> = Vec::new();
        loop {
            let node = path.last().map_or(source, |arc| self.arcs[*arc].to);
            if node == sink {
                self.fill(&path);
                path.clear();
            } else if let Some(arc) = self.leaving[node].get(tried[node]).copied() {
                let next = &self.arcs[arc];
                if next.capacity > 0 && depth[next.to] == depth[node] + 1 && self.excess(node, next) == 0 {
                    path.push(arc);
                } else {
                    tried[node] += 1;
                }
            } else if let Some(arc) = path.pop() {
                tried[self.arcs[arc ^ 1].to] += 1;
            } else {
                return;
            }
        }
    }

    fn fill(&mut self, path: &[usize]) {
        let most = path.iter().map(|arc| self.arcs[*arc].capacity).min().unwrap_or(0);
        for arc in path {
            self.arcs[*arc].capacity -= most;
            self.arcs[arc ^ 1].capacity += most;
        }
    }
}
