//! `highwater-conform lockstep`.

use highwater_conformance::lockstep::scenarios::{BROKEN, MENDED};
use highwater_conformance::lockstep::{Ensemble, Script};
use serde_json::json;
use std::error::Error;
use std::fs;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which scenarios, and where.
///
/// A real cluster does, event by event, what a scenario tells: by its rules, on sockets and files. After each event what
/// waits at its nodes' doors, the timers, the files, the answers and what a consumer reads are compared with the
/// specification. Exit status: 0 if nothing differs, 1 if something does, 2 if a scenario can't be played.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The scenarios [default: those of the museum, as they happened and as they are mended]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run each node as a process of its own, killed by `kill -9`
    #[arg(long)]
    processes: bool,
    /// Play each so many times
    #[arg(long, value_name = "COUNT", default_value = "1")]
    times: NonZeroU32,
    /// Stop at the first scenario from which the cluster parts
    #[arg(long)]
    fail_fast: bool,
    /// Write the numbers as JSON to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Plays scenarios on a cluster, step by step.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let ensemble = if args.processes { Ensemble::in_processes() } else { Ensemble::in_process() }?;
    let (mut runs, mut events, mut excused, mut parted) = (0, 0, 0, 0);
    let scenarios = scenarios(&args)?;
    for (name, text) in &scenarios {
        let script = Script::read(text).map_err(|error| format!("{name}: {error}"))?;
        let mut outcome = Ok(());
        for _ in 0..args.times.get() {
            runs += 1;
            match script.play(&ensemble) {
                Ok(steps) => {
                    events += script.events();
                    excused += steps;
                }
                Err(divergence) if divergence.unplayed => {
                    let (step, why) = (divergence.step + 1, &divergence.found);
                    return Err(format!("{name}: can't be played beyond its step {step}: {why}").into());
                }
                Err(divergence) => {
                    parted += 1;
                    events += divergence.step;
                    outcome = Err(divergence);
                    break;
                }
            }
        }
        match outcome {
            Ok(()) => println!("{name}: {} events by {}, in step", script.events(), script.rules()),
            Err(divergence) => {
                let processes = if args.processes { "--processes " } else { "" };
                println!("{name}: the cluster parts from it\n\n{divergence}\n");
                println!("again: highwater-conform lockstep {processes}{name}\n");
                if args.fail_fast {
                    break;
                }
            }
        }
    }
    println!("{runs} runs of {} scenarios, {events} events, {excused} steps excused, {parted} parted", scenarios.len());
    if let Some(path) = &args.json {
        let processes = if args.processes { " --processes" } else { "" };
        let numbers = json!({
            "command": format!("highwater-conform lockstep{processes} --times {}", args.times),
            "scenarios": scenarios.len(),
            "runs": runs,
            "events": events,
            "excused": excused,
            "parted": parted,
        });
        fs::write(path, format!("{numbers:#}\n"))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(ExitCode::from(u8::from(parted > 0)))
}

/// Their names and texts.
fn scenarios(args: &Args) -> Result<Vec<(String, String)>, String> {
    if args.files.is_empty() {
        let all = BROKEN.iter().chain(MENDED);
        return Ok(all.map(|told| (format!("scenarios/{}", told.name), told.text.to_owned())).collect());
    }
    let read = |file: &PathBuf| {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("{name} can't be read: {error}"))?;
        Ok((name, text))
    };
    args.files.iter().map(read).collect()
}
