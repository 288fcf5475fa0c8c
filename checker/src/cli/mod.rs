//! The command line: what people ask, and what they are told.

mod args;
mod check;
mod outcome;
mod run;
mod stops;
mod table;

pub use args::Cli;

use args::{Command, ExploreArgs};
use highwater_checker::catalog;
use highwater_checker::engine::stateright;
use highwater_checker::kind::{self, Kind, Visitor};
use highwater_checker::museum::{self, Exhibit};
use highwater_spec::rules::Rules;
use std::collections::BTreeSet;
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
    for Exhibit { name, title, broken, .. } in museum::all() {
        let bounds = catalog::in_words(&broken.bounds());
        told.push(format!("  {name:<22} {title}"));
        told.push(format!("  {:<22} {bounds} under {}, breaks {}", "", broken.rules(), broken.property()));
    }
    for (nth, about) in kind::every().iter().enumerate() {
        let how = if nth == 0 { " (--bounds NAME=VALUE,…)" } else { "" };
        told.push(format!("\nBounds of worlds with {}{how}:", about.has));
        told.extend(about.bounds.iter().map(|(name, what)| format!("  {name:<22}{what}")));
    }
    told.push("\nRules (--rules BASELINE,DECISION=WAY,…):".to_owned());
    let baselines: Vec<_> = Rules::BASELINES.iter().map(|(name, _)| *name).collect();
    told.push(format!("  {:<22} {}", "baselines", baselines.join(", ")));
    told.extend(Rules::DECISIONS.iter().map(|(name, ways)| format!("  {name:<22} {}", ways.join(", "))));
    told.push("\nProperties, and the conditions under which Kafka promises them:".to_owned());
    let mut seen = BTreeSet::new();
    let properties = kind::every().into_iter().flat_map(|about| about.properties);
    let properties = properties.filter(|property| seen.insert(property.name));
    told.extend(properties.map(|property| table::property_line(&property)));
    say(&told.join("\n"));
}

fn explore(args: &ExploreArgs) -> Result<bool, String> {
    let address = args.address.as_str();
    say(&format!("Exploring {} on http://{address}/ until you press Ctrl-C", args.world));
    let served = args.model()?.visit(Serving(address));
    served.map(|()| true).map_err(|error| format!("can't listen on {address}: {error}; choose another with --address"))
}

/// Serves a world at an address.
struct Serving<'a>(&'a str);

impl Visitor for Serving<'_> {
    type Answer = std::io::Result<()>;

    fn visit<W: Kind>(self, world: &W) -> Self::Answer {
        stateright::serve(Arc::new(world.clone()), self.0)
    }
}
