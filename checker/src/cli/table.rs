//! The final table.

use super::outcome::{Judged, Outcome};
use highwater_spec::property;

/// Prints one row for each search, and what its columns mean.
pub fn print(outcomes: &[&Outcome]) {
    let columns = columns();
    let header = columns.iter().map(|(number, _)| format!("{number:<5}")).collect::<String>();
    println!(
        "{:<24} {:>10} {:>6} {:>9} {:>8} {:>8}  {header} verdict",
        "model", "states", "depth", "states/s", "memory", "clash"
    );
    outcomes.iter().for_each(|outcome| print_row(outcome, &columns));
    println!("\nstates/s: distinct states found in a second   memory: the process's largest so far");
    println!("clash: chance that two states were taken for one (n²/2⁶⁵)");
    println!("✓ holds   ✓42% holds, and is promised in 42% of the states   ✗ does not hold   · not judged");
    columns.iter().for_each(|(number, name)| println!("{number:<5} {name}"));
    for outcome in outcomes {
        let told = outcome.properties.iter().filter_map(|judged| Some((judged.name, judged.because.as_ref()?)));
        told.for_each(|(name, because)| println!("{}: {name}: {because}", outcome.name));
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
    println!("\n{passed} passed, {} failed", outcomes.len() - passed);
}

/// The properties of all worlds, by their short names.
fn columns() -> Vec<(&'static str, &'static str)> {
    let all = property::ALL
        .iter()
        .chain(property::OF_THE_CONTROLLER)
        .map(|property| (if property.number.is_empty() { "ANS" } else { property.number }, property.name));
    let mut columns: Vec<_> = all.collect();
    let mut seen = Vec::new();
    columns.retain(|(_, name)| {
        !seen.contains(name) && {
            seen.push(name);
            true
        }
    });
    columns
}

fn print_row(outcome: &Outcome, columns: &[(&str, &str)]) {
    let marks =
        columns.iter().map(|(_, name)| mark(outcome, name)).map(|mark| format!("{mark:<5}")).collect::<String>();
    let memory = outcome.memory.map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    let speed = (outcome.distinct as f64 / outcome.seconds.max(1e-9)) as u64;
    println!(
        "{:<24} {:>10} {:>6} {:>9} {:>8} {:>8.0e}  {marks} {}",
        outcome.name,
        grouped(outcome.distinct),
        outcome.depth,
        grouped(speed),
        memory,
        outcome.collision,
        outcome.verdict
    );
    println!("  {} | {}", outcome.bounds, outcome.rules);
}

fn mark(outcome: &Outcome, name: &str) -> String {
    match outcome.properties.iter().find(|judged| judged.name == name) {
        None => "·".to_owned(),
        Some(Judged { counterexample: Some(_), .. }) => "✗".to_owned(),
        Some(Judged { promised_in, .. }) if *promised_in == outcome.distinct => "✓".to_owned(),
        Some(Judged { promised_in, .. }) => format!("✓{}%", promised_in * 100 / outcome.distinct.max(1)),
    }
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let head = (!head.is_empty()).then(|| head.to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(" ")
}
