//! `highwater-conform clients`.

use highwater_conformance::clients;
use highwater_conformance::target::Target;
use libtest_mimic::Arguments;
use std::process::ExitCode;

/// Which cluster, and which cases.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Brokers of the cluster
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_server: String,
    /// Only the cases whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Name the cases, and run none
    #[arg(long)]
    list: bool,
}

/// Runs the cases and reports each.
pub fn answer(args: Args) -> ExitCode {
    let arguments = Arguments { filter: args.filter, list: args.list, ..Arguments::default() };
    let conclusion = clients::run(&arguments, Target::Given { bootstrap: args.bootstrap_server });
    ExitCode::from(u8::from(conclusion.has_failed()))
}
