//! Each kind of complaint, on a book of one page that is well but for one thing.

use highwater_book::book;
use highwater_book::workspace::Workspace;
use std::fs;
use tempfile::TempDir;

const PAGE: &str = "\
# A page

r[replica.hw.advance]
It advances.

See {{rule replica.hw.advance}}, and [here](#a-page).

{{code spec/src/replica.rs fn advance}}

It took {{number check seconds}} s, at {{fact 9092 | the default of listeners}}.
";
const CODE: &str = "\
/// `replica.hw.advance`, after `replica.lag.time.max.ms`
fn advance() {}
";
const SETTINGS: &str = "const LAG: &str = \"replica.lag.time.max.ms\";\n";
const PROPERTY: &str = "//! Verifies: replica.hw.*\n";
const RESULTS: &str = r#"{"command": "measure", "seconds": 2.5}"#;

/// A workspace with a book that nothing is wrong with.
struct Tiny {
    folder: TempDir,
}

impl Tiny {
    fn new() -> Self {
        let tiny = Self { folder: tempfile::tempdir().expect("a folder") };
        tiny.write("book/book.toml", "[book]\ntitle = \"Tiny\"\n[build]\nuse-default-preprocessors = false\n");
        tiny.write("book/src/SUMMARY.md", "- [A page](a.md)\n");
        tiny.write("book/src/a.md", PAGE);
        tiny.write("book/results/check.json", RESULTS);
        tiny.write("spec/src/replica.rs", CODE);
        tiny.write("spec/src/property/log_matching.rs", PROPERTY);
        tiny.write("impl/src/config.rs", SETTINGS);
        tiny.accept();
        tiny
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Writes the page anew, with something else in place of a part of it.
    fn page(&self, part: &str, other: &str) {
        assert!(PAGE.contains(part), "{part}");
        self.write("book/src/a.md", &PAGE.replace(part, other));
    }

    fn workspace(&self) -> Workspace {
        Workspace::at(self.folder.path())
    }

    fn accept(&self) {
        book::accept(&self.workspace(), &["*".to_owned()]).expect("it can be accepted");
    }

    fn complaints(&self) -> Vec<String> {
        let into = self.folder.path().join("out");
        let complaints = book::build(&self.workspace(), &into).expect("it is a book");
        complaints.iter().map(ToString::to_string).collect()
    }

    /// What is wrong, which must be one thing.
    fn complaint(&self) -> String {
        let complaints = self.complaints();
        assert_eq!(complaints.len(), 1, "{complaints:#?}");
        complaints[0].clone()
    }
}

/// That a text has all the parts.
fn assert_says(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "no {part:?} in {text:?}"));
}

#[test]
fn nothing_is_wrong_with_the_tiny_book() {
    let tiny = Tiny::new();
    assert_eq!(tiny.complaints(), [""; 0]);
    let written = fs::read_to_string(tiny.folder.path().join("out/a.html")).expect("the page was written");
    let link = "<a href=\"a.html#r-replica.hw.advance\"><code>replica.hw.advance</code></a>";
    let measured = "<span class=\"number-of\" title=\"measured by measure\">2.5</span> s";
    assert_says(&written, &["id=\"r-replica.hw.advance\"", link, "spec/src/replica.rs:1", "log-matching", measured]);
}

#[test]
fn a_rule_that_the_code_names_and_the_book_does_not_state_is_unknown() {
    let tiny = Tiny::new();
    tiny.write("impl/src/shard.rs", "\n// `replica.hw.retreat`\n");
    assert_says(&tiny.complaint(), &["impl/src/shard.rs:2: unknown", "replica.hw.retreat"]);
}

#[test]
fn a_rule_that_a_test_verifies_and_the_book_does_not_state_is_unknown() {
    let tiny = Tiny::new();
    tiny.write("spec/tests/rules.rs", "// Verifies: replica.isr.*\nfn holds() {}\n");
    assert_says(&tiny.complaint(), &["spec/tests/rules.rs:1: unknown", "replica.isr.*"]);
}

#[test]
fn a_link_to_a_rule_that_is_not_stated_is_unknown() {
    let tiny = Tiny::new();
    tiny.page("{{rule replica.hw.advance}}", "{{rule replica.hw.retreat}}");
    assert_says(&tiny.complaint(), &["book/src/a.md:6: unknown", "replica.hw.retreat"]);
}

#[test]
fn a_rule_that_is_stated_twice_is_a_duplicate() {
    let tiny = Tiny::new();
    tiny.page("See ", "r[replica.hw.advance]\nIt does.\n\nSee ");
    assert_says(&tiny.complaint(), &["book/src/a.md:6: duplicate", "replica.hw.advance", "book/src/a.md:3"]);
}

#[test]
fn a_rule_that_no_code_names_is_unverified() {
    let tiny = Tiny::new();
    tiny.write("spec/src/replica.rs", "fn advance() {}\n");
    assert_says(&tiny.complaint(), &["book/src/a.md:3: unverified: no code names replica.hw.advance"]);
}

#[test]
fn a_rule_that_nothing_verifies_is_unverified() {
    let tiny = Tiny::new();
    tiny.write("spec/src/property/log_matching.rs", "//! Log matching.\n");
    tiny.accept();
    assert_says(&tiny.complaint(), &["book/src/a.md:3: unverified: nothing verifies replica.hw.advance"]);
}

#[test]
fn a_rule_whose_sentence_has_changed_is_stale_until_it_is_accepted() {
    let tiny = Tiny::new();
    tiny.page("It advances.", "It retreats.");
    let stale = "book/src/a.md:3: stale: replica.hw.advance: its sentence has changed";
    assert_says(&tiny.complaint(), &[stale, "property log-matching", "--accept replica.hw.advance"]);
    tiny.accept();
    assert_eq!(tiny.complaints(), [""; 0]);
    tiny.page("It advances.", "It\n  retreats.");
    assert_eq!(tiny.complaints(), [""; 0], "only the words count");
}

#[test]
fn a_rule_that_something_else_verifies_now_is_stale() {
    let tiny = Tiny::new();
    tiny.write("spec/tests/rules.rs", "// Verifies: replica.hw.advance\n#[test]\nfn advances() {}\n");
    let stale = "stale: replica.hw.advance: what verifies it has changed";
    assert_says(&tiny.complaint(), &[stale, "test spec/tests/rules.rs advances"]);
}

#[test]
fn a_rule_that_is_new_is_stale() {
    let tiny = Tiny::new();
    tiny.write("book/rules.lock", "");
    assert_says(&tiny.complaint(), &["book/src/a.md:3: stale: replica.hw.advance: it is new"]);
}

#[test]
fn a_rule_that_was_accepted_and_is_gone_is_stale() {
    let tiny = Tiny::new();
    let lock = fs::read_to_string(tiny.folder.path().join("book/rules.lock")).expect("it was accepted");
    tiny.write("book/rules.lock", &(lock + "replica.hw.gate 1 2\n"));
    assert_says(&tiny.complaint(), &["book/rules.lock:4: stale", "replica.hw.gate"]);
    book::accept(&tiny.workspace(), &["replica.hw.gate".to_owned()]).expect("it can be forgotten");
    assert_eq!(tiny.complaints(), [""; 0]);
}

#[test]
fn what_is_accepted_must_be_known() {
    let tiny = Tiny::new();
    let refused = book::accept(&tiny.workspace(), &["replica.hw.gate".to_owned()]);
    assert_eq!(refused, Err("the book states no rule replica.hw.gate".to_owned()));
}

#[test]
fn a_link_that_leads_nowhere_is_dead() {
    let tiny = Tiny::new();
    tiny.page("(#a-page)", "(b.md#there)");
    assert_says(&tiny.complaint(), &["book/src/a.md:6: dead link", "b.html#there"]);
    tiny.page("(#a-page)", "(#no-page)");
    assert_says(&tiny.complaint(), &["book/src/a.md:6: dead link", "#no-page"]);
}

#[test]
fn a_number_that_no_results_file_has_is_refused() {
    let tiny = Tiny::new();
    tiny.page("It took", "All 1 234 took");
    assert_says(&tiny.complaint(), &["book/src/a.md:10: `234` has no results file", "{{fact 234 |"]);
    tiny.page("{{number check seconds}}", "2.5");
    assert_says(&tiny.complaint(), &["book/src/a.md:10: `2.5` has no results file"]);
}

#[test]
fn a_key_or_a_results_file_that_is_not_there_is_refused() {
    let tiny = Tiny::new();
    tiny.page("check seconds", "check hours");
    assert_says(&tiny.complaint(), &["book/src/a.md:10: ", "book/results/check.json has no `hours`"]);
    tiny.page("check seconds", "walks seconds");
    assert_says(&tiny.complaint(), &["book/src/a.md:10: ", "can't read book/results/walks.json"]);
}

#[test]
fn code_that_is_not_there_is_refused() {
    let tiny = Tiny::new();
    tiny.page("fn advance", "fn retreat");
    assert_says(&tiny.complaint(), &["book/src/a.md:8: spec/src/replica.rs has no `fn retreat`"]);
    tiny.page("spec/src/replica.rs fn advance", "spec/src/replica.rs:HERE");
    assert_says(&tiny.complaint(), &["book/src/a.md:8: spec/src/replica.rs has no line `// ANCHOR: HERE`"]);
    tiny.page("spec/src/replica.rs fn advance", "../secret.rs fn advance");
    assert_says(&tiny.complaint(), &["book/src/a.md:8: ../secret.rs is not a path"]);
}

#[test]
fn a_scenario_that_the_specification_does_not_allow_is_refused() {
    let tiny = Tiny::new();
    let story = "highwater scenario 1\nworld   replication brokers=2\nrules   KAFKA\n\n> b1 starts\n";
    tiny.write("scenarios/up.scenario", story);
    tiny.page("{{code spec/src/replica.rs fn advance}}", "{{scenario up}}");
    assert_says(&tiny.complaint(), &["book/src/a.md:8: scenarios/up.scenario:5: ", "`b1 starts` can't happen here"]);
}

#[test]
fn a_merge_that_was_left_half_done_is_refused() {
    let tiny = Tiny::new();
    tiny.page("See ", "<<<<<<< HEAD\nSee ");
    assert_says(&tiny.complaint(), &["book/src/a.md:6: ", "merge"]);
}
