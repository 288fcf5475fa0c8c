//! A sample of the walks. `highwater-conform walks` takes them all.

use highwater_conformance::walks::sample::sample;
use highwater_conformance::walks::{Effort, GROUNDS, Graph, OnModel, Report, replay};

#[test]
fn a_sample_of_the_walks_goes_well() {
    let mut report = Report::default();
    for ground in GROUNDS {
        let world = ground.world();
        let graph = Graph::explore(&world);
        let walks = graph.cover();
        let chosen = sample(&walks, 1, 5000);
        let outcome =
            replay(&world, graph.edges().len(), &walks, &chosen, Effort { threads: 2, enough: 5 }, || OnModel);
        report.add(ground.name, &world.bounds.to_string(), &graph, &walks, &outcome);
    }
    assert!(report.is_good(), "{report}");
    println!("{report}");
}
