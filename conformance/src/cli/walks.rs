//! `highwater-conform walks`.

use highwater_conformance::lockstep::Ensemble;
use highwater_conformance::walks::sample::sample;
use highwater_conformance::walks::{Diverged, Effort, GROUNDS, Graph, Ground, OnModel, Outcome, Report, replay};
use std::error::Error;
use std::fs;
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
    sample: Option<usize>,
    /// What draws the sample
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Only the walk of this number, with --world
    #[arg(long, value_name = "K", requires = "world")]
    walk: Option<usize>,
    /// On the model only, not on clusters
    #[arg(long)]
    on_model: bool,
    /// How many walks are replayed at a time
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// Stop at the first walk that diverges
    #[arg(long)]
    fail_fast: bool,
    /// Write the numbers as JSON to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Replays the walks, and reports.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let named = |ground: &&Ground| args.world.as_deref().is_none_or(|name| name == ground.name);
    let grounds: Vec<_> = GROUNDS.iter().filter(named).collect();
    if grounds.is_empty() {
        let names: Vec<_> = GROUNDS.iter().map(|ground| ground.name).collect();
        return Err(format!("no world is walked by that name; there are {}", names.join(", ")).into());
    }
    let ensemble = Ensemble::in_process()?;
    let mut report = Report::default();
    for ground in grounds {
        let outcome = walked(ground, &args, &ensemble, &mut report)?;
        outcome.diverged.iter().for_each(|diverged| tell(ground, diverged));
        if args.fail_fast && !outcome.diverged.is_empty() {
            break;
        }
    }
    print!("{report}");
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", report.json());
        fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(ExitCode::from(u8::from(!report.is_good())))
}

fn walked(ground: &Ground, args: &Args, ensemble: &Ensemble, report: &mut Report) -> Result<Outcome, String> {
    let world = ground.world();
    let graph = Graph::explore(&world);
    let walks = graph.cover();
    let chosen = match (args.walk, args.sample) {
        (Some(walk), _) if walk >= walks.len() => return Err(format!("there are {} walks, from 0 on", walks.len())),
        (Some(walk), _) => vec![walk],
        (None, Some(steps)) => sample(&walks, args.seed, steps),
        (None, None) => (0..walks.len()).collect(),
    };
    let edges = graph.edges().len();
    let effort = Effort { threads: args.threads, enough: if args.fail_fast { 1 } else { ENOUGH } };
    let outcome = match args.on_model {
        true => replay(&world, edges, &walks, &chosen, effort, || OnModel),
        false => replay(&world, edges, &walks, &chosen, effort, || ensemble),
    };
    report.add(ground.name, &world.bounds.to_string(), &graph, &walks, &outcome);
    Ok(outcome)
}

/// Tells where a walk diverged, as a story that can be run.
fn tell(ground: &Ground, diverged: &Diverged) {
    let Diverged { walk, divergence, scenario } = diverged;
    println!("walk {walk} of {} diverges at its step {}: {}\n", ground.name, divergence.step + 1, divergence.what);
    println!("{scenario}");
    println!("again: highwater-conform walks --world {} --walk {walk}\n", ground.name);
}
