//! `highwater-conform failures`.

use highwater_conformance::failures::{self, binary};
use libtest_mimic::Arguments;
use std::process::ExitCode;

/// Which cases.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the cases whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Name the cases, and run none
    #[arg(long)]
    list: bool,
    /// How many cases run at a time [default: one for each processor]
    #[arg(long, value_name = "COUNT")]
    test_threads: Option<usize>,
}

/// Runs the cases on clusters of this machine, and reports each.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Args { filter, list, test_threads } = args;
    let arguments = Arguments { filter, list, test_threads, ..Arguments::default() };
    let binary = binary::named().map_or_else(binary::beside, Ok)?;
    let conclusion = failures::run(&arguments, &binary);
    Ok(ExitCode::from(u8::from(conclusion.has_failed())))
}
