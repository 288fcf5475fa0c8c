//! `highwater-conform failures`.

use highwater_conformance::apache_kafka::{Places, Release};
use highwater_conformance::failures::{self, Program, binary};
use libtest_mimic::Arguments;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which cases.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the cases whose names contain this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Name the cases, and run none
    #[arg(long)]
    list: bool,
    /// How many cases run at a time [default: one for each processor]
    #[arg(long, value_name = "COUNT")]
    test_threads: Option<usize>,
    /// On nodes of Apache Kafka: the cases that its nodes can be brought into, one at a time if not said otherwise
    #[arg(long)]
    apache_kafka: bool,
}

/// Runs the cases on clusters of this machine, and reports each.
pub fn answer(args: Args, cache: Option<PathBuf>) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Args { filter, list, test_threads, apache_kafka } = args;
    // Four Javas are enough for a machine.
    let test_threads = test_threads.or(apache_kafka.then_some(1));
    let arguments = Arguments { filter, list, test_threads, ..Arguments::default() };
    let program = match apache_kafka {
        true => Program::ApacheKafka(Release::found(&Places::new(cache, None)?.cache)?),
        false => Program::Highwater(binary::named().map_or_else(binary::beside, Ok)?),
    };
    Ok(ExitCode::from(u8::from(failures::run(&arguments, program).has_failed())))
}
