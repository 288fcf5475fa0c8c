//! `highwater-conform librdkafka`.

use highwater_conformance::librdkafka::{self, list};
use libtest_mimic::Arguments;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

/// Which cluster, and which tests.
///
/// The tests are librdkafka's own, and take new topics to have four partitions: for a cluster of ours `highwater cluster
/// --set num.partitions=4 --set min.insync.replicas=1`. `conformance/librdkafka.txt` says which of them are left out, and why. Cargo fetches
/// them once; building them needs a C and a C++ compiler and make.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Brokers of the cluster
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_server: String,
    /// Only the tests whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also those that are left out
    #[arg(long)]
    all: bool,
    /// How many run at a time
    #[arg(long, value_name = "COUNT", default_value = "2")]
    test_threads: usize,
}

/// Runs the tests and reports each.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let tests = librdkafka::install()?;
    let table = tests.join("test.c");
    let source = fs::read_to_string(&table).map_err(|error| format!("cannot read {}: {error}", table.display()))?;
    let difference = list::difference(&list::committed(), &list::of_suite(&source));
    if !difference.is_empty() {
        return Err(format!("conformance/librdkafka.txt isn't of this suite: {}", difference.join("; ")).into());
    }
    let (filter, test_threads) = (args.filter, Some(args.test_threads));
    let arguments = Arguments { filter, test_threads, ..Arguments::default() };
    let conclusion = librdkafka::run(&arguments, &tests, &args.bootstrap_server, args.all);
    Ok(ExitCode::from(u8::from(conclusion.has_failed())))
}
