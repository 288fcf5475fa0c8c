//! Walks of small graphs, where what is best can be found by trying everything, and of a small world.

use super::sample::Random;
use super::{Divergence, Effort, Graph, OnModel, Replayer, Walk, replay};
use highwater_checker::engine::{Explorable, Progress, Search, StopOn, Verdict};
use highwater_checker::replication::{Bounds, World};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::Event;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// States are numbers, and each has a list of those that follow. The event is the place in that list.
#[derive(Clone, Debug)]
struct Toy(Vec<Vec<usize>>);

impl Toy {
    /// Of up to `states` states and `edges` edges.
    fn drawn(random: &mut Random, states: usize, edges: usize) -> Self {
        let mut following = vec![Vec::new(); 1 + random.below(states)];
        for _ in 0..random.below(edges + 1) {
            let (from, to) = (random.below(following.len()), random.below(following.len()));
            following[from].push(to);
        }
        Self(following)
    }
}

impl Explorable for Toy {
    type State = usize;
    type Event = usize;

    fn initial(&self) -> usize {
        0
    }

    fn candidates(&self, state: &usize, out: &mut Vec<usize>) {
        // One too many, which isn't possible.
        out.extend(0..=self.0[*state].len());
    }

    fn apply(&self, state: &usize, event: &usize) -> Option<usize> {
        self.0[*state].get(*event).copied()
    }

    fn fingerprint(&self, state: &usize) -> u64 {
        *state as u64
    }

    fn properties(&self) -> &[&'static str] {
        &[]
    }

    fn judge(&self, _: &usize, _: &mut Vec<Verdict>) {}

    fn describe(&self, state: &usize) -> String {
        state.to_string()
    }
}

/// Fails unless the walks begin at the first state, go on where they are, and take every edge.
fn assert_covers<E: Clone + PartialEq + std::fmt::Debug>(graph: &Graph<E>, walks: &[Walk<E>]) {
    let mut walked = vec![false; graph.edges().len()];
    for walk in walks {
        assert!(!walk.edges.is_empty(), "an empty walk");
        let mut state = 0;
        for (edge, event) in walk.edges.iter().zip(&walk.events) {
            assert_eq!(graph.edges()[*edge].from, state, "the walk does not go on at {edge}");
            assert_eq!(graph.edges()[*edge].event, *event);
            state = graph.edges()[*edge].to;
            walked[*edge] = true;
        }
        assert_eq!(walk.edges.len(), walk.events.len());
    }
    assert_eq!(walked.iter().position(|walked| !walked), None, "an edge is not walked");
}

#[test]
fn a_graph_has_what_can_be_reached_and_events_that_change_nothing() {
    let graph = Graph::explore(&Toy(vec![vec![1, 0, 1], vec![], vec![0]]));
    let edges: Vec<_> = graph.edges().iter().map(|edge| (edge.from, edge.event, edge.to)).collect();
    assert_eq!((graph.states(), edges), (2, vec![(0, 0, 1), (0, 1, 0), (0, 2, 1)]));
    assert_eq!((graph.leaving(0), graph.leaving(1)), (0..3, 3..3));
}

/// The fewest steps and beginnings, by Dijkstra's algorithm over what has been walked and where one stands.
fn fewest(graph: &Graph<usize>) -> usize {
    let all = (1_u32 << graph.edges().len()) - 1;
    let mut best = HashMap::new();
    let mut open = BinaryHeap::from([Reverse((1, 0_u32, 0))]);
    while let Some(Reverse((cost, walked, state))) = open.pop() {
        if walked == all {
            return cost;
        }
        if best.insert((walked, state), cost).is_some() {
            continue;
        }
        open.push(Reverse((cost + 1, walked, 0)));
        for edge in graph.leaving(state) {
            open.push(Reverse((cost + 1, walked | 1 << edge, graph.edges()[edge].to)));
        }
    }
    unreachable!("every edge can be walked")
}

#[test]
fn walks_take_every_edge_in_as_few_steps_as_can_be() {
    let mut random = Random(1);
    let mut walks_again = 0;
    for _ in 0..400 {
        let graph = Graph::explore(&Toy::drawn(&mut random, 6, 9));
        let walks = graph.cover();
        assert_covers(&graph, &walks);
        let steps: usize = walks.iter().map(|walk| walk.edges.len()).sum();
        assert_eq!((steps + walks.len()).max(1), fewest(&graph), "{graph:?}");
        walks_again += usize::from(steps > graph.edges().len());
    }
    assert!(walks_again > 50, "only {walks_again} graphs need an edge twice");
}

#[test]
fn walks_take_every_edge_of_larger_graphs() {
    let mut random = Random(2);
    let mut largest = 0;
    for _ in 0..20 {
        let graph = Graph::explore(&Toy::drawn(&mut random, 2000, 8000));
        assert_covers(&graph, &graph.cover());
        largest = largest.max(graph.states());
    }
    assert!(largest > 1000, "no graph has more than {largest} states");
}

fn small_world() -> World {
    World::new(Rules::KAFKA, Bounds { kills: 1, ..Bounds::QUIET })
}

#[test]
fn every_walk_of_a_world_is_possible_and_passes_through_the_states_of_its_graph() {
    let world = small_world();
    let graph = Graph::explore(&world);
    let search = Search { workers: 1, time_limit: None, memory_limit: None, stop_on: StopOn::Never };
    let searched = search.run(&world, &Progress::default()).expect("memory can be measured");
    assert_eq!(graph.states() as u64, searched.distinct);
    assert_eq!(graph.edges().len() as u64, searched.generated - 1, "the initial state counts as reached");
    let walks = graph.cover();
    assert_covers(&graph, &walks);
    let mut fingerprints: Vec<Option<u64>> = vec![None; graph.states()];
    for walk in &walks {
        let mut state = world.initial();
        for (edge, event) in walk.edges.iter().zip(&walk.events) {
            state = world.apply(&state, event).expect("a walk is possible");
            let fingerprint = world.fingerprint(&state);
            let known = fingerprints[graph.edges()[*edge].to].get_or_insert(fingerprint);
            assert_eq!(*known, fingerprint, "two ways to one state lead to different ones");
        }
    }
}

#[test]
fn a_world_has_the_same_walks_in_every_run() {
    let walks = || Graph::explore(&small_world()).cover();
    assert_eq!(walks(), walks());
}

/// Goes wrong where anyone is killed.
struct OutlivesNoKill;

impl Replayer<World> for OutlivesNoKill {
    fn replay(&mut self, world: &World, events: &[Event]) -> Result<(), Divergence> {
        match events.iter().position(|event| event.to_string().contains("killed")) {
            Some(step) => Err(Divergence { step, what: "it is gone".into() }),
            None => OnModel.replay(world, events),
        }
    }
}

#[test]
fn a_walk_that_diverges_is_told_up_to_there() {
    let world = small_world();
    let graph = Graph::explore(&world);
    let walks = graph.cover();
    let chosen: Vec<_> = (0..walks.len()).collect();
    let outcome =
        replay(&world, graph.edges().len(), &walks, &chosen, Effort { threads: 2, enough: 5 }, || OutlivesNoKill);
    assert!(!outcome.diverged.is_empty() && outcome.walks < walks.len(), "it goes on and on");
    for diverged in &outcome.diverged {
        let inputs: Vec<_> = diverged.scenario.lines().filter(|line| line.starts_with("> ")).collect();
        assert_eq!(inputs.len(), diverged.divergence.step + 1);
        assert!(inputs.last().is_some_and(|last| last.contains("killed")), "{inputs:?}");
    }
    let killed = |edge: usize| graph.edges()[edge].event.to_string().contains("killed");
    let walked: Vec<_> = (0..graph.edges().len()).filter(|edge| outcome.walked[*edge]).collect();
    assert!(!walked.is_empty() && !walked.into_iter().any(killed), "what did not go well is not covered");
}

#[test]
fn any_number_of_threads_covers_the_same() {
    let world = small_world();
    let graph = Graph::explore(&world);
    let walks = graph.cover();
    let chosen: Vec<_> = (0..walks.len()).collect();
    let outcomes = [1, 3]
        .map(|threads| replay(&world, graph.edges().len(), &walks, &chosen, Effort { threads, enough: 5 }, || OnModel));
    assert!(outcomes[0].walked.iter().all(|walked| *walked) && outcomes[0].diverged.is_empty());
    assert_eq!(outcomes[0].passed, outcomes[1].passed);
    assert!(outcomes[0].passed.len() > 40, "only {} marks are passed", outcomes[0].passed.len());
}
