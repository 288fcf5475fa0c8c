//! What can be asked, and how.

use clap::{Args, Parser, Subcommand};
use highwater_checker::catalog;
use highwater_checker::engine::{Search, StopOn};
use highwater_checker::kind::Model;
use highwater_checker::museum::{self, Exhibit};
use highwater_spec::rules::Rules;
use std::path::PathBuf;
use std::time::Duration;

/// Explores every state that a small cluster of Highwater's machines can reach, and judges each.
#[derive(Debug, Parser)]
#[command(name = "highwater-check", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; without it, `check`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to check.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explore every world and every exhibit, or one of them by name
    Check(CheckArgs),
    /// List the worlds and the exhibits
    List,
    /// Run a scenario: does the specification allow it?
    Run(RunArgs),
    /// Measure how much of a consumer group stops when a member comes or goes
    Stops(StopsArgs),
    /// Step through a world in the browser
    Explore(ExploreArgs),
}

/// What to check, and how long.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// One world or exhibit; without it, all
    pub name: Option<String>,
    /// Go on to the worlds that take longer
    #[arg(long)]
    pub deep: bool,
    /// Change bounds of the named world, as in `kills=2,records=3`
    #[arg(long, value_name = "NAME=VALUE,…", value_delimiter = ',', value_parser = setting, requires = "name")]
    pub bounds: Vec<(String, u64)>,
    /// Take the decisions of the named world by other rules: a baseline, then decisions, as in
    /// `V2_0,fetch_fencing=LeaderEpoch`
    #[arg(long, value_name = "RULES", requires = "name")]
    pub rules: Option<Rules>,
    /// Threads to use [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// Stop each search after so many seconds; what it has covered is told, and is not a pass
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<u64>,
    /// Stop each search when the process holds so many MiB
    #[arg(long, value_name = "MIB")]
    pub memory_limit: Option<u64>,
    /// Stop at the first world or exhibit that fails
    #[arg(long)]
    pub fail_fast: bool,
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
    /// Write the shortest counterexample of the named world or exhibit to this file
    #[arg(long, value_name = "FILE", requires = "name")]
    pub scenario: Option<PathBuf>,
}

/// Which scenario to run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The scenario
    pub file: PathBuf,
    /// Tell its outputs and states anew, in place
    #[arg(long)]
    pub rewrite: bool,
}

/// How the stops of groups are told.
#[derive(Debug, Args)]
pub struct StopsArgs {
    /// Print them as JSON, as the book has them
    #[arg(long)]
    pub json: bool,
}

/// Which world to step through.
#[derive(Debug, Args)]
pub struct ExploreArgs {
    /// The world or exhibit
    pub world: String,
    /// Change bounds, as in `kills=2,records=3`
    #[arg(long, value_name = "NAME=VALUE,…", value_delimiter = ',', value_parser = setting)]
    pub bounds: Vec<(String, u64)>,
    /// Take decisions by other rules
    #[arg(long, value_name = "RULES")]
    pub rules: Option<Rules>,
    /// Where the browser finds it
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub address: String,
}

/// What a name stands for.
pub enum Named {
    /// A world of the catalogue.
    World(&'static catalog::Entry),
    /// An exhibit of the museum.
    Exhibit(Exhibit),
}

/// The world or exhibit called `name`.
pub fn named(name: &str) -> Result<Named, String> {
    if let Some(exhibit) = museum::all().find(|exhibit| exhibit.name == name) {
        return Ok(Named::Exhibit(exhibit));
    }
    catalog::find(name).map(Named::World).map_err(|error| {
        let exhibits: Vec<_> = museum::all().map(|exhibit| exhibit.name).collect();
        format!("{error}, and the exhibits {}", exhibits.join(", "))
    })
}

impl ExploreArgs {
    /// The world that was named.
    pub fn model(&self) -> Result<Model, String> {
        match named(&self.world)? {
            Named::World(entry) => entry.model(self.rules.unwrap_or(Rules::KAFKA), &self.bounds),
            Named::Exhibit(exhibit) => exhibit.broken.model(self.rules, &self.bounds),
        }
    }
}

impl CheckArgs {
    /// How to search, within the limits given.
    pub fn search(&self) -> Search {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        Search {
            workers: self.workers.map_or_else(processors, usize::from),
            time_limit: self.time_limit.map(Duration::from_secs),
            memory_limit: self.memory_limit.map(|mebibytes| mebibytes.saturating_mul(1 << 20)),
            stop_on: StopOn::FirstViolation,
        }
    }
}

fn setting(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not like `kills=2`"))?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a number, as in `kills=2`"))?;
    Ok((name.to_owned(), value))
}
