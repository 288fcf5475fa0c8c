//! probe
use highwater_checker::engine::*;
use highwater_checker::narrated::Narrated;
use highwater_checker::replication::*;
use highwater_spec::rules::Rules;
fn main() {
    if std::env::args().nth(1).as_deref() == Some("controller") {
        let mut bounds = highwater_checker::controller::Bounds::QUIET;
        let mut rules = Rules::KAFKA;
        for arg in std::env::args().skip(2) {
            let (k, v) = arg.split_once('=').unwrap();
            if k == "rules" {
                rules = Rules::baseline(v).unwrap();
            } else {
                bounds = bounds.with(k, v.parse().unwrap()).unwrap();
            }
        }
        return go(highwater_checker::controller::World::new(rules, bounds), 40);
    }
    let mut bounds = Bounds::QUIET;
    let mut rules = Rules::KAFKA;
    let mut limit = 40;
    let mut property: Option<String> = None;
    for arg in std::env::args().skip(1) {
        let (k, v) = arg.split_once('=').unwrap();
        if k == "rules" {
            rules = Rules::baseline(v).unwrap();
        } else if k == "property" {
            property = Some(v.to_string());
        } else if k == "limit" {
            limit = v.parse().unwrap();
        } else if let Ok(n) = v.parse() {
            bounds = bounds.with(k, n).unwrap();
        } else {
            rules = rules.with(k, v).unwrap();
        }
    }
    let props: Vec<_> = highwater_spec::property::ALL
        .iter()
        .copied()
        .filter(|p| property.as_ref().is_none_or(|n| n == p.name))
        .collect();
    let world = World::judged_by(rules, bounds, &props);
    go(world, limit)
}
fn go<W: Narrated>(world: W, limit: u64) {
    let bounds = world.bounds().iter().map(|(a, b)| format!("{a}={b}")).collect::<Vec<_>>().join(" ");
    let search = Search {
        workers: 2,
        time_limit: Some(std::time::Duration::from_secs(limit)),
        memory_limit: None,
        stop_on: StopOn::FirstViolation,
    };
    let report = search.run(&world, &Progress::default()).unwrap();
    println!(
        "{} | distinct {} generated {} depth {} frontier {} in {:.1?} mem {:?}MB {:.0}/s",
        bounds,
        report.distinct,
        report.generated,
        report.depth,
        report.frontier,
        report.elapsed,
        report.peak_memory.map(|m| m >> 20),
        report.distinct as f64 / report.elapsed.as_secs_f64()
    );
    for property in &report.properties {
        if let Some(events) = &property.violation {
            println!("VIOLATED {}", property.name);
            let mut state = world.initial();
            for line in world.lines(&state) {
                println!("      = {line}");
            }
            let mut before = world.lines(&state);
            for event in events {
                println!("> {event}");
                let (next, out) = world.narrate(&state, event).unwrap();
                for line in out {
                    println!("      < {line}");
                }
                let now = world.lines(&next);
                for line in now.iter().filter(|l| !before.contains(l)) {
                    println!("      = {line}");
                }
                before = now;
                state = next;
            }
            println!("   because {:?}", world.reason(&state, property.name));
            break;
        }
    }
}
