//! Tables that are aligned, for snapshots.

use std::fmt::Write as _;

/// Columns of one width each, the first row above a line.
#[derive(Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// One more row; the first is the heading.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.0.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table under its title.
    pub fn text(&self, title: &str) -> String {
        let columns = self.0.first().map_or(0, Vec::len);
        let width = |column: usize| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(width).collect();
        let mut text = format!("{title}\n\n");
        for (number, row) in self.0.iter().enumerate() {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(text, "{}", cells.join(" | ").trim_end()).unwrap();
            if number == 0 {
                let lines: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(text, "{}", lines.join("-+-")).unwrap();
            }
        }
        text
    }
}
