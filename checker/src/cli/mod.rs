//! The command line: what people ask, and what they are told.

mod args;
mod check;
mod outcome;
mod run;
mod table;

pub use args::Cli;

use args::{Command, ExploreArgs};
use highwater_checker::catalog::{self, Model};
use highwater_checker::engine::stateright;
use highwater_checker::museum;
use std::process::ExitCode;
use std::sync::Arc;

/// Does what was asked. The exit code is 0 if everything holds that must hold and every exhibit is caught; 1 if not;
/// 2 if the question can't be answered.
pub fn answer(cli: Cli) -> ExitCode {
    let answered = match cli.command {
        None => check::check(&cli.check),
        Some(Command::Check(args)) => check::check(&args),
        Some(Command::List) => {
            list();
            Ok(true)
        }
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Explore(args)) => explore(&args),
    };
    match answered {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("highwater-check: {error}");
            ExitCode::from(2)
        }
    }
}

fn list() {
    println!("Worlds, in which every property must hold (those marked * with --deep only):");
    for entry in catalog::WORLDS {
        let mark = if entry.deep { "*" } else { " " };
        println!("{mark} {:<22} {}\n  {:<22} {}", entry.name, entry.about, "", entry.bounds());
    }
    println!("\nExhibits, in which something breaks, and whose twins hold:");
    for exhibit in museum::EXHIBITS {
        let case = exhibit.broken;
        println!("  {:<22} {}", exhibit.name, exhibit.title);
        println!("  {:<22} {} under {}, breaks {}", "", case.bounds, case.rules, case.property.name);
    }
}

fn explore(args: &ExploreArgs) -> Result<bool, String> {
    let address = args.address.as_str();
    println!("Exploring {} on http://{address}/ until you press Ctrl-C", args.world);
    let served = match args.model()? {
        Model::Replication(world) => stateright::serve(Arc::new(world), address),
        Model::Controller(world) => stateright::serve(Arc::new(world), address),
    };
    served.map(|()| true).map_err(|error| format!("can't listen on {address}: {error}; choose another with --address"))
}
