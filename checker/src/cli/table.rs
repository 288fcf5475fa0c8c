//! The final table.

use super::outcome::{Judged, Outcome};
use highwater_spec::property::{self, Property};

/// One row for each search, and what the columns mean.
pub fn table(outcomes: &[&Outcome]) -> String {
    let columns = property::every();
    let header = columns.iter().map(|property| format!("{:<5}", property.number)).collect::<String>();
    let mut lines = vec![format!(
        "{:<24} {:>10} {:>6} {:>9} {:>8} {:>9}  {header} verdict",
        "model", "states", "depth", "states/s", "memory", "collision"
    )];
    lines.extend(outcomes.iter().map(|outcome| row(outcome, &columns)));
    lines.push("\nstates/s    distinct states found in a second".to_owned());
    lines.push(
        "memory      the process's largest during the search, with what earlier ones have left behind".to_owned(),
    );
    lines.push("collision   the chance that two states were taken for one: n²/2⁶⁵".to_owned());
    lines
        .push("✓ holds   ✓42% holds, and is promised in 42% of the states   ✗ does not hold   ? not all explored   · not judged".to_owned());
    lines.extend(columns.iter().map(property_line));
    for outcome in outcomes {
        let told = outcome.properties.iter().filter_map(|judged| Some((judged.name, judged.because.as_ref()?)));
        lines.extend(told.map(|(name, because)| format!("{}: {name}: {because}", outcome.name)));
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
    let undecided = outcomes.iter().filter(|outcome| outcome.is_undecided()).count();
    let failed = outcomes.len() - passed - undecided;
    let suffix = if undecided > 0 { format!(", {undecided} undecided") } else { String::new() };
    lines.push(format!("\n{passed} passed, {failed} failed{suffix}"));
    lines.join("\n")
}

/// A property: its number, its name, what it says, and when.
pub fn property_line(property: &Property) -> String {
    let guards: Vec<_> = property.guards.iter().map(|guard| guard.name).collect();
    let when = if guards.is_empty() { String::new() } else { format!(" [{}]", guards.join(", ")) };
    format!("  {:<5} {:<29} {}{when}", property.number, property.name, property.statement)
}

fn row(outcome: &Outcome, columns: &[Property]) -> String {
    let marks = columns.iter().map(|property| format!("{:<5}", mark(outcome, property.name))).collect::<String>();
    let memory = outcome.memory.map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    let speed = (outcome.distinct as f64 / outcome.seconds.max(1e-9)) as u64;
    format!(
        "{:<24} {:>10} {:>6} {:>9} {:>8} {:>9.0e}  {marks} {}\n  {} | {}",
        outcome.name,
        grouped(outcome.distinct),
        outcome.depth,
        grouped(speed),
        memory,
        outcome.collision,
        outcome.verdict,
        outcome.bounds,
        outcome.rules
    )
}

fn mark(outcome: &Outcome, name: &str) -> String {
    match outcome.properties.iter().find(|judged| judged.name == name) {
        None => "·".to_owned(),
        Some(Judged { counterexample: Some(_), .. }) => "✗".to_owned(),
        Some(_) if outcome.stopped_by.is_some() => "?".to_owned(),
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
