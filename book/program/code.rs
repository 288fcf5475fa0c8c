//! Parts of the workspace's code, by name, as the book shows them.

use crate::directive::Part;

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Its first line, from 1.
    pub line: usize,
    /// Its lines, the first of which is not indented.
    pub text: String,
}

/// The part of a file that was asked for.
///
/// # Errors
/// Says what the file has not, or has more than once.
pub fn excerpt(text: &str, part: &Part) -> Result<Excerpt, String> {
    match part {
        Part::Anchor(name) => anchored(text, name),
        Part::Item(kind, name) => item(text, kind, name),
    }
}

fn anchored(text: &str, name: &str) -> Result<Excerpt, String> {
    let begins = |line: &str, mark: &str| line.trim().trim_start_matches('/').trim() == format!("{mark}: {name}");
    let lines: Vec<_> = text.lines().collect();
    let start = lines.iter().position(|line| begins(line, "ANCHOR"));
    let start = start.ok_or_else(|| format!("has no line `// ANCHOR: {name}`"))? + 1;
    let length = lines[start..].iter().position(|line| begins(line, "ANCHOR_END"));
    let length = length.ok_or_else(|| format!("has no line `// ANCHOR_END: {name}` behind its anchor"))?;
    let is_mark = |line: &&str| line.trim_start().starts_with("// ANCHOR");
    let inside: Vec<_> = lines[start..start + length].iter().copied().filter(|line| !is_mark(line)).collect();
    Ok(Excerpt { line: start + 1, text: dedented(&inside) })
}

/// An item with its documentation and attributes. `Type::name` is the one in an `impl` of that type.
fn item(text: &str, kind: &str, name: &str) -> Result<Excerpt, String> {
    let (owner, name) = name.rsplit_once("::").map_or((None, name), |(owner, name)| (Some(owner), name));
    let lines: Vec<_> = text.lines().collect();
    let is_owned = |at: &usize| owner.is_none_or(|owner| impl_above(&lines, *at).is_some_and(|of| has_word(of, owner)));
    let found: Vec<_> = (0..lines.len()).filter(|at| declares(lines[*at], kind, name)).filter(is_owned).collect();
    let declared = match found[..] {
        [only] => only,
        [] => return Err(format!("has no `{kind} {name}`")),
        _ => {
            let numbers: Vec<_> = found.iter().map(|at| (at + 1).to_string()).collect();
            let numbers = numbers.join(", ");
            return Err(format!("has `{kind} {name}` more than once (lines {numbers}); write `{kind} Type::{name}`"));
        }
    };
    let belongs = |line: &&&str| line.trim_start().starts_with("///") || line.trim_start().starts_with("#[");
    let first = declared - lines[..declared].iter().rev().take_while(belongs).count();
    let rest = lines[declared..].join("\n");
    let length = item_length(&rest).ok_or_else(|| format!("has no end of `{kind} {name}`"))?;
    let count = rest[..length].lines().count();
    Ok(Excerpt { line: first + 1, text: dedented(&lines[first..declared + count]) })
}

fn impl_above<'a>(lines: &[&'a str], at: usize) -> Option<&'a str> {
    lines[..at].iter().rev().find(|line| line.starts_with("impl")).copied()
}

fn declares(line: &str, kind: &str, name: &str) -> bool {
    let words = line.trim_start();
    let words = match words.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or(rest, |(_, rest)| rest),
        Some(rest) => rest,
        None => words,
    };
    let mut words = words.trim_start();
    for qualifier in ["const fn", "async fn"] {
        if kind == "fn" && words.starts_with(qualifier) {
            words = &words[qualifier.len() - 2..];
        }
    }
    let named = words.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' ')).map(str::trim_start);
    named.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| !rest.starts_with(is_word))
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c| !is_word(c)).any(|found| found == word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The bytes up to the end of the item that the text begins with: its last brace, or its semicolon.
fn item_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if let Some(length) = passed_over(&text[at..]) {
            at += length;
            continue;
        }
        at += c.len_utf8();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && c == '}' && !text[at..].starts_with(';') {
                    return Some(at);
                }
            }
            ';' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// The length of a comment, string or character at the start, in which brackets are no brackets.
fn passed_over(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    if let Some(rest) = text.strip_prefix('r') {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if rest[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = 1 + hashes + 1;
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
    }
    match text.chars().next()? {
        '"' => Some(1 + closed_by(&text[1..], '"')),
        // A lifetime has no second quote behind its first character.
        '\'' if text[1..].starts_with('\\') || text[1..].chars().nth(1) == Some('\'') => {
            Some(1 + closed_by(&text[1..], '\''))
        }
        _ => None,
    }
}

fn closed_by(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn dedented(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<_> = lines.iter().map(|line| line.get(common..).unwrap_or_default()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"
impl One {
    /// Does `}` it.
    #[must_use]
    pub(crate) fn step<'a>(&'a self, c: char) -> bool {
        let s = r#"}"#; // }
        c == '}' || s == "}"
    }
}

impl Two {
    fn step(&self) {}
}

// ANCHOR: here
pub const LIMIT: [u8; 2] = [1, 2];
// ANCHOR_END: here
"##;

    fn item(kind: &str, name: &str) -> Result<String, String> {
        excerpt(FILE, &Part::Item(kind.into(), name.into())).map(|excerpt| excerpt.text)
    }

    #[test]
    fn an_item_comes_whole_with_its_documentation() {
        let text = item("fn", "One::step").expect("it is there");
        assert!(text.starts_with("/// Does `}` it.\n#[must_use]\npub(crate) fn step"), "{text}");
        assert!(text.ends_with("s == \"}\"\n}"), "{text}");
        assert_eq!(item("fn", "Two::step"), Ok("fn step(&self) {}".into()));
        assert_eq!(item("const", "LIMIT"), Ok("pub const LIMIT: [u8; 2] = [1, 2];".into()));
    }

    #[test]
    fn what_is_not_there_once_is_an_error() {
        assert_eq!(item("fn", "stop"), Err("has no `fn stop`".into()));
        let twice = item("fn", "step").expect_err("there are two");
        assert!(twice.contains("lines 5, 12"), "{twice}");
    }

    #[test]
    fn an_anchor_is_a_range_of_lines() {
        let found = excerpt(FILE, &Part::Anchor("here".into())).expect("it is there");
        assert_eq!(found, Excerpt { line: 16, text: "pub const LIMIT: [u8; 2] = [1, 2];".into() });
        assert!(excerpt(FILE, &Part::Anchor("there".into())).is_err());
    }
}
