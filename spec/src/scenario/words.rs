//! Reading one line word by word, with errors that say where and what to do.

use std::fmt;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, the first being 1.
    pub line: usize,
    /// The column in characters, the first being 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { line, column, message } = self;
        write!(f, "line {line}, column {column}: {message}")
    }
}

impl std::error::Error for ParseError {}

/// The words of one line, taken one after the other.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    line: usize,
    /// The column of the first character of `rest`.
    column: usize,
    rest: &'a str,
    /// The column of the word taken last.
    last: usize,
}

impl<'a> Words<'a> {
    /// The words of `text`, whose first character stands in this line and column.
    pub fn new(line: usize, column: usize, text: &'a str) -> Words<'a> {
        Words { line, column, rest: text, last: column }
    }

    /// Takes the next word, if there is one.
    pub fn word(&mut self) -> Option<&'a str> {
        let trimmed = self.rest.trim_start();
        let skipped = &self.rest[..self.rest.len() - trimmed.len()];
        let end = trimmed.find(char::is_whitespace);
        let word = &trimmed[..end.unwrap_or(trimmed.len())];
        if word.is_empty() {
            self.last = self.column; // where it should have been
            return None;
        }
        self.last = self.column + skipped.chars().count();
        self.column = self.last + word.chars().count();
        self.rest = &trimmed[word.len()..];
        Some(word)
    }

    /// Takes the next word, which must be this one.
    pub fn expect(&mut self, wanted: &str) -> Result<(), ParseError> {
        self.wanted(&format!("`{wanted}`"), |word| (word == wanted).then_some(()))
    }

    /// Takes the next word, which must be a number with this before it: 12 of `b12`.
    pub fn prefixed(&mut self, prefix: &str) -> Result<u64, ParseError> {
        let what = format!("`{prefix}` and a number, as in `{prefix}1`");
        let digits = self.wanted(&what, |word| word.strip_prefix(prefix).filter(|digits| is_number(digits)))?;
        self.number(digits)
    }

    /// Takes the next word, which must be a value with this key before it: `all` of `acks=all`.
    pub fn keyed(&mut self, key: &str) -> Result<&'a str, ParseError> {
        self.wanted(&format!("`{key}=…`"), |word| {
            let value = word.strip_prefix(key)?.strip_prefix('=')?;
            (!value.is_empty()).then_some(value)
        })
    }

    /// Makes sure that no word is left.
    pub fn end(mut self) -> Result<(), ParseError> {
        match self.word() {
            None => Ok(()),
            Some(word) => Err(self.error(format!("nothing more is expected here: remove `{word}`"))),
        }
    }

    /// An error at the word taken last, or where the line ends if there was none.
    pub fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { line: self.line, column: self.last, message: message.into() }
    }

    /// Takes the next word and what `read` makes of it.
    pub(super) fn wanted<T>(&mut self, what: &str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<T, ParseError> {
        match self.word() {
            None => Err(self.error(format!("the line ends where {what} is expected"))),
            Some(word) => read(word).ok_or_else(|| self.error(format!("{what} is expected here, not `{word}`"))),
        }
    }

    /// These digits, of the word taken last, as a number.
    pub(super) fn number(&self, digits: &str) -> Result<u64, ParseError> {
        let too_large = |_| self.error(format!("{digits} is too large: {} is the limit", u64::MAX));
        digits.parse().map_err(too_large)
    }
}

/// Whether it is digits and nothing else; Rust itself would take `+1` as well.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
