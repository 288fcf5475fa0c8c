//! `highwater-conform lockstep`.

use highwater_conformance::lockstep::{Ensemble, replay_scenario};
use highwater_spec::scenario::Scenario;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which scenarios, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scenarios [default: those of the museum that hold]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run each node as a process of its own
    #[arg(long)]
    processes: bool,
    /// Play each so many times
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    times: u32,
}

/// Plays scenarios on a cluster, step by step.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let ensemble = if args.processes { Ensemble::in_processes() } else { Ensemble::in_process() }?;
    let mut parted = 0;
    for file in &args.files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let scenario: Scenario = text
            .parse()
            .map_err(|error: highwater_spec::scenario::ParseError| format!("{}: {error}", file.display()))?;
        let (world, events) = replay_scenario(&scenario).map_err(|error| format!("{}: {error}", file.display()))?;
        for _ in 0..args.times {
            match ensemble.play(&world, &events) {
                Ok(replayed) => println!("{}: {} events, in step", file.display(), replayed.events),
                Err(divergence) => {
                    println!("{}: {divergence}", file.display());
                    parted += 1;
                }
            }
        }
    }
    Ok(ExitCode::from(u8::from(parted > 0)))
}
