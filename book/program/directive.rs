//! What the text asks the program for: `{{name words}}`, outside of code.

use crate::complaint::Complaint;
use crate::page::Page;
use std::ops::Range;

/// A request, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its bytes in the page, braces included.
    pub range: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// What is asked for.
    pub ask: Ask,
    /// Whether it has the line to itself.
    pub alone: bool,
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A link to a rule.
    Rule(String),
    /// Code of the workspace: a file, and which part.
    Code(String, Part),
    /// A scenario, drawn and as text.
    Scenario(String),
    /// A number of a results file.
    Number(String, String),
    /// A results file as a table.
    Results(String),
    /// A number that nobody measured, and who says so.
    Fact(String, String),
    /// A requirement that is answered here.
    Requirement(String),
    /// The mutation matrix.
    Matrix,
    /// The worlds of the catalogue.
    Worlds,
    /// The museum.
    Exhibits,
    /// The properties.
    Properties,
    /// Which rule is where.
    Coverage,
}

/// Which part of a file of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Between `ANCHOR: name` and `ANCHOR_END: name`.
    Anchor(String),
    /// An item: its kind (`fn`, `struct`, …) and its name.
    Item(String, String),
}

const KNOWN: &str =
    "code, coverage, exhibits, fact, matrix, number, properties, requirement, results, rule, scenario, worlds";

/// Every directive of a page, in order, and what is wrong with those that can't be read.
pub fn read(page: &Page, complaints: &mut Vec<Complaint>) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = page.text[from..].find("{{").map(|at| from + at) {
        from = start + 2;
        if page.is_code(start) {
            continue;
        }
        let line = page.line_at(start);
        let paragraph = page.text[start..].split("\n\n").next().unwrap_or_default();
        let Some(length) = paragraph.find("}}") else {
            complaints.push(Complaint::at(&page.file, line, "`{{` without `}}`"));
            continue;
        };
        let range = start..start + length + 2;
        from = range.end;
        match ask(page.text[start + 2..start + length].trim()) {
            Ok(ask) => found.push(Directive { alone: stands_alone(page, &range), range, line, ask }),
            Err(what) => complaints.push(Complaint::at(&page.file, line, what)),
        }
    }
    found
}

fn stands_alone(page: &Page, range: &Range<usize>) -> bool {
    let before = page.text[..range.start].rsplit('\n').next().unwrap_or_default();
    let behind = page.text[range.end..].split('\n').next().unwrap_or_default();
    before.trim().is_empty() && behind.trim().is_empty()
}

fn ask(text: &str) -> Result<Ask, String> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let one = |what: &str| match rest.split_whitespace().count() {
        1 => Ok(rest.to_owned()),
        _ => Err(format!("write `{{{{{name} {what}}}}}`")),
    };
    let none = |ask: Ask| if rest.is_empty() { Ok(ask) } else { Err(format!("write `{{{{{name}}}}}`, and no more")) };
    match name {
        "rule" => one("id").map(Ask::Rule),
        "scenario" => one("name").map(Ask::Scenario),
        "results" => one("file").map(Ask::Results),
        "requirement" => one("R1").map(Ask::Requirement),
        "matrix" => none(Ask::Matrix),
        "worlds" => none(Ask::Worlds),
        "exhibits" => none(Ask::Exhibits),
        "properties" => none(Ask::Properties),
        "coverage" => none(Ask::Coverage),
        "code" => code(rest),
        "number" => match rest.split_once(char::is_whitespace) {
            Some((file, key)) => Ok(Ask::Number(file.to_owned(), key.trim().to_owned())),
            None => Err("write `{{number file key}}`".to_owned()),
        },
        "fact" => match rest.split_once('|') {
            Some((fact, source)) if !fact.trim().is_empty() && !source.trim().is_empty() => {
                Ok(Ask::Fact(fact.trim().to_owned(), source.trim().to_owned()))
            }
            _ => Err("a fact names its source: write `{{fact 30000 | broker setting replica.lag.time.max.ms}}`".into()),
        },
        _ => Err(format!("no directive is called `{name}`; there are {KNOWN}")),
    }
}

fn code(rest: &str) -> Result<Ask, String> {
    let words: Vec<_> = rest.split_whitespace().collect();
    match words[..] {
        [file, kind, name] => Ok(Ask::Code(file.to_owned(), Part::Item(kind.to_owned(), name.to_owned()))),
        [anchored] => match anchored.split_once(':') {
            Some((file, anchor)) => Ok(Ask::Code(file.to_owned(), Part::Anchor(anchor.to_owned()))),
            None => Err("name a part of the file: `{{code path fn name}}` or `{{code path:ANCHOR}}`".to_owned()),
        },
        _ => Err("write `{{code path fn name}}` or `{{code path:ANCHOR}}`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> (Vec<Ask>, Vec<String>) {
        let page = Page::new("book/src/a.md".into(), "a.md".into(), "A".into(), text.into());
        let mut complaints = Vec::new();
        let found = read(&page, &mut complaints);
        (
            found.into_iter().map(|directive| directive.ask).collect(),
            complaints.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn directives_are_read_outside_of_code() {
        let (asks, complaints) = asked("see {{rule a.b}} and `{{rule c.d}}`\n\n{{code spec/src/a.rs fn step}}\n");
        let item = Part::Item("fn".into(), "step".into());
        assert_eq!(asks, [Ask::Rule("a.b".into()), Ask::Code("spec/src/a.rs".into(), item)]);
        assert_eq!(complaints, [""; 0]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let (_, complaints) = asked("\n{{rool a.b}}\n{{fact 9092}}\n{{scenario}}\n{{rule");
        assert_eq!(complaints.len(), 4);
        assert!(complaints[0].starts_with("book/src/a.md:2: no directive is called `rool`"), "{complaints:?}");
        assert!(complaints[1].starts_with("book/src/a.md:3: a fact names its source"), "{complaints:?}");
        assert_eq!(complaints[2], "book/src/a.md:4: write `{{scenario name}}`");
        assert_eq!(complaints[3], "book/src/a.md:5: `{{` without `}}`");
    }
}
