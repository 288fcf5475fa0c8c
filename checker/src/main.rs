//! `highwater-check`: the model checker's command line.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::answer(cli::Cli::parse())
}
