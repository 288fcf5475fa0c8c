//! Two engines that share no code find the same states.

use highwater_checker::engine::stateright::count_with_stateright;
use highwater_checker::engine::{Explorable, Progress, Search, StopOn};
use highwater_checker::group::{self, members};
use highwater_checker::{cleaning, controller, producing, reading, replication};
use highwater_spec::rules::Rules;
use std::sync::Arc;

const QUIET: replication::Bounds = replication::Bounds::QUIET;

fn agree<E: Explorable>(world: E) {
    let search = Search { workers: 2, time_limit: None, memory_limit: None, stop_on: StopOn::Never };
    let own = search.run(&world, &Progress::default()).expect("no limit is given");
    let theirs = count_with_stateright(Arc::new(world), 2);
    assert_eq!(own.distinct, theirs.distinct, "distinct states");
    let mut violated: Vec<_> = own.violated().map(|property| property.name).collect();
    let mut also: Vec<_> = theirs.violated;
    violated.sort_unstable();
    also.sort_unstable();
    assert_eq!(violated, also, "violated properties");
}

fn replicated(rules: Rules, bounds: replication::Bounds) {
    agree(replication::World::new(rules, bounds));
}

#[test]
fn on_a_kill() {
    replicated(Rules::KAFKA, replication::Bounds { records: 2, kills: 1, interrupts: 1, ..QUIET });
}

#[test]
fn on_a_power_loss_under_old_rules() {
    replicated(Rules::V0_10, replication::Bounds { power_losses: 1, fences: 1, checkpoints: 1, ..QUIET });
}

#[test]
fn on_three_brokers_by_any_name() {
    let bounds = replication::Bounds { brokers: 3, fences: 1, symmetric: 1, atomic_fetches: 1, ..QUIET };
    replicated(Rules::KAFKA, bounds);
}

#[test]
fn on_the_controller() {
    let bounds = controller::Bounds { fences: 1, beats: 2, proposals: 1, late_commits: 1, ..controller::Bounds::QUIET };
    agree(controller::World::new(Rules::KAFKA, bounds));
}

#[test]
fn on_a_group() {
    let bounds = group::Bounds { partitions: 1, crashes: 1, ..group::Bounds::QUIET };
    agree(group::World::new(Rules::KAFKA, bounds));
}

#[test]
fn on_a_group_of_the_consumer_protocol() {
    let quiet = members::Bounds::QUIET;
    for bounds in [members::Bounds { crashes: 1, ..quiet }, members::Bounds { records: 1, impatience: 1, ..quiet }] {
        agree(members::World::new(Rules::KAFKA, bounds));
    }
}

#[test]
fn on_a_compacted_log() {
    let quiet = cleaning::Bounds::QUIET;
    let bounds = cleaning::Bounds { keys: 2, records: 3, rolls: 2, cleanings: 2, retentions: 1, crashes: 1, ..quiet };
    agree(cleaning::World::new(Rules::KAFKA, bounds));
}

#[test]
fn on_a_producer() {
    let bounds = producing::Bounds { records: 3, breaks: 1, delays: 1, failovers: 1, ..producing::Bounds::QUIET };
    agree(producing::World::new(Rules::KAFKA, bounds));
}

#[test]
fn on_a_log_that_is_read() {
    agree(reading::World::new(Rules::KAFKA, reading::Bounds { restarts: 1, ..reading::Bounds::QUIET }));
}
