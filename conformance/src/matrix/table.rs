//! The matrix as a table for people.

use super::{Break, Method, Results, Row};

/// One line for each break: what each method said, and what the first that noticed it noticed it by. `breaks` has the
/// breaks of the results, in their order.
#[must_use]
pub fn table(breaks: &[Break], results: &Results) -> String {
    let width = results.breaks.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let heads: String = Method::ALL.iter().map(|method| format!("  {:<8}", method.name())).collect();
    let mut text = format!("{:<width$}{heads}  by\n", "");
    for (broken, row) in breaks.iter().zip(&results.breaks) {
        let marks: String = Method::ALL.iter().map(|method| format!("  {:<8}", mark(*method, broken, row))).collect();
        let first = Method::ALL.iter().find_map(|method| row.of(*method).flatten());
        let by = first.unwrap_or(if row.is_hole() { "NOBODY" } else { "" });
        let line = format!("{:<width$}{marks}  {by}", row.name);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &sums(width, results) + "✓ noticed   ✗ not noticed   · can't be concerned   - not asked\n"
}

fn mark(method: Method, broken: &Break, row: &Row) -> &'static str {
    match row.of(method) {
        Some(Some(_)) => "✓",
        Some(None) => "✗",
        None if method.concerns(broken) => "-",
        None => "·",
    }
}

/// How many of those that it was asked about each method noticed.
fn sums(width: usize, results: &Results) -> String {
    let sum = |method: Method| {
        let asked: Vec<_> = results.breaks.iter().filter_map(|row| row.of(method)).collect();
        format!("  {:<8}", format!("{}/{}", asked.iter().flatten().count(), asked.len()))
    };
    format!("{:<width$}{}\n", "", Method::ALL.map(sum).concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Place, Verdict};

    #[test]
    fn each_cell_says_what_is_known() {
        let broken =
            |name: &str, file: &str| Break { name: name.to_owned(), file: file.to_owned(), ..Break::default() };
        let breaks = [broken("a", "spec/src/a.rs"), broken("cell", "impl/src/cells/inbox.rs")];
        let row = |broken: &Break| Row {
            name: broken.name.clone(),
            what: String::new(),
            place: Place::Spec,
            found: Default::default(),
        };
        let mut results = Results { command: String::new(), breaks: breaks.iter().map(row).collect() };
        results.note(&breaks[0], Method::Checker, &Verdict::Unnoticed);
        results.note(&breaks[1], Method::Property, &Verdict::Unnoticed);
        results.note(&breaks[1], Method::Loom, &Verdict::Noticed("proof".to_owned()));
        let text = table(&breaks, &results);
        let cells: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(cells[1], ["a", "✗", "-", "·", "-", "-", "NOBODY"]);
        assert_eq!(cells[2], ["cell", "·", "✗", "✓", "-", "-", "proof"]);
        assert_eq!(cells[3], ["0/1", "0/1", "1/1", "0/0", "0/0"]);
    }
}
