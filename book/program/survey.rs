//! What the code says of rules: where it carries them out, and what verifies them.
//!
//! A comment that has a rule's id in backquotes names it; a comment `Verifies: id, id` says that the property or test
//! beside it verifies rules. An id that ends in `*` stands for all that begin so.

use crate::workspace::{Source, Workspace};
use std::collections::BTreeSet;
use std::io;

/// Where comments are read.
const FOLDERS: [&str; 8] = [
    "spec/src",
    "spec/tests",
    "checker/src",
    "checker/tests",
    "impl/src",
    "impl/tests",
    "conformance/src",
    "conformance/tests",
];

/// Where rules are carried out.
const MACHINES: [&str; 2] = ["spec/src/", "impl/src/"];
const PROPERTIES: &str = "spec/src/property/";

/// What the first word of a rule's id may be even if the book states none such.
const SUBJECTS: [&str; 5] = ["replica", "log", "log-backed", "broker", "controller"];

/// Names of clients' settings, which look like rules. The broker has no literals of them.
const CLIENT_SETTINGS: [&str; 3] = ["client.id", "group.id", "group.instance.id"];

/// What all the code says.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Every comment that names a rule, in the order of files and lines.
    pub mentions: Vec<Mention>,
    /// Every claim to verify rules.
    pub verifications: Vec<Verification>,
}

/// A comment that names a rule, or with `*` several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The id.
    pub id: String,
}

/// Something that verifies rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What does.
    pub by: Verifier,
    /// The file in which it says so.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The ids.
    pub ids: Vec<String>,
}

/// What can verify a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verifier {
    /// A property, by its name.
    Property(String),
    /// A function of a file, or all of it.
    Test(String),
}

impl Verifier {
    /// What it is, and its name.
    pub fn in_words(&self) -> String {
        match self {
            Self::Property(name) => format!("property {name}"),
            Self::Test(name) => format!("test {name}"),
        }
    }
}

impl Mention {
    /// Whether the file is one that carries rules out.
    pub fn is_in_a_machine(&self) -> bool {
        MACHINES.iter().any(|folder| self.file.starts_with(folder)) && !self.file.starts_with(PROPERTIES)
    }
}

/// Whether `pattern` is `id`, or ends in `*` and `id` begins as it does.
pub fn matches(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => id.starts_with(beginning),
        None => pattern == id,
    }
}

/// Whether this could be a rule's id: words of small letters with dots between.
pub fn is_id(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_word) && !text.ends_with(".rs")
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Reads the comments of all the code. `subjects` are the first words of the ids that the book states.
///
/// # Errors
/// If a file can't be read.
pub fn survey(workspace: &Workspace, subjects: &BTreeSet<String>) -> io::Result<Survey> {
    let folders = FOLDERS.iter().map(|folder| workspace.sources(folder));
    let sources: Vec<Source> = folders.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect();
    let settings = settings(&sources);
    let is_rule = |id: &str| {
        let subject = id.split('.').next().unwrap_or_default();
        let is_pattern = id.strip_suffix(".*").is_some_and(|start| start.split('.').all(is_word));
        let spoken_of = SUBJECTS.contains(&subject) || subjects.contains(subject);
        let is_setting = settings.contains(id) || CLIENT_SETTINGS.contains(&id);
        spoken_of && (is_id(id) || is_pattern) && !is_setting
    };
    let mut survey = Survey::default();
    for source in &sources {
        for (number, comment) in comments(&source.text) {
            let named = comment.split('`').skip(1).step_by(2).filter(|id| is_rule(id));
            survey.mentions.extend(named.map(|id| Mention {
                file: source.path.clone(),
                line: number,
                id: id.to_owned(),
            }));
        }
        survey.verifications.extend(verifications(source));
    }
    Ok(survey)
}

/// The comments, of lines of their own or behind code, without their slashes, with their lines' numbers from 1.
fn comments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start()));
    let comment = |line: &'_ str| line.find("//").filter(|at| *at == 0 || line[..*at].ends_with("; ")).map(|at| at + 2);
    numbered.filter_map(move |(number, line)| Some((number, &line[comment(line)?..])))
}

/// Kafka's names of settings look like rules. They are those that the broker's code has as literals.
fn settings(sources: &[Source]) -> BTreeSet<String> {
    let broker = sources.iter().filter(|source| source.path.starts_with("impl/src/"));
    let code = broker.flat_map(|source| source.text.lines()).filter(|line| !line.trim_start().starts_with("//"));
    let literals = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    literals.filter(|literal| is_id(literal)).map(str::to_owned).collect()
}

fn verifications(source: &Source) -> Vec<Verification> {
    let lines: Vec<_> = source.text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(claim) = comment_text(line).and_then(|text| text.strip_prefix("Verifies:")) else { continue };
        let mut claim = claim.trim().to_owned();
        let mut next = index + 1;
        while let Some(more) = lines.get(next).filter(|_| claim.ends_with(',')).and_then(|line| comment_text(line)) {
            claim = format!("{claim} {more}");
            next += 1;
        }
        let ids = claim.trim_end_matches('.').split(',').map(|id| id.trim().trim_matches('`').to_owned());
        let ids = ids.filter(|id| !id.is_empty()).collect();
        let by = verifier(source, &lines, index);
        found.push(Verification { by, file: source.path.clone(), line: index + 1, ids });
    }
    found
}

fn comment_text(line: &str) -> Option<&str> {
    let slashes = line.trim_start().strip_prefix("//")?;
    Some(slashes.trim_start_matches(['/', '!']).trim())
}

/// The property of a property's file; else the function below the comment, or around it; else the file.
fn verifier(source: &Source, lines: &[&str], index: usize) -> Verifier {
    if let Some(file) = source.path.strip_prefix(PROPERTIES) {
        return Verifier::Property(file.trim_end_matches(".rs").replace('_', "-"));
    }
    if lines[index].trim_start().starts_with("//!") {
        return Verifier::Test(source.path.clone());
    }
    let passed_over = |line: &&&str| line.trim_start().starts_with("//") || line.trim_start().starts_with("#[");
    let below = lines[index..].iter().find(|line| !passed_over(line)).and_then(|line| function(line));
    let name = below.or_else(|| lines[..index].iter().rev().find_map(|line| function(line)));
    Verifier::Test(name.map_or_else(|| source.path.clone(), |name| format!("{} {name}", source.path)))
}

fn function(line: &str) -> Option<&str> {
    let (before, behind) = line.split_once("fn ")?;
    let qualified = before.split_whitespace().all(|word| matches!(word, "pub" | "async" | "const" | "pub(super)"));
    let name = behind.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (qualified && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_claim_belongs_to_the_property_or_to_the_test_beside_it() {
        let by = |path: &str, text: &str| {
            let found = verifications(&source(path, text));
            found.into_iter().map(|claim| (claim.by, claim.ids)).collect::<Vec<_>>()
        };
        let ids = vec!["a.b".to_owned(), "c.*".to_owned()];
        let property = Verifier::Property("log-matching".into());
        let text = "//! Sure.\n//! Verifies: a.b, c.*\n";
        assert_eq!(by("spec/src/property/log_matching.rs", text), [(property, ids.clone())]);
        let test = Verifier::Test("spec/tests/t.rs holds".into());
        let above = "// Verifies: a.b,\n// c.*\n#[test]\nfn holds() {}\n";
        assert_eq!(by("spec/tests/t.rs", above), [(test.clone(), ids.clone())]);
        let inside = "#[test]\nfn holds() {\n    // Verifies: a.b, c.*\n    work();\n}\nfn other() {}\n";
        assert_eq!(by("spec/tests/t.rs", inside), [(test, ids)]);
    }

    #[test]
    fn comments_stand_alone_or_behind_code() {
        let text = "/// `a.b`\nreturn fenced; // `a.c`\nlet address = \"http://a\";\n";
        assert_eq!(comments(text).collect::<Vec<_>>(), [(1, "/ `a.b`"), (2, " `a.c`")]);
    }

    #[test]
    fn a_setting_is_no_rule() {
        let sources =
            [source("impl/src/config.rs", "let a = \"replica.lag.time.max.ms\"; // \"replica.hw.advance\"\n")];
        assert!(settings(&sources).contains("replica.lag.time.max.ms"));
        assert!(matches("replica.hw.*", "replica.hw.advance"));
        assert!(!matches("replica.hw", "replica.hw.advance"));
    }
}
