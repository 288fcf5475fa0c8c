//! `highwater-conform requests` and `highwater-conform compare`.

use super::unmatched;
use highwater_conformance::requests::compare::compare;
use highwater_conformance::requests::permitted::Permitted;
use highwater_conformance::requests::script::CHAPTERS;
use highwater_conformance::requests::{Exchange, exchange, record};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What of the script is asked.
#[derive(Debug, clap::Args)]
struct Chapters {
    /// Only the chapters whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Name the chapters, and ask nothing
    #[arg(long)]
    list: bool,
}

impl Chapters {
    /// Their names.
    fn chosen(&self) -> Result<Vec<&'static str>, String> {
        let names = CHAPTERS.iter().map(|(name, _)| *name);
        match self.filter.as_deref() {
            None => Ok(names.collect()),
            Some(filter) => {
                let chosen: Vec<_> = names.filter(|name| name.contains(filter)).collect();
                if chosen.is_empty() { Err(unmatched("chapter", filter)) } else { Ok(chosen) }
            }
        }
    }
}

/// Which cluster, and where its answers go.
#[derive(Debug, clap::Args)]
pub struct RequestsArgs {
    /// Brokers of the cluster
    #[arg(long, value_name = "HOST:PORT,…", required_unless_present = "list")]
    bootstrap_server: Option<String>,
    /// Write the answers as JSON to this file, not as text
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    chapters: Chapters,
}

/// Which clusters.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// Brokers of the one cluster, or a file that `requests --json` wrote
    #[arg(long, value_name = "HOST:PORT,…|FILE", required_unless_present = "list")]
    left: Option<String>,
    /// Brokers of the other, or a file
    #[arg(long, value_name = "HOST:PORT,…|FILE", required_unless_present = "list")]
    right: Option<String>,
    /// Permitted differences, in place of those that the suite comes with
    #[arg(long, value_name = "FILE")]
    permitted: Option<PathBuf>,
    /// Tell permitted differences as well
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    chapters: Chapters,
}

/// Runs the script and tells every answer.
pub fn requests(args: RequestsArgs) -> Result<ExitCode, Box<dyn Error>> {
    let chosen = args.chapters.chosen()?;
    let Some(cluster) = args.bootstrap_server.filter(|_| !args.chapters.list) else {
        return Ok(list(&chosen));
    };
    let exchanges = record(&cluster, args.chapters.filter.as_deref())?;
    match args.json {
        Some(path) => write_json(&path, &exchanges)?,
        None => print!("{}", exchange::text(&exchanges)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the script against both and tells every difference.
pub fn compared(args: CompareArgs) -> Result<ExitCode, Box<dyn Error>> {
    let chosen = args.chapters.chosen()?;
    let Some((left, right)) = args.left.zip(args.right).filter(|_| !args.chapters.list) else {
        return Ok(list(&chosen));
    };
    let permitted = match &args.permitted {
        Some(path) => Permitted::parse(&read(path)?)?,
        None => Permitted::committed()?,
    };
    let filter = args.chapters.filter.as_deref();
    let (left, right) = (side(&left, filter)?, side(&right, filter)?);
    let differences = compare(&left, &right, &permitted);
    let told = differences.iter().filter(|difference| args.all || !difference.is_permitted());
    told.for_each(|difference| print!("{}", difference.text()));
    let failed = differences.iter().filter(|difference| !difference.is_permitted()).count();
    let permitted = differences.len() - failed;
    println!("\n{} requests; {failed} answered differently, {permitted} more as permitted", left.len());
    Ok(ExitCode::from(u8::from(failed > 0)))
}

fn list(chapters: &[&str]) -> ExitCode {
    chapters.iter().for_each(|name| println!("{name}"));
    ExitCode::SUCCESS
}

/// The answers of a running cluster, or those in a file.
fn side(cluster: &str, filter: Option<&str>) -> Result<Vec<Exchange>, Box<dyn Error>> {
    let path = Path::new(cluster);
    if !path.is_file() {
        return Ok(record(cluster, filter)?);
    }
    let mut recorded: Vec<Exchange> =
        serde_json::from_str(&read(path)?).map_err(|error| format!("{cluster}: no recorded answers: {error}"))?;
    recorded.retain(|exchange| filter.is_none_or(|filter| exchange.chapter().contains(filter)));
    if recorded.is_empty() {
        return Err(format!("{cluster} holds no answers to what is asked").into());
    }
    Ok(recorded)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write_json(path: &Path, exchanges: &[Exchange]) -> Result<(), Box<dyn Error>> {
    let text = serde_json::to_string_pretty(exchanges)?;
    Ok(fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?)
}
