//! `highwater-conform walks`.

use highwater_conformance::lockstep::{Ensemble, Playable};
use highwater_conformance::walks::sample::sample;
use highwater_conformance::walks::{
    CONSUMER_GROUNDS, Covered, Diverged, Effort, GROUNDS, GROUP_GROUNDS, Graph, Ground, OnModel, Report, replay,
};
use std::error::Error;
use std::fs;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

/// When so many walks of one world have diverged no further one is begun.
const ENOUGH: usize = 5;

/// Which walks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the world of this name
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Only so many walks of each world that they have N steps together, drawn by the seed
    #[arg(long, value_name = "N", conflicts_with = "walk")]
    sample: Option<NonZeroUsize>,
    /// What draws the sample
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Only the walk of this number, with --world
    #[arg(long, value_name = "K", requires = "world")]
    walk: Option<usize>,
    /// On the model only, not on clusters
    #[arg(long)]
    on_model: bool,
    /// Run each node as a process of its own
    #[arg(long, conflicts_with = "on_model")]
    processes: bool,
    /// How many walks are replayed at a time
    #[arg(long, value_name = "N", default_value = "1")]
    threads: NonZeroUsize,
    /// Stop at the first walk that diverges
    #[arg(long)]
    fail_fast: bool,
    /// Write the numbers as JSON to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Replays the walks, and reports.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let names = GROUNDS.iter().map(|ground| ground.name);
    let names = names.chain(GROUP_GROUNDS.iter().map(|ground| ground.name));
    let names: Vec<_> = names.chain(CONSUMER_GROUNDS.iter().map(|ground| ground.name)).collect();
    if args.world.as_deref().is_some_and(|name| !names.contains(&name)) {
        return Err(format!("no world is walked by that name; there are {}", names.join(", ")).into());
    }
    let ensemble = if args.processes { Ensemble::in_processes() } else { Ensemble::in_process() }?;
    let mut walker = Walker { args: &args, ensemble, report: Report::default(), is_over: false };
    for Ground { name, bounds } in GROUNDS {
        walker.walk(name, || Ground { name, bounds }.world())?;
    }
    for Ground { name, bounds } in GROUP_GROUNDS {
        walker.walk(name, || Ground { name, bounds }.world())?;
    }
    for Ground { name, bounds } in CONSUMER_GROUNDS {
        walker.walk(name, || Ground { name, bounds }.world())?;
    }
    let report = walker.report;
    print!("{report}");
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", report.json());
        fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(ExitCode::from(u8::from(!report.is_good())))
}

/// Walks one world after another.
struct Walker<'a> {
    args: &'a Args,
    ensemble: Ensemble,
    report: Report,
    /// Whether no further world is begun.
    is_over: bool,
}

impl Walker<'_> {
    /// Walks a world, if it is asked for.
    fn walk<W: Playable + Sync>(&mut self, name: &str, world: impl FnOnce() -> W) -> Result<(), String>
    where
        W::Event: Eq + Hash + Sync,
    {
        let args = self.args;
        if self.is_over || args.world.as_deref().is_some_and(|chosen| chosen != name) {
            return Ok(());
        }
        let world = world();
        let graph = Graph::explore(&world);
        let walks = graph.cover();
        let chosen = match (args.walk, args.sample) {
            (Some(walk), _) if walk >= walks.len() => {
                return Err(format!("there are {} walks, from 0 on", walks.len()));
            }
            (Some(walk), _) => vec![walk],
            (None, Some(steps)) => sample(&walks, args.seed, steps.get()),
            (None, None) => (0..walks.len()).collect(),
        };
        let edges = graph.edges().len();
        let effort = Effort { threads: args.threads.get(), enough: if args.fail_fast { 1 } else { ENOUGH } };
        let outcome = match args.on_model {
            true => replay(&world, edges, &walks, &chosen, effort, || OnModel),
            false => replay(&world, edges, &walks, &chosen, effort, || &self.ensemble),
        };
        let bounds: Vec<_> = world.bounds().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let covered = Covered::new(name, &bounds.join(" "), &graph, &walks, &outcome);
        print!("{covered}");
        self.report.add(covered, &outcome.passed);
        outcome.diverged.iter().for_each(|diverged| tell(name, diverged));
        self.is_over = args.fail_fast && !outcome.diverged.is_empty();
        Ok(())
    }
}

/// Tells where a walk diverged, as a story that can be run.
fn tell(name: &str, diverged: &Diverged) {
    let Diverged { walk, divergence, scenario } = diverged;
    println!("walk {walk} of {name} diverges at its step {}: {}\n", divergence.step + 1, divergence.what);
    println!("{scenario}");
    println!("again: highwater-conform walks --world {name} --walk {walk}\n");
}
