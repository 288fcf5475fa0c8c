//! One file of the book's text, and which parts of it are neither prose nor directives.

use pulldown_cmark::{Event, Options, Parser, Tag};
use std::ops::Range;

/// A file of Markdown.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its path from the root of the workspace, for complaints.
    pub file: String,
    /// Its path from the book's source folder, for links.
    pub path: String,
    /// The chapter's title.
    pub title: String,
    /// What it says.
    pub text: String,
    code: Vec<Range<usize>>,
}

impl Page {
    /// A page of this text.
    pub fn new(file: String, path: String, title: String, text: String) -> Self {
        let code = code_in(&text);
        Self { file, path, title, text, code }
    }

    /// The line of a place in the text, from 1.
    pub fn line_at(&self, offset: usize) -> usize {
        self.text[..offset].bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    /// Whether a place lies in code or in a comment, where nothing is carried out.
    pub fn is_code(&self, offset: usize) -> bool {
        self.code.iter().any(|range| range.contains(&offset))
    }

    /// The lines with the offsets at which they begin, without their line ends.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let at = start;
            start += line.len();
            (at, line.trim_end_matches(['\n', '\r']))
        })
    }
}

/// Code spans, code blocks and HTML, comments included.
fn code_in(text: &str) -> Vec<Range<usize>> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter();
    let quiet = events.filter(|(event, _)| {
        matches!(
            event,
            Event::Code(_)
                | Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(_))
        )
    });
    quiet.map(|(_, range)| range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        Page::new("book/src/a.md".into(), "a.md".into(), "A".into(), text.into())
    }

    #[test]
    fn code_and_comments_are_told_from_prose() {
        let page = page("one `two` three\n\n```sh\nfour\n```\n\n<!-- five -->\n\nsix\n");
        let is_code = |word: &str| page.text.find(word).map(|at| page.is_code(at));
        let judged: Vec<_> = ["one", "two", "three", "four", "five", "six"].iter().map(|word| is_code(word)).collect();
        assert_eq!(judged, [false, true, false, true, true, false].map(Some));
    }

    #[test]
    fn a_place_has_a_line() {
        let page = page("one\ntwo\nthree\n");
        let lines: Vec<_> = page.lines().map(|(at, line)| (page.line_at(at), line)).collect();
        assert_eq!(lines, [(1, "one"), (2, "two"), (3, "three")]);
    }
}
