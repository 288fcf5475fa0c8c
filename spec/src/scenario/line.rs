//! One line of a scenario's body.

use super::words::Words;

/// What a line says, by its mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// `>`: something happens.
    Input,
    /// `<`: a machine orders something.
    Output,
    /// `=`: how things are.
    State,
    /// Only a comment.
    Comment,
    /// Nothing.
    Blank,
}

impl LineKind {
    /// The character in the first column.
    pub(super) fn mark(self) -> Option<char> {
        match self {
            LineKind::Input => Some('>'),
            LineKind::Output => Some('<'),
            LineKind::State => Some('='),
            LineKind::Comment | LineKind::Blank => None,
        }
    }
}

/// A line of the body. Two lines are equal if they say the same, however it is spaced.
#[derive(Clone, Debug)]
pub struct Line {
    kind: LineKind,
    text: String,
    comment: Option<String>,
    /// What stood behind the mark, spaces included, so that errors can name the column.
    source: String,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        let says = |line: &Self| (line.kind, line.text.clone(), line.comment.clone());
        says(self) == says(other)
    }
}

impl Eq for Line {}

impl Line {
    /// A `>` line. The text is read as it would be in a file, comment included; line ends count as spaces.
    pub fn input(text: &str) -> Line {
        Line::marked(LineKind::Input, &format!(" {text}"))
    }

    /// A `<` line, of a text as in [`Line::input`].
    pub fn output(text: &str) -> Line {
        Line::marked(LineKind::Output, &format!(" {text}"))
    }

    /// A `=` line, of a text as in [`Line::input`].
    pub fn state(text: &str) -> Line {
        Line::marked(LineKind::State, &format!(" {text}"))
    }

    /// A comment of its own. Line ends count as spaces.
    pub fn comment_line(comment: &str) -> Line {
        Line::blank().with_comment(comment)
    }

    /// A blank line.
    pub fn blank() -> Line {
        Line { kind: LineKind::Blank, text: String::new(), comment: None, source: String::new() }
    }

    /// The same line with this comment in place of any other; a blank line becomes a comment.
    pub fn with_comment(mut self, comment: &str) -> Line {
        if self.kind == LineKind::Blank {
            self.kind = LineKind::Comment;
        }
        self.comment = Some(comment.trim().replace('\n', " "));
        self
    }

    /// What kind of line it is.
    pub fn kind(&self) -> LineKind {
        self.kind
    }

    /// What stands between the mark and the comment, with one space between words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands behind `#`, without the spaces around it.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The words of the text, which know that they are in this line.
    pub fn words(&self, number: usize) -> Words<'_> {
        Words::new(number, 2, &self.source)
    }

    /// A line of what stands behind the mark.
    pub(super) fn marked(kind: LineKind, behind: &str) -> Line {
        let (source, comment) = split_comment(behind);
        let words: Vec<_> = source.split_whitespace().collect();
        let line = Line { kind, text: words.join(" "), comment: None, source: source.to_owned() };
        match comment {
            Some(comment) => line.with_comment(comment),
            None => line,
        }
    }
}

/// Divides at the first `#` that begins a word.
fn split_comment(text: &str) -> (&str, Option<&str>) {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '#' && before.is_whitespace() {
            return (&text[..at], Some(&text[at + 1..]));
        }
        before = c;
    }
    (text, None)
}
