//! Columns of text for people.

use super::failure::Failure;
use super::output::say;

/// A table of `N` columns.
pub struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with these titles.
    pub fn new(titles: [&str; N]) -> Self {
        Self { rows: vec![titles.map(str::to_owned)] }
    }

    /// Adds a row.
    pub fn row(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    /// The lines, each column as wide as its widest cell.
    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..N).map(width).collect();
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
    }

    pub fn print(&self) -> Result<(), Failure> {
        self.lines().try_for_each(say)
    }
}

/// Broker ids with commas between; a dash for none.
pub fn ids<'a>(ids: impl IntoIterator<Item = &'a i32>) -> String {
    let ids: Vec<_> = ids.into_iter().map(ToString::to_string).collect();
    if ids.is_empty() { "-".to_owned() } else { ids.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["TOPIC", "ISR"]);
        table.row(["ä".to_owned(), ids(&[1, 2])]);
        table.row(["a-long-name".to_owned(), ids(&[])]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines, ["TOPIC        ISR", "ä            1,2", "a-long-name  -"]);
    }
}
