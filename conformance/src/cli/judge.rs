//! `highwater-conform judge`.

use highwater_conformance::histories;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which history.
///
/// A history is a file of JSON objects, one a line, each an event of a client: what it sent and what became of that, which
/// partitions it was given and gave back, what it read, what it committed, what it was told. Exit status: 0 if it has no
/// anomalies, 1 if it has, 2 if it is no history.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The histories, one after another
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Tells the anomalies of each.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let mut all_well = true;
    for file in &args.files {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {name}: {error}"))?;
        let events = histories::read(&text).map_err(|error| format!("{name}: {error}"))?;
        if events.is_empty() {
            return Err(format!("{name} holds no events: there is nothing to judge").into());
        }
        let verdict = histories::judge(&events);
        println!("{name}: {} events\n{verdict}", events.len());
        all_well &= verdict.anomalies.is_empty();
    }
    Ok(ExitCode::from(u8::from(!all_well)))
}
