//! Text to scenario.

use std::str::FromStr;

use super::words::{ParseError, Words, is_number};
use super::{Expects, Line, LineKind, RulesLine, Scenario, Settings, Word, World};

/// The one version of the grammar so far.
const VERSION: &str = "1";

impl FromStr for Scenario {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Scenario, ParseError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text); // some editors write a byte order mark
        let mut lines = (1..).zip(text.lines());
        first_line(lines.next())?;

        let mut header = Header::default();
        let mut end = 2;
        for (number, line) in lines.by_ref() {
            end = number;
            if line.trim().is_empty() {
                break;
            }
            header.line(Words::new(number, 1, line))?;
            end += 1; // where the next line would be
        }
        let mut scenario = header.finish(end)?;
        for (number, line) in lines {
            let line = body_line(number, line)?;
            if let Err(misplaced) = scenario.push(line) {
                return Err(at(number, 1, misplaced.to_string() + ": put a `>` line before it"));
            }
        }
        Ok(scenario)
    }
}

fn at(line: usize, column: usize, message: impl Into<String>) -> ParseError {
    Words::new(line, column, "").error(message)
}

fn first_line(line: Option<(usize, &str)>) -> Result<(), ParseError> {
    let wrong =
        |words: &Words<'_>| words.error(format!("a scenario begins with the line `highwater scenario {VERSION}`"));
    let mut words = Words::new(1, 1, line.map_or("", |(_, line)| line));
    for wanted in ["highwater", "scenario"] {
        if words.word() != Some(wanted) {
            return Err(wrong(&words));
        }
    }
    match words.word() {
        Some(VERSION) => words.end(),
        Some(version) if is_number(version) => {
            Err(words
                .error(format!("version {version} of scenarios is unknown here: only version {VERSION} can be read")))
        }
        _ => Err(wrong(&words)),
    }
}

/// What the header has said so far.
#[derive(Default)]
struct Header {
    world: Option<World>,
    rules: Option<RulesLine>,
    expects: Option<Expects>,
}

impl Header {
    fn line(&mut self, mut words: Words<'_>) -> Result<(), ParseError> {
        let keyword = words.word().unwrap_or_default();
        let given = match keyword {
            "world" => self.world.is_some(),
            "rules" => self.rules.is_some(),
            "breaks" | "holds" => self.expects.is_some(),
            _ => return Err(unknown(&words, keyword)),
        };
        if given {
            return Err(words.error(match keyword {
                "world" | "rules" => format!("there is a `{keyword}` line already: remove one"),
                _ => "there is a `breaks` or `holds` line already: remove one".to_owned(),
            }));
        }
        match keyword {
            "world" => self.world = Some(settings(words, bound)?),
            "rules" => self.rules = Some(settings(words, |_, value| Some(Ok(value)))?),
            _ => {
                let property = words.wanted("a property's name", |word| Word::new(word).ok())?;
                words.end()?;
                self.expects = Some(match keyword {
                    "breaks" => Expects::Breaks(property),
                    _ => Expects::Holds(property),
                });
            }
        }
        Ok(())
    }

    fn finish(self, end: usize) -> Result<Scenario, ParseError> {
        let missing = |line: &str| {
            let message = format!("the header has no `{line} NAME key=value…` line: add one above");
            at(end, 1, message)
        };
        let world = self.world.ok_or_else(|| missing("world"))?;
        let rules = self.rules.ok_or_else(|| missing("rules"))?;
        Ok(Scenario::new(world, rules, self.expects))
    }
}

fn unknown(words: &Words<'_>, keyword: &str) -> ParseError {
    words.error(match keyword.chars().next() {
        Some('#') => "comments belong below the blank line that ends the header".to_owned(),
        Some('>' | '<' | '=') => "leave a blank line between header and body".to_owned(),
        _ => format!("`world`, `rules`, `breaks` or `holds` is expected here, not `{keyword}`"),
    })
}

/// Reads a name and values; `read` says `None` where it expects something else.
fn settings<Value>(
    mut words: Words<'_>,
    read: impl Fn(&Words<'_>, Word) -> Option<Result<Value, ParseError>>,
) -> Result<Settings<Value>, ParseError> {
    let name = words.wanted("a name", |word| Word::new(word).ok())?;
    let mut settings = Settings::named(name);
    while let Some(word) = words.word() {
        if word.starts_with('#') {
            return Err(unknown(&words, word));
        }
        let pair = word.split_once('=').and_then(|(key, value)| {
            let value = read(&words, Word::new(value).ok()?)?;
            Some((Word::new(key).ok()?, value))
        });
        let Some((key, value)) = pair else {
            let message = format!("`key=value` is expected here, not `{word}`");
            return Err(words.error(message));
        };
        let twice = |error: super::Unprintable| words.error(format!("{error}: remove one"));
        settings = settings.with(key, value?).map_err(twice)?;
    }
    Ok(settings)
}

fn bound(words: &Words<'_>, value: Word) -> Option<Result<u64, ParseError>> {
    match is_number(value.as_str()) {
        true => Some(words.number(value.as_str())),
        false => Some(Err(words.error(format!("a bound is a whole number from 0 on, not `{value}`")))),
    }
}

fn body_line(number: usize, line: &str) -> Result<Line, ParseError> {
    if line.trim().is_empty() {
        return Ok(Line::blank());
    }
    let mut behind = line.chars();
    let kind = match behind.next() {
        Some('>') => LineKind::Input,
        Some('<') => LineKind::Output,
        Some('=') => LineKind::State,
        Some('#') => return Ok(Line::comment_line(behind.as_str())),
        _ => {
            let message = "a line begins with `>`, `<`, `=` or `#` in the first column";
            return Err(at(number, 1, message));
        }
    };
    match behind.clone().next() {
        Some(c) if !c.is_whitespace() => {
            let message = format!("put a space behind `{}`", &line[..1]);
            Err(at(number, 2, message))
        }
        _ => Ok(Line::marked(kind, behind.as_str())),
    }
}
