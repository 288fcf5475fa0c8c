//! `highwater-node`: one node of a cluster, by whichever rules, its door open or in the hands of a conductor.

use clap::Parser;
use highwater_conformance::lockstep::conducted;
use highwater_spec::rules::Rules;
use std::process::ExitCode;

/// Run one node by other rules than today's, or under a conductor.
///
/// With --conduct it lets nothing through its door by itself: it tells on standard output what waits, and hears on
/// standard input what may pass, one JSON value a line. It ends when its standard input does.
#[derive(Debug, Parser)]
#[command(name = "highwater-node", version)]
struct Args {
    /// A setting, by Kafka's name; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// How decisions are taken, as highwater-check names them
    #[arg(long, value_name = "RULES", default_value = "KAFKA")]
    rules: Rules,
    /// Obey a conductor, as the process of this number
    #[arg(long, value_name = "NUMBER")]
    conduct: Option<u8>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not like `node.id=1`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let Args { settings, rules, conduct } = Args::parse();
    match conducted::run(&settings, rules, conduct) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("highwater-node: {error}");
            ExitCode::FAILURE
        }
    }
}
