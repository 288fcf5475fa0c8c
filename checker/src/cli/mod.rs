//! The command line: what people ask, and what they are told.

mod args;
mod check;
mod outcome;
mod run;
mod stops;
mod table;

pub use args::Cli;

use args::{Command, ExploreArgs};
use highwater_checker::catalog::{self, Model};
use highwater_checker::engine::stateright;
use highwater_checker::{cleaning, controller, group, museum, replication};
use highwater_spec::property;
use highwater_spec::rules::Rules;
use std::io::Write;
use std::path::Path;
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
        Some(Command::Stops(args)) => stops::stops(&args),
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

/// Prints a text and ends its line. Whoever has stopped reading has read enough.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Writes a file whole: no failure leaves half of it, or loses what was there.
fn write_whole(file: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("can't write {}: {error}", file.display());
    if file.exists() && !file.is_file() {
        return std::fs::write(file, text).map_err(failed);
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

fn list() {
    let mut told = vec!["Worlds, in which every property must hold (those marked * with --deep only):".to_owned()];
    for entry in catalog::WORLDS {
        let mark = if entry.deep { "*" } else { " " };
        told.push(format!("{mark} {:<22} {}\n  {:<22} {}", entry.name, entry.about, "", entry.bounds()));
    }
    told.push("\nExhibits, in which something breaks, and whose twins hold:".to_owned());
    for exhibit in museum::EXHIBITS {
        let case = exhibit.broken;
        told.push(format!("  {:<22} {}", exhibit.name, exhibit.title));
        told.push(format!("  {:<22} {} under {}, breaks {}", "", case.bounds, case.rules, case.property.name));
    }
    for exhibit in museum::GROUP_EXHIBITS {
        let case = exhibit.broken;
        let bounds: Vec<_> = case.bounds.named().iter().map(|(name, value)| format!("{name}={value}")).collect();
        told.push(format!("  {:<22} {}", exhibit.name, exhibit.title));
        told.push(format!("  {:<22} {} under {}, breaks {}", "", bounds.join(" "), case.rules, case.property.name));
    }
    for exhibit in museum::CLEANING_EXHIBITS {
        let case = exhibit.broken;
        let bounds: Vec<_> = case.bounds.named().iter().map(|(name, value)| format!("{name}={value}")).collect();
        told.push(format!("  {:<22} {}", exhibit.name, exhibit.title));
        told.push(format!("  {:<22} {} under {}, breaks {}", "", bounds.join(" "), case.rules, case.property.name));
    }
    for exhibit in museum::CONSUMER_EXHIBITS {
        let case = exhibit.broken;
        let bounds: Vec<_> = case.bounds.named().iter().map(|(name, value)| format!("{name}={value}")).collect();
        told.push(format!("  {:<22} {}", exhibit.name, exhibit.title));
        told.push(format!("  {:<22} {} under {}, breaks {}", "", bounds.join(" "), case.rules, case.property.name));
    }
    told.push("\nBounds of worlds with brokers (--bounds NAME=VALUE,…):".to_owned());
    told.extend(replication::Bounds::DESCRIBED.iter().map(|(name, what)| format!("  {name:<22}{what}")));
    told.push("\nBounds of worlds with the controller alone:".to_owned());
    told.extend(controller::Bounds::DESCRIBED.iter().map(|(name, what)| format!("  {name:<22}{what}")));
    told.push("\nBounds of worlds with a consumer group:".to_owned());
    told.extend(group::Bounds::DESCRIBED.iter().map(|(name, what)| format!("  {name:<22}{what}")));
    told.push("\nBounds of worlds with a compacted log:".to_owned());
    told.extend(cleaning::Bounds::DESCRIBED.iter().map(|(name, what)| format!("  {name:<22}{what}")));
    told.push("\nBounds of worlds with a group of the consumer protocol:".to_owned());
    told.extend(group::members::Bounds::DESCRIBED.iter().map(|(name, what)| format!("  {name:<22}{what}")));
    told.push("\nRules (--rules BASELINE,DECISION=WAY,…):".to_owned());
    let baselines: Vec<_> = Rules::BASELINES.iter().map(|(name, _)| *name).collect();
    told.push(format!("  {:<22} {}", "baselines", baselines.join(", ")));
    told.extend(Rules::DECISIONS.iter().map(|(name, ways)| format!("  {name:<22} {}", ways.join(", "))));
    told.push("\nProperties, and the conditions under which Kafka promises them:".to_owned());
    told.extend(property::every().iter().map(table::property_line));
    told.extend(property::group::EVERY.iter().map(table::group_property_line));
    told.extend(property::cleaning::OF_CLEANING.iter().map(table::cleaning_property_line));
    told.extend(property::consumer_group::EVERY.iter().map(table::consumer_property_line));
    say(&told.join("\n"));
}

fn explore(args: &ExploreArgs) -> Result<bool, String> {
    let address = args.address.as_str();
    say(&format!("Exploring {} on http://{address}/ until you press Ctrl-C", args.world));
    let served = match args.model()? {
        Model::Replication(world) => stateright::serve(Arc::new(world), address),
        Model::Controller(world) => stateright::serve(Arc::new(world), address),
        Model::Group(world) => stateright::serve(Arc::new(world), address),
        Model::Cleaning(world) => stateright::serve(Arc::new(world), address),
        Model::Members(world) => stateright::serve(Arc::new(world), address),
    };
    served.map(|()| true).map_err(|error| format!("can't listen on {address}: {error}; choose another with --address"))
}
