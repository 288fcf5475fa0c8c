//! The commands: a node, a cluster for trying things, and a client's everyday questions.
//!
//! Results go to standard output, everything else to standard error. The exit status is 0 if all was done, 1 if not, and
//! 2 if the command line makes no sense.

mod cluster;
mod consume;
mod consume_group;
mod elect_leaders;
mod failure;
mod format;
mod group;
mod lines;
mod output;
mod produce;
mod reset_offsets;
mod route;
mod serve;
mod server;
mod signals;
mod status;
mod table;
mod topic;

use clap::{Parser, Subcommand};
use failure::Failure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

/// A broker cluster that runs Highwater's state machines, for unmodified Kafka clients.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Cluster(cluster::Cluster),
    #[command(subcommand)]
    Topic(topic::Topic),
    #[command(subcommand)]
    Group(group::Group),
    Produce(produce::Produce),
    Consume(consume::Consume),
    Status(status::Status),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    log(if matches!(command, Command::Serve(_)) { "info" } else { "warn" });
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough, as `head` has.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(format_args!("highwater: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// Each log takes three files: as many as the system allows, as the JVM does for Kafka.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays at {:?}", limit.current);
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => {
            raise_open_files();
            threads()?.block_on(serve.run())
        }
        // One thread: children die with the thread that started them.
        Command::Cluster(cluster) => one_thread()?.block_on(cluster.run()),
        Command::Topic(topic) => one_thread()?.block_on(topic.run()),
        Command::Group(group) => one_thread()?.block_on(group.run()),
        Command::Produce(produce) => one_thread()?.block_on(produce.run()),
        Command::Consume(consume) => one_thread()?.block_on(consume.run()),
        Command::Status(status) => one_thread()?.block_on(status.run()),
    }
}

fn threads() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(Failure::runtime)
}

fn one_thread() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)
}

/// Logs to standard error, as much as `RUST_LOG` says, or else `level`.
fn log(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

/// Reads `key=value`.
fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn settings_are_keys_and_values() {
        assert_eq!(key_value("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(key_value("a="), Ok(("a".into(), String::new())));
        for bad in ["a", "=b", ""] {
            assert!(key_value(bad).is_err(), "{bad}");
        }
    }
}
