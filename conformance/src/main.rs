//! `highwater-conform`: the command line of the conformance suite.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::answer(cli::Cli::parse())
}
