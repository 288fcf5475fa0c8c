//! The command line: what can be asked, and how the answer is told.

mod apache_kafka;
mod clients;
mod failures;
mod judge;
mod librdkafka;
mod lockstep;
mod matrix;
mod requests;
mod stops;
mod walks;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Asks a real cluster whether it does what Kafka's specification says.
#[derive(Debug, Parser)]
#[command(name = "highwater-conform", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Where fetched programs are kept [default: $XDG_CACHE_HOME/highwater, else ~/.cache/highwater]
    #[arg(long, global = true, value_name = "DIR", env = "HIGHWATER_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a cluster of Apache Kafka's own brokers on this machine, to compare with
    ApacheKafka(apache_kafka::Args),
    /// Let real clients, unmodified, use a cluster
    Clients(clients::Args),
    /// Kill, stop and cut off nodes of clusters on this machine, and see what is lost
    Failures(failures::Args),
    /// Say what is wrong with histories of clients
    Judge(judge::Args),
    /// Let librdkafka's own tests use a cluster
    Librdkafka(librdkafka::Args),
    /// Break the project on purpose, one thing at a time, and tell which method notices
    Matrix(matrix::Args),
    /// Let a cluster of ours do step by step what scenarios tell, and see whether it does
    Lockstep(lockstep::Args),
    /// Send a script of raw requests, sound and malformed, and tell every answer
    Requests(requests::RequestsArgs),
    /// Send the script to two clusters, and tell what they answer differently
    Compare(requests::CompareArgs),
    /// Measure how much of a group of real consumers stops when one comes or goes
    Stops(stops::Args),
    /// Replay walks that take every edge of small worlds, and tell what they cover
    Walks(walks::Args),
}

/// Does what was asked. Exit status: 0 if all is well, 1 if not, 2 if the question could not be put.
pub fn answer(cli: Cli) -> ExitCode {
    let answered = match cli.command {
        Command::ApacheKafka(args) => apache_kafka::answer(args, cli.cache_dir),
        Command::Clients(args) => clients::answer(args),
        Command::Failures(args) => failures::answer(args, cli.cache_dir),
        Command::Judge(args) => judge::answer(args),
        Command::Librdkafka(args) => librdkafka::answer(args),
        Command::Matrix(args) => matrix::answer(args),
        Command::Lockstep(args) => lockstep::answer(args),
        Command::Requests(args) => requests::requests(args),
        Command::Compare(args) => requests::compared(args),
        Command::Stops(args) => stops::answer(args),
        Command::Walks(args) => walks::answer(args),
    };
    answered.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

/// Why a filter that leaves nothing is refused: asking nothing would look as if all were well.
fn unmatched(what: &str, filter: &str) -> String {
    format!("no {what} has {filter:?} in its name; --list names them all")
}
