//! How much of a group stops: the table, or the book's results.

use super::args::StopsArgs;
use super::say;
use highwater_checker::group::{BEAT, SESSION};
use highwater_checker::stops::{self, PARTITIONS, SIZES, Stop};

/// The command whose output the book takes.
const COMMAND: &str = "cargo run --release -- stops --json";

/// Measures every protocol, change and size, and prints what it found.
pub fn stops(args: &StopsArgs) -> Result<bool, String> {
    let stops = stops::all(&SIZES, PARTITIONS)?;
    if args.json {
        let all = serde_json::json!({
            "command": COMMAND, "partitions": PARTITIONS, "beat": BEAT, "session": SESSION, "stops": stops,
        });
        say(&serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?);
    } else {
        say(&table(&stops));
    }
    Ok(true)
}

fn table(stops: &[Stop]) -> String {
    let mut lines = vec![format!(
        "{:<8} {:>7}  {:<12} {:>5} {:>8} {:>11} {:>10} {:>15} {:>11} {:>8}",
        "one",
        "members",
        "protocol",
        "steps",
        "stopped",
        "nobody",
        "partitions",
        "partition-steps",
        "generations",
        "requests"
    )];
    lines.extend(stops.iter().map(|stop| {
        format!(
            "{:<8} {:>7}  {:<12} {:>5} {:>8} {:>11} {:>10} {:>15} {:>11} {:>8}",
            stop.change,
            stop.members,
            stop.protocol,
            stop.steps,
            stop.members_stopped,
            stop.all_stopped_steps,
            stop.partitions_stopped,
            stop.partition_steps,
            stop.generations,
            stop.requests
        )
    }));
    lines.push(String::new());
    lines.extend([
        format!("{PARTITIONS} partitions; in a step a request and its answer arrive; a member beats every {BEAT} steps, and its session is {SESSION}"),
        "steps            until every partition has an owner and nothing is under way".to_owned(),
        "stopped          members that had something to read, are still there, and had nothing for a while".to_owned(),
        "nobody           steps in which no member had anything to read".to_owned(),
        "partitions       those that had no owner for a while".to_owned(),
        "partition-steps  partitions without an owner, summed over the steps".to_owned(),
        "requests         to the coordinator, but for questions for offsets and heartbeats that only say that a member is there".to_owned(),
    ]);
    lines.join("\n")
}
