//! `highwater-conform requests` and `highwater-conform compare`.

use highwater_conformance::requests::compare::compare;
use highwater_conformance::requests::permitted::Permitted;
use highwater_conformance::requests::{Exchange, exchange, record};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which cluster, and where its answers go.
#[derive(Debug, clap::Args)]
pub struct RequestsArgs {
    /// Brokers of the cluster
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_server: String,
    /// Write the answers as JSON to this file, not as text
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only the chapters whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Which clusters.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// Brokers of the one cluster, or a file that `requests --json` wrote
    #[arg(long, value_name = "HOST:PORT,…|FILE")]
    left: String,
    /// Brokers of the other, or a file
    #[arg(long, value_name = "HOST:PORT,…|FILE")]
    right: String,
    /// Permitted differences, in place of those that the suite comes with
    #[arg(long, value_name = "FILE")]
    permitted: Option<PathBuf>,
    /// Tell permitted differences as well
    #[arg(long)]
    all: bool,
    /// Only the chapters whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// Runs the script and tells every answer.
pub fn requests(args: RequestsArgs) -> Result<ExitCode, Box<dyn Error>> {
    let exchanges = record(&args.bootstrap_server, args.filter.as_deref())?;
    match args.json {
        Some(path) => write_json(&path, &exchanges)?,
        None => print!("{}", exchange::text(&exchanges)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the script against both and tells every difference.
pub fn compared(args: CompareArgs) -> Result<ExitCode, Box<dyn Error>> {
    let permitted = match &args.permitted {
        Some(path) => Permitted::parse(&read(path)?)?,
        None => Permitted::committed()?,
    };
    let filter = args.filter.as_deref();
    let (left, right) = (side(&args.left, filter)?, side(&args.right, filter)?);
    let differences = compare(&left, &right, &permitted);
    let told = differences.iter().filter(|difference| args.all || !difference.is_permitted());
    told.for_each(|difference| print!("{}", difference.text()));
    let failed = differences.iter().filter(|difference| !difference.is_permitted()).count();
    let permitted = differences.len() - failed;
    println!("\n{} requests; {failed} answered differently, {permitted} more as permitted", left.len());
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// The answers of a running cluster, or those in a file.
fn side(cluster: &str, filter: Option<&str>) -> Result<Vec<Exchange>, Box<dyn Error>> {
    let path = Path::new(cluster);
    if !path.is_file() {
        return Ok(record(cluster, filter)?);
    }
    let recorded: Vec<Exchange> =
        serde_json::from_str(&read(path)?).map_err(|error| format!("{cluster}: no recorded answers: {error}"))?;
    let is_asked = |exchange: &Exchange| filter.is_none_or(|filter| exchange.chapter().contains(filter));
    Ok(recorded.into_iter().filter(is_asked).collect())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write_json(path: &Path, exchanges: &[Exchange]) -> Result<(), Box<dyn Error>> {
    let text = serde_json::to_string_pretty(exchanges)?;
    Ok(fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?)
}
