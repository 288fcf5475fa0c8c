//! Which of the suite's tests a cluster has to pass, and why the others are left out: `conformance/librdkafka.txt`.

use std::collections::BTreeMap;

const LIST: &str = include_str!("../../librdkafka.txt");

/// A line: a test's name, and why it is left out, if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, such as `0012_produce_consume`.
    pub name: String,
    /// Why it isn't asked for.
    pub left_out: Option<String>,
}

impl Entry {
    /// The four digits that the suite knows it by. Several tests may share them.
    #[must_use]
    pub fn number(&self) -> &str {
        self.name.split('_').next().unwrap_or_default()
    }
}

/// The list that this suite comes with.
#[must_use]
pub fn committed() -> Vec<Entry> {
    parse(LIST)
}

fn parse(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |line: &str| match line.split_once(char::is_whitespace) {
        Some((name, reason)) => Entry { name: name.to_owned(), left_out: Some(reason.trim().to_owned()) },
        None => Entry { name: line.to_owned(), left_out: None },
    };
    lines.map(entry).collect()
}

/// The numbers of which a test is asked for, each with those tests.
#[must_use]
pub fn asked_for(entries: &[Entry]) -> BTreeMap<String, Vec<String>> {
    let mut numbers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.left_out.is_none()) {
        numbers.entry(entry.number().to_owned()).or_default().push(entry.name.clone());
    }
    numbers
}

/// The tests in the suite's own table, `tests/test.c`, that need brokers.
#[must_use]
pub fn of_suite(source: &str) -> Vec<String> {
    let table = source.split_once("struct test tests[] = {").map_or("", |(_, table)| table);
    let table = table.split_once("{NULL}").map_or("", |(table, _)| table);
    let entries = table.split("_TEST(").skip(1);
    let needs_brokers = |entry: &&str| {
        let arguments = entry.split("_TEST").next().unwrap_or_default();
        !arguments.contains("TEST_F_LOCAL") && !arguments.contains("TEST_F_MANUAL")
    };
    let name = |entry: &str| entry.split(',').next().unwrap_or_default().trim().to_owned();
    entries.filter(needs_brokers).map(name).collect()
}

/// The tests that are on one side only.
#[must_use]
pub fn difference(entries: &[Entry], suite: &[String]) -> Vec<String> {
    let is_listed = |name: &&String| !entries.iter().any(|entry| entry.name == **name);
    let unlisted = suite.iter().filter(is_listed).map(|name| format!("{name} is in the suite, and not in the list"));
    let unknown = entries.iter().filter(|entry| !suite.contains(&entry.name));
    unlisted.chain(unknown.map(|entry| format!("{} is in the list, and not in the suite", entry.name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "extern int tests[]; struct test tests[] = {
        {.name = \"<MAIN>\", .flags = TEST_F_LOCAL},
        _TEST(0001_one, 0, _THRES(.ucpu = 1.0)),
        _TEST(0002_local,
              TEST_F_LOCAL,
              TEST_BRKVER(0, 9, 0, 0)),
        _TEST(0002_two, TEST_F_SOCKEM),
        _TEST(8000_idle, TEST_F_MANUAL),
        {NULL}};";

    #[test]
    fn the_suites_table_is_read() {
        assert_eq!(of_suite(SOURCE), ["0001_one", "0002_two"]);
    }

    #[test]
    fn a_list_that_is_not_the_suites_is_found_out() {
        let found = difference(&parse("0001_one\n0003_three  why not"), &of_suite(SOURCE)).join("; ");
        assert!(found.contains("0002_two is in the suite") && found.contains("0003_three is in the list"), "{found}");
    }

    #[test]
    fn tests_that_share_a_number_are_asked_for_together() {
        let entries = parse("# tests\n0001_a\n0001_b\n0001_c  needs more\n0002_d  needs more\n");
        assert_eq!(asked_for(&entries), BTreeMap::from([("0001".to_owned(), vec!["0001_a".into(), "0001_b".into()])]));
    }

    #[test]
    fn whatever_is_left_out_has_a_reason_and_no_test_is_listed_twice() {
        let entries = committed();
        let names: std::collections::BTreeSet<_> = entries.iter().map(|entry| &entry.name).collect();
        assert_eq!(names.len(), entries.len());
        assert!(entries.iter().filter_map(|entry| entry.left_out.as_ref()).all(|reason| reason.len() > 8));
        assert!(asked_for(&entries).len() > 20);
    }
}
