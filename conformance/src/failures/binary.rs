//! The broker's program: the one that the environment names, or the one beside the program that runs.

use std::env;
use std::io;
use std::path::PathBuf;

/// The variable that names another program than the one that is found.
const VARIABLE: &str = "HIGHWATER_BINARY";

/// The program that the environment names, if it names one.
#[must_use]
pub fn named() -> Option<PathBuf> {
    env::var_os(VARIABLE).map(PathBuf::from)
}

/// The program in the directory of the one that runs.
///
/// # Errors
/// When there is none.
pub fn beside() -> io::Result<PathBuf> {
    let binary = env::current_exe()?.with_file_name(format!("highwater{}", env::consts::EXE_SUFFIX));
    if binary.is_file() {
        return Ok(binary);
    }
    let hint = "build it with `cargo build -p highwater`";
    Err(io::Error::other(format!("{} isn't there: {hint}, or set {VARIABLE} to where it is", binary.display())))
}
