//! museum probe
use highwater_checker::engine::*;
use highwater_checker::museum::*;
fn main() {
    for e in EXHIBITS {
        for (n, case) in [("broken", e.broken), ("mended", e.mended)] {
            let world = case.world();
            let search = Search {
                workers: 2,
                time_limit: Some(std::time::Duration::from_secs(60)),
                memory_limit: None,
                stop_on: StopOn::FirstViolation,
            };
            let report = search.run(&world, &Progress::default()).unwrap();
            println!(
                "{} {n}: distinct {} depth {} in {:.1?} frontier {}",
                e.name, report.distinct, report.depth, report.elapsed, report.frontier
            );
            for p in &report.properties {
                println!(
                    "   {} judged {} violation {:?}",
                    p.name,
                    p.judged,
                    p.violation.as_ref().map(|v| v.iter().map(|e| e.to_string()).collect::<Vec<_>>())
                );
            }
        }
    }
}
