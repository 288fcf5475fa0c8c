//! probe
use highwater_checker::engine::*;
use highwater_checker::replication::*;
use highwater_spec::rules::Rules;
fn main() {
    let mut bounds = Bounds::QUIET;
    let mut rules = Rules::KAFKA;
    let mut limit = 40;
    for arg in std::env::args().skip(1) {
        let (k, v) = arg.split_once('=').unwrap();
        if k == "rules" { rules = Rules::baseline(v).unwrap(); }
        else if k == "limit" { limit = v.parse().unwrap(); }
        else if let Ok(n) = v.parse() { bounds = bounds.with(k, n).unwrap(); }
        else { rules = rules.with(k, v).unwrap(); }
    }
    let world = World::new(rules, bounds);
    let search = Search { workers: 2, time_limit: Some(std::time::Duration::from_secs(limit)), memory_limit: None, stop_on: StopOn::FirstViolation };
    let report = search.run(&world, &Progress::default()).unwrap();
    println!("{} | distinct {} generated {} depth {} frontier {} in {:.1?} mem {:?}MB {:.0}/s", bounds, report.distinct, report.generated, report.depth, report.frontier, report.elapsed, report.peak_memory.map(|m| m>>20), report.distinct as f64/report.elapsed.as_secs_f64());
    for property in &report.properties {
        if let Some(events) = &property.violation {
            println!("VIOLATED {}", property.name);
            let mut state = world.initial();
            for line in world.lines(&state) { println!("      = {line}"); }
            let mut before = world.lines(&state);
            for event in events {
                println!("> {event}");
                let (next, out) = world.narrate(&state, event).unwrap();
                for line in out { println!("      < {line}"); }
                let now = world.lines(&next);
                for line in now.iter().filter(|l| !before.contains(l)) { println!("      = {line}"); }
                before = now; state = next;
            }
            println!("   because {:?}", world.reason(&state, property.name));
            break;
        }
    }
}
