//! `highwater-conform apache-kafka`.

use clap::Subcommand;
use highwater_conformance::apache_kafka::{self, Places, State, Up};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with the cluster of Apache Kafka's own brokers.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// The cluster's directory [default: in the cache directory]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the cluster, and wait until clients can produce; prints `ready bootstrap=…`
    Up {
        /// The first of six ports in a row, of a new cluster [default: six that are free]
        #[arg(long, value_name = "PORT")]
        base_port: Option<u16>,
    },
    /// Stop the cluster
    Down {
        /// … and delete its data
        #[arg(long)]
        delete: bool,
    },
    /// Tell whether it runs: exit status 0 if all nodes do, 1 if not
    Status,
    /// Print the lines of apache-kafka.sha256 for the jars that Maven resolves today
    #[command(hide = true)]
    Pins,
}

/// Does what was asked.
pub fn answer(args: Args, cache: Option<PathBuf>) -> Result<ExitCode, Box<dyn Error>> {
    let places = Places::new(cache, args.dir)?;
    match args.action {
        Action::Up { base_port } => match apache_kafka::up(&places, base_port)? {
            Up::Started(state) => println!("ready bootstrap={}", state.bootstrap()),
            Up::Already(state) => println!("already up\nready bootstrap={}", state.bootstrap()),
        },
        Action::Down { delete } => match apache_kafka::down(&places, delete)? {
            Some(_) => println!("down"),
            None => println!("no cluster in {}", places.dir.display()),
        },
        Action::Status => return Ok(status(&places, apache_kafka::status(&places)?)),
        Action::Pins => print!("{}", apache_kafka::pins(&places.cache)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn status(places: &Places, found: Option<(State, Vec<bool>)>) -> ExitCode {
    let Some((state, running)) = found else {
        println!("no cluster in {}", places.dir.display());
        return ExitCode::from(1);
    };
    println!("Apache Kafka {} in {}", state.version, places.dir.display());
    for (node, running) in state.nodes.iter().zip(&running) {
        let pid = node.pid.filter(|_| *running).map_or("down".to_owned(), |pid| format!("pid={pid}"));
        println!("node {} {pid} listener=127.0.0.1:{}", node.id, node.port);
    }
    ExitCode::from(u8::from(!running.iter().all(|running| *running)))
}
