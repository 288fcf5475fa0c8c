//! The final table.

use super::outcome::{Judged, Outcome};
use highwater_checker::kind::{self, Told};

/// One row for each search, and what the columns mean; worlds of another kind have columns of their own.
pub fn table(outcomes: &[&Outcome]) -> String {
    let mut others = outcomes.to_vec();
    let mut parts = Vec::new();
    for kind::About { properties, .. } in kind::every() {
        let (these, rest): (Vec<_>, _) = others.into_iter().partition(|outcome| is_of(outcome, &properties));
        parts.push((these, properties));
        others = rest;
    }
    let parts: Vec<_> = parts.iter().filter(|(outcomes, _)| !outcomes.is_empty()).collect();
    let mut lines = Vec::new();
    for (outcomes, columns) in &parts {
        let header = columns.iter().map(|column| format!("{:<5}", column.number)).collect::<String>();
        lines.push(format!(
            "{:<24} {:>10} {:>6} {:>9} {:>8} {:>9}  {header} verdict",
            "model", "states", "depth", "states/s", "memory", "collision"
        ));
        lines.extend(outcomes.iter().map(|outcome| row(outcome, columns)));
        lines.push(String::new());
    }
    lines.push("states/s    distinct states found in a second".to_owned());
    lines.push(
        "memory      the process's largest during the search, with what earlier ones have left behind".to_owned(),
    );
    lines.push("collision   the chance that two states were taken for one: n²/2⁶⁵".to_owned());
    lines
        .push("✓ holds   ✓42% holds, and is promised in 42% of the states   ✗ does not hold   ? not all explored   · not judged".to_owned());
    lines.extend(parts.iter().flat_map(|(_, columns)| columns.iter().map(property_line)));
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

/// Whether a search judged any of these.
fn is_of(outcome: &Outcome, columns: &[Told]) -> bool {
    outcome.properties.iter().any(|judged| columns.iter().any(|column| column.name == judged.name))
}

/// A property: its number, its name, what it says, and when.
pub fn property_line(property: &Told) -> String {
    let guards = &property.guards;
    let when = if guards.is_empty() { String::new() } else { format!(" [{}]", guards.join(", ")) };
    format!("  {:<5} {:<29} {}{when}", property.number, property.name, property.statement)
}

fn row(outcome: &Outcome, columns: &[Told]) -> String {
    let marks = columns.iter().map(|column| format!("{:<5}", mark(outcome, column.name))).collect::<String>();
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
