//! A cluster of ours in lockstep with the model, in this process: the museum's scenarios, a sample of the walks, and
//! clusters that are wrong on purpose.
//!
//! Nothing here starts a process: until it runs its program, a child holds every socket of its parent, and a node that
//! starts again would find its port taken.

use highwater_conformance::lockstep::scenarios::{BROKEN, MENDED, Told};
use highwater_conformance::lockstep::{Ensemble, Playable, Script};
use highwater_conformance::walks::sample::sample;
use highwater_conformance::walks::{CONSUMER_GROUNDS, Effort, GROUNDS, GROUP_GROUNDS, Graph, replay};
use highwater_spec::rules::Rules;
use std::hash::Hash;

/// The steps of each world that a sample has.
const SAMPLED: usize = 600;

fn play(ensemble: &Ensemble, told: &Told) {
    let script = Script::read(told.text).unwrap_or_else(|error| panic!("{}: {error}", told.name));
    script.play(ensemble).unwrap_or_else(|divergence| panic!("{}: {divergence}", told.name));
}

#[test]
fn a_cluster_does_what_every_scenario_tells() {
    let ensemble = Ensemble::in_process().unwrap();
    BROKEN.iter().chain(MENDED).for_each(|told| play(&ensemble, told));
}

fn walk<W: Playable + Sync>(name: &str, world: &W)
where
    W::Event: Eq + Hash + Sync,
{
    let ensemble = Ensemble::in_process().unwrap();
    let graph = Graph::explore(world);
    let walks = graph.cover();
    let chosen = sample(&walks, 1, SAMPLED);
    let outcome = replay(world, graph.edges().len(), &walks, &chosen, Effort { threads: 2, enough: 1 }, || &ensemble);
    let diverged =
        outcome.diverged.first().map(|diverged| format!("{}\n{}", diverged.scenario, diverged.divergence.what));
    assert_eq!(diverged, None, "{name}");
}

#[test]
fn a_cluster_does_what_walks_tell() {
    GROUNDS.iter().for_each(|ground| walk(ground.name, &ground.world()));
}

#[test]
fn a_coordinator_does_what_walks_tell() {
    GROUP_GROUNDS.iter().for_each(|ground| walk(ground.name, &ground.world()));
    CONSUMER_GROUNDS.iter().for_each(|ground| walk(ground.name, &ground.world()));
}

/// How the names of scenarios begin that happen by the rules of another time.
const BY_OTHER_RULES: [&str; 6] = ["kip", "known", "kafka-16147", "kafka-8500", "late-commit", "unfenced"];

/// A cluster by the rules of another time does something else, in every scenario of that time.
#[test]
fn a_cluster_by_other_rules_is_found_out() {
    let ensemble = Ensemble::in_process().unwrap().with_rules(Rules::KAFKA);
    for told in BROKEN.iter().filter(|told| BY_OTHER_RULES.iter().any(|begin| told.name.starts_with(begin))) {
        assert!(Script::read(told.text).unwrap().play(&ensemble).is_err(), "{}", told.name);
    }
}
