//! The scenario: a text that people read and programs run. What happened, to whom, and what came of it.
//!
//! ```text
//! highwater scenario 1
//! world   two-brokers brokers=2 records=2 kills=1
//! rules   V0_10 truncation=OnFetch
//! breaks  acknowledged-survives
//!
//! > client produces m1 to b1 acks=all
//! < b1 appends m1 at 0 in e0
//! = b1 leads e0 log m1/0 hw 0  # a trailing comment
//! # a comment of its own
//! ```
//!
//! The header names the world and its bounds, the rules, and optionally the property that it `breaks` or
//! that `holds`. A blank line ends it; comments belong below. Then `>` marks an input, `<` an output that it
//! causes, `=` the state that it leads to (or, before any input, the state that everything starts in).
//! Each mark stands in the first column, with a space behind it. A `#` at the start of a word begins a
//! comment, which lasts to the end of the line. Any white space separates words, and how much of it doesn't
//! matter.
//!
//! Whatever can be built can be printed, and reads back as the same value; comments and blank lines are
//! part of the value. Not here: which worlds, rules and events there are, and any reading of files.

mod event;
mod line;
mod parse;
mod print;
mod words;

use std::fmt;

pub use event::{Event, What, acks_word};
pub use line::{Line, LineKind};
pub use words::{ParseError, Words};

/// A scenario: header and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Where it plays.
    pub world: World,
    /// By which rules.
    pub rules: RulesLine,
    /// What it is there to show.
    pub expects: Option<Expects>,
    body: Vec<Line>,
}

/// A world's name, and its bounds.
pub type World = Settings<u64>;

/// The name of a set of rules, and what is different from it.
pub type RulesLine = Settings<Word>;

/// What a scenario shows of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expects {
    /// It is violated at the end.
    Breaks(Word),
    /// It is never violated.
    Holds(Word),
}

impl Expects {
    /// The property's name.
    #[must_use]
    pub fn property(&self) -> &str {
        match self {
            Self::Breaks(name) | Self::Holds(name) => name.as_str(),
        }
    }
}

/// A name, and values by key: no key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings<Value> {
    name: Word,
    values: Vec<(Word, Value)>,
}

/// One word of a header: not empty, without white space, `=` and `#`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(String);

/// What was to be built has no text that would read back as it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprintable(String);

/// An input, and what it led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The `>` line.
    pub input: Numbered<'a>,
    /// The `<` lines up to the next input, in order.
    pub outputs: Vec<Numbered<'a>>,
    /// The `=` lines up to the next input, in order.
    pub states: Vec<Numbered<'a>>,
}

/// A line of the body, and where it is in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered<'a> {
    /// The number of the line in the whole text, the first being 1.
    pub number: usize,
    /// The line itself.
    pub line: &'a Line,
}

impl Scenario {
    /// A scenario in which nothing has happened yet.
    pub fn new(world: World, rules: RulesLine, expects: Option<Expects>) -> Scenario {
        Scenario { world, rules, expects, body: Vec::new() }
    }

    /// The body, line by line.
    pub fn body(&self) -> &[Line] {
        &self.body
    }

    /// Adds a line at the end. An output needs an input before it.
    pub fn push(&mut self, line: Line) -> Result<(), Unprintable> {
        let caused = line.kind() != LineKind::Output || self.has_input();
        if !caused {
            return Err(Unprintable(format!("output before any input: `{}`", line.text())));
        }
        self.body.push(line);
        Ok(())
    }

    /// The `=` lines before the first input.
    pub fn initial_states(&self) -> impl Iterator<Item = Numbered<'_>> {
        self.numbered().take_while(|n| n.line.kind() != LineKind::Input).filter(|n| n.line.kind() == LineKind::State)
    }

    /// The inputs, each with what it led to.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut rest = self.numbered().skip_while(|n| n.line.kind() != LineKind::Input).peekable();
        std::iter::from_fn(move || {
            let mut step = Step { input: rest.next()?, outputs: Vec::new(), states: Vec::new() };
            while let Some(next) = rest.next_if(|n| n.line.kind() != LineKind::Input) {
                match next.line.kind() {
                    LineKind::Output => step.outputs.push(next),
                    LineKind::State => step.states.push(next),
                    _ => {}
                }
            }
            Some(step)
        })
    }

    /// The body's lines with their numbers: the header has as many lines as it says things, and no others.
    pub fn numbered(&self) -> impl Iterator<Item = Numbered<'_>> {
        let header = 3 + usize::from(self.expects.is_some());
        let first = header + 2; // the blank line lies between
        (self.body.iter().enumerate()).map(move |(index, line)| Numbered { number: first + index, line })
    }

    fn has_input(&self) -> bool {
        (self.body.iter()).any(|line| line.kind() == LineKind::Input)
    }
}

impl<'a> Numbered<'a> {
    /// The words of the line's text, which know where they are.
    pub fn words(&self) -> Words<'a> {
        self.line.words(self.number)
    }
}

impl<Value> Settings<Value> {
    /// Settings without any value.
    pub fn named(name: Word) -> Settings<Value> {
        Settings { name, values: Vec::new() }
    }

    /// The same with one value more; each key may be given once.
    pub fn with(mut self, key: Word, value: Value) -> Result<Settings<Value>, Unprintable> {
        if self.get(key.as_str()).is_some() {
            return Err(Unprintable(format!("`{key}` is given twice")));
        }
        self.values.push((key, value));
        Ok(self)
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The values, in the order in which they were given.
    pub fn values(&self) -> &[(Word, Value)] {
        &self.values
    }

    /// The value of a key, if it was given.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let given = self.values.iter().find(|(given, _)| given.as_str() == key);
        given.map(|(_, value)| value)
    }
}

impl Word {
    /// This text as a word, if it is one.
    pub fn new(text: impl Into<String>) -> Result<Word, Unprintable> {
        let text = text.into();
        let fits = |c: char| !c.is_whitespace() && c != '=' && c != '#';
        match !text.is_empty() && text.chars().all(fits) {
            true => Ok(Word(text)),
            false => Err(Unprintable(format!(
                "{text:?} is not a word: it must have a character, and no white space, `=` or `#`"
            ))),
        }
    }

    /// The text of the word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Unprintable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unprintable {}
