//! Differences that are known and stand: `permitted.txt`, a line each, with the reason.
//!
//! A line is `case | path | reason`. In case and path, `*` stands for any text. Empty lines and those that begin with
//! `#` say nothing.

/// The list.
#[derive(Clone, Debug)]
pub struct Permitted {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    case: String,
    path: String,
    reason: String,
}

impl Permitted {
    /// The list that this suite comes with.
    pub fn committed() -> Result<Self, String> {
        Self::parse(include_str!("../../permitted.txt"))
    }

    /// A list. A line that is none is an error that names it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let said = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let lines = said.map(|(number, line)| match line.split('|').map(str::trim).collect::<Vec<_>>()[..] {
            [case, path, reason] if !reason.is_empty() => {
                Ok(Line { case: case.to_owned(), path: path.to_owned(), reason: reason.to_owned() })
            }
            _ => Err(format!("line {}: `case | path | reason` is expected: {line}", number + 1)),
        });
        Ok(Self { lines: lines.collect::<Result<_, _>>()? })
    }

    /// Why a difference at `path` in `case` may be, if it may.
    pub fn reason(&self, case: &str, path: &str) -> Option<&str> {
        let found = self.lines.iter().find(|line| matches(&line.case, case) && matches(&line.path, path));
        found.map(|line| line.reason.as_str())
    }
}

/// Whether `text` is what `pattern` says, where `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(before) else { return false };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| matches(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(matches("a*c", "abbc") && matches("a*", "a") && matches("*[*].x", "t[1].x") && matches("", ""));
        assert!(!matches("a*c", "abd") && !matches("", "x") && !matches("a", "ab"));
    }

    #[test]
    fn lines_are_read_and_bad_ones_named() {
        let list = Permitted::parse("# why\n\nmetadata/* | topics[*].x | because\n").unwrap();
        assert_eq!(list.reason("metadata/all", "topics[a].x"), Some("because"));
        assert_eq!(list.reason("metadata/all", "topics[a].y"), None);
        assert!(Permitted::parse("# why\na | b\n").unwrap_err().contains("line 2"));
    }

    #[test]
    fn the_committed_list_is_one() {
        Permitted::committed().unwrap();
    }
}
