//! Standard output and standard error, which may be closed at any time.

use super::failure::Failure;
use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line of the result and lets it out at once.
pub fn say(line: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Prints a line for the user, not for the result. If nobody can read it, that is no failure.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
