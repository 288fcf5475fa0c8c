//! Failures, on clusters of processes of the broker's program, built now unless `HIGHWATER_BINARY` names one.

use highwater_conformance::failures::{self, Program, binary};
use highwater_conformance::target;
use libtest_mimic::Arguments;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        return failures::run(&arguments, Program::Highwater(PathBuf::new())).exit_code();
    }
    match binary::named().map_or_else(target::built, Ok) {
        Ok(binary) => failures::run(&arguments, Program::Highwater(binary)).exit_code(),
        Err(error) => {
            eprintln!("no broker to judge: {error}");
            ExitCode::FAILURE
        }
    }
}
