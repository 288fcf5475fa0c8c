//! `highwater-conform stops`.

use highwater_conformance::failures::binary;
use highwater_conformance::stops::{self, Change, Ground, Protocol, Stop};
use highwater_conformance::target::{OwnCluster, Target};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// The command whose results the book takes.
const COMMAND: &str = "highwater-conform stops --json FILE";

/// Which groups, and where.
///
/// A group of each size and protocol shares out a topic. One more member comes, and leaves again; then one is killed. It
/// is told which partitions had no owner meanwhile, and for how long. Only the shape of the numbers is Kafka's: the times
/// are of this machine, which runs brokers and members.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sizes of the groups
    #[arg(long, value_name = "COUNT,…", value_delimiter = ',', default_value = "3,10,50,200",
          value_parser = clap::value_parser!(u16).range(2..=1000))]
    members: Vec<u16>,
    /// How groups rebalance [default: in all ways]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    protocols: Vec<Protocol>,
    /// How many partitions a group shares out
    #[arg(long, value_name = "COUNT", default_value_t = 240, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: i32,
    /// How often members beat, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..))]
    heartbeat_ms: u32,
    /// For how long members may be silent, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    session_ms: u32,
    /// Brokers of a cluster that runs, for whose members of the consumer protocol its own settings hold [default: one of
    /// ours is started]
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_server: Option<String>,
    /// Write the results as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures group by group, and tells each as it goes.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    if let Some(missing) = stops::missing() {
        return Err(missing.into());
    }
    let target = target(&args)?;
    let ground = Ground {
        bootstrap: target.bootstrap().to_owned(),
        partitions: args.partitions,
        heartbeat_ms: args.heartbeat_ms,
        session_ms: args.session_ms,
    };
    let protocols = if args.protocols.is_empty() { Protocol::ALL.to_vec() } else { args.protocols };
    println!("{HEAD}");
    let (mut all, run) = (Vec::new(), SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis());
    for members in args.members.iter().map(|members| usize::from(*members)) {
        for protocol in &protocols {
            let topic = format!("stops-{}-{members}-{run:x}", protocol.name());
            let stops = stops::measured(&ground, &topic, *protocol, members, &Change::ALL)
                .map_err(|error| format!("{}, {members} members: {error}", protocol.name()))?;
            stops.iter().for_each(|stop| println!("{}", row(stop)));
            all.extend(stops);
        }
    }
    println!("{}", legend(&ground));
    // As the model tells it: what happens to groups of one size by each protocol stands together.
    all.sort_by_key(|stop| (stop.change, stop.members));
    args.json.map_or(Ok(()), |file| write(&file, &ground, &all))?;
    Ok(ExitCode::SUCCESS)
}

/// The cluster that was named, or one of ours, whose members of the consumer protocol are told the same times.
fn target(args: &Args) -> Result<Target, Box<dyn Error>> {
    if let Some(bootstrap) = &args.bootstrap_server {
        return Ok(Target::Given { bootstrap: bootstrap.clone() });
    }
    let binary = binary::named().map_or_else(binary::beside, Ok)?;
    let settings = [
        format!("group.consumer.heartbeat.interval.ms={}", args.heartbeat_ms),
        format!("group.consumer.session.timeout.ms={}", args.session_ms),
    ];
    let more: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
    Ok(Target::Own(OwnCluster::start(&binary, &more)?))
}

const HEAD: &str =
    "one      members  protocol          ms  stopped  nobody ms  partitions  partition-seconds  revocations";

fn row(stop: &Stop) -> String {
    let (change, protocol, cost) = (stop.change.name(), stop.protocol.name(), &stop.cost);
    format!(
        "{change:<8} {:>7}  {protocol:<12} {:>7}  {:>7}  {:>9}  {:>10}  {:>17.1}  {:>11}",
        stop.members,
        cost.ms,
        cost.members_stopped,
        cost.all_stopped_ms,
        cost.partitions_stopped,
        cost.partition_seconds,
        cost.revocations
    )
}

fn legend(ground: &Ground) -> String {
    let Ground { partitions, heartbeat_ms, session_ms, .. } = ground;
    format!(
        "
{partitions} partitions; a member beats every {heartbeat_ms} ms, and its session is {session_ms} ms
one                who joins leaves again, and then another one crashes
ms                 until everyone had what it was to have; after a crash that begins with waiting for the session's end
stopped            members that had something to read, are still there, and had nothing for a while
nobody ms          for how long no member had anything to read
partitions         those that had no owner for a while
partition-seconds  partitions without an owner, summed over time
revocations        how often a member that is still there had to give something up"
    )
}

fn write(file: &Path, ground: &Ground, stops: &[Stop]) -> Result<(), Box<dyn Error>> {
    let all = serde_json::json!({
        "command": COMMAND, "partitions": ground.partitions, "heartbeat_ms": ground.heartbeat_ms,
        "session_ms": ground.session_ms, "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "stops": stops,
    });
    let text = serde_json::to_string_pretty(&all)? + "\n";
    Ok(fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?)
}
