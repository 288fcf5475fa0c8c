//! Scenario to text.

use std::fmt;

use super::{Expects, Line, Scenario, Settings};

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "highwater scenario 1")?;
        print_settings(f, "world", &self.world)?;
        print_settings(f, "rules", &self.rules)?;
        match &self.expects {
            Some(Expects::Breaks(property)) => writeln!(f, "{:8}{property}", "breaks")?,
            Some(Expects::Holds(property)) => writeln!(f, "{:8}{property}", "holds")?,
            None => {}
        }
        if !self.body().is_empty() {
            writeln!(f)?;
        }
        (self.body().iter()).try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn print_settings<Value: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    keyword: &str,
    settings: &Settings<Value>,
) -> fmt::Result {
    write!(f, "{keyword:8}{}", settings.name())?;
    for (key, value) in settings.values() {
        write!(f, " {key}={value}")?;
    }
    writeln!(f)
}

/// Without the line's end.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mark) = self.kind().mark() {
            write!(f, "{mark}")?;
        }
        if !self.text().is_empty() {
            write!(f, " {}", self.text())?;
        }
        let Some(comment) = self.comment() else {
            return Ok(());
        };
        if self.kind().mark().is_some() {
            write!(f, "  ")?;
        }
        match comment.is_empty() {
            true => write!(f, "#"),
            false => write!(f, "# {comment}"),
        }
    }
}
