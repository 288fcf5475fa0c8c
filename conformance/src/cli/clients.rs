//! `highwater-conform clients`.

use super::unmatched;
use highwater_conformance::clients;
use highwater_conformance::target::Target;
use libtest_mimic::Arguments;
use std::error::Error;
use std::process::ExitCode;

/// Which cluster, and which cases.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Brokers of the cluster
    #[arg(long, value_name = "HOST:PORT,…", required_unless_present = "list")]
    bootstrap_server: Option<String>,
    /// Only the cases whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Name the cases, and run none
    #[arg(long)]
    list: bool,
}

/// Runs the cases and reports each.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments { filter: args.filter, list: args.list, ..Arguments::default() };
    if let Some(filter) = arguments.filter.as_ref().filter(|_| !clients::is_any_chosen(&arguments)) {
        return Err(unmatched("case", filter).into());
    }
    let target = Target::Given { bootstrap: args.bootstrap_server.unwrap_or_default() };
    let conclusion = clients::run(&arguments, target);
    Ok(ExitCode::from(u8::from(conclusion.has_failed())))
}
