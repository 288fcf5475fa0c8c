//! The format of Java's properties files: comments, continued lines, escapes. Read as UTF-8.
//!
//! Source: the documentation of `java.util.Properties.load`.

use std::iter::Peekable;
use std::str::Chars;

/// Number of the line at which it begins (from 1), key, value.
pub(super) type Property = (usize, String, String);

/// What is wrong with a line.
pub(super) type BadLine = (usize, &'static str);

/// The properties of a text, in order.
pub(super) fn parse(text: &str) -> impl Iterator<Item = Result<Property, BadLine>> + '_ {
    logical_lines(text).into_iter().map(|(number, line)| {
        let mut chars = line.chars().peekable();
        let key = unescaped(&mut chars, |c| matches!(c, '=' | ':') || c.is_whitespace());
        skip_separator(&mut chars);
        let value = unescaped(&mut chars, |_| false);
        match (key, value) {
            (Some(key), Some(value)) => Ok((number, key, value)),
            _ => Err((number, "\\u must be followed by four hexadecimal digits")),
        }
    })
}

/// Lines that say something, each joined with those that continue it.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut logical: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if !continues && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        // An odd number of backslashes at the end: the last one escapes the line break.
        let escapes = line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
        let part = if escapes { &line[..line.len() - 1] } else { line };
        match logical.last_mut() {
            Some((_, whole)) if continues => whole.push_str(part),
            _ => logical.push((index + 1, part.to_owned())),
        }
        continues = escapes;
    }
    logical
}

/// Reads up to an unescaped character that `ends`; `None` if an escape is malformed.
fn unescaped(chars: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> Option<String> {
    let mut text = String::new();
    while let Some(c) = chars.next_if(|c| !ends(*c)) {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('f') => text.push('\u{c}'),
            Some('u') => text.push(hexadecimal(chars)?),
            Some(other) => text.push(other),
            None => {}
        }
    }
    Some(text)
}

fn hexadecimal(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let digits: String = chars.take(4).collect();
    let valid = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
    valid.then(|| u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32))?
}

/// White space, at most one `=` or `:`, white space.
fn skip_separator(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
    if chars.next_if(|c| matches!(c, '=' | ':')).is_some() {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(usize, String, String)> {
        parse(text).map(Result::unwrap).collect()
    }

    fn one(text: &str) -> (String, String) {
        let mut all = parsed(text);
        assert_eq!(all.len(), 1, "{text}");
        let (_, key, value) = all.remove(0);
        (key, value)
    }

    #[test]
    fn separators_and_spaces() {
        for text in ["a.b=c d", "  a.b = c d", "a.b:c d", "a.b c d", "a.b\t:\tc d"] {
            assert_eq!(one(text), ("a.b".into(), "c d".into()), "{text}");
        }
        assert_eq!(one("a="), ("a".into(), String::new()));
        assert_eq!(one("a"), ("a".into(), String::new()));
        assert_eq!(one("a==b"), ("a".into(), "=b".into()));
        assert_eq!(one(r"a\=b\ c=d"), ("a=b c".into(), "d".into()));
    }

    #[test]
    fn comments_and_line_numbers() {
        let all = parsed("# one\n\n! two\na=1\nb=2\\\n   3\\\n#4\nc=5");
        let expected = [(4, "a", "1"), (5, "b", "23#4"), (8, "c", "5")];
        assert_eq!(all, expected.map(|(line, key, value)| (line, key.into(), value.into())));
    }

    #[test]
    fn escapes() {
        assert_eq!(one(r"a=\u00e4\t\\\x"), ("a".into(), "ä\t\\x".into()));
        assert_eq!(one(r"path=C:\\kafka\\"), ("path".into(), r"C:\kafka\".into()));
        for bad in [r"a=\u12", r"a=\u+123", r"\uD800=1"] {
            assert!(parse(bad).next().unwrap().is_err(), "{bad}");
        }
    }
}
