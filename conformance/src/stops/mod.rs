//! How much of a real group stops when one member comes or goes, by real clients and by the clock.
//!
//! Groups of librdkafka's consumers share out a topic. One more member comes, and leaves again; then one is killed.
//! What each was given and gave up, and when, is recorded as in any [history](crate::histories), and counted: which
//! partitions had no owner meanwhile, and for how long.
//!
//! Not here: what stops in the model, where no clock and no machine is involved (`highwater-check stops`). Nothing here
//! says how long anything may take.

mod cost;
mod crowd;

use crate::programs::{Language, Recorder};
use cost::Cost;
use crowd::Crowd;
use highwater::client::{Client, NewTopic, Patience};
use highwater::config::Endpoint;
use serde::Serialize;
use std::time::Duration;

/// How a group rebalances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Everyone gives up everything first: the classic protocol with the range assignor.
    Eager,
    /// Only what moves is given up: the classic protocol with the cooperative sticky assignor.
    Cooperative,
    /// The coordinator says who reads what: KIP-848's protocol with the uniform assignor.
    Consumer,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Eager, Self::Cooperative, Self::Consumer];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Cooperative => "cooperative",
            Self::Consumer => "consumer",
        }
    }
}

/// What happens to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// One more member comes.
    Joins,
    /// It is closed, and says so.
    Leaves,
    /// Another one is killed, and is missed when its session ends.
    Crashes,
}

impl Change {
    /// All of them, in the order in which they happen.
    pub const ALL: [Self; 3] = [Self::Joins, Self::Leaves, Self::Crashes];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Joins => "joins",
            Self::Leaves => "leaves",
            Self::Crashes => "crashes",
        }
    }
}

/// Where groups are measured, and how their members are set.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The cluster's addresses.
    pub bootstrap: String,
    /// How many partitions a group shares out.
    pub partitions: i32,
    /// How often a classic member beats, in milliseconds. Members of the consumer protocol are told how often by their
    /// coordinator, which is taken to say the same.
    pub heartbeat_ms: u32,
    /// For how long a classic member may be silent, in milliseconds; for others see above.
    pub session_ms: u32,
}

/// What a change has cost a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stop {
    /// Protocol, change and members in one word.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The members of the group at rest.
    pub members: usize,
    /// The change.
    pub change: Change,
    /// What it has cost.
    #[serde(flatten)]
    pub cost: Cost,
}

/// Why groups can't be measured, if their clients aren't here, and the command that installs what is missing.
#[must_use]
pub fn missing() -> Option<String> {
    Language::Confluent.missing()
}

/// The cost of each of `changes` for a group of `members`, in the order of [`Change::ALL`]; a topic of the name `topic` is
/// made for it.
///
/// # Errors
/// When clients can't be had, or the group does not come to rest.
pub fn measured(
    ground: &Ground,
    topic: &str,
    protocol: Protocol,
    members: usize,
    changes: &[Change],
) -> Result<Vec<Stop>, String> {
    create(ground, topic)?;
    let mut crowd = Crowd::start(ground, topic, protocol, members)?;
    let mut stops = Vec::new();
    for change in Change::ALL.into_iter().filter(|change| changes.contains(change)) {
        let cost = crowd.changed(change)?;
        let name = format!("{}-{}-{members}", protocol.name(), change.name());
        stops.push(Stop { name, protocol, members, change, cost });
    }
    crowd.finish()?;
    Ok(stops)
}

/// One copy of each partition is enough: nothing is written.
fn create(ground: &Ground, topic: &str) -> Result<(), String> {
    let addresses = ground.bootstrap.split(',').map(Endpoint::parse).collect::<Option<_>>();
    let addresses = addresses.ok_or_else(|| format!("{}: no addresses", ground.bootstrap))?;
    let new = NewTopic {
        name: topic.to_owned(),
        partitions: Some(ground.partitions),
        replication_factor: Some(1),
        configs: Vec::new(),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let created = runtime.block_on(async { Client::new(addresses, Patience::default()).create_topic(new).await });
    created.map_err(|error| format!("topic {topic}: {error}"))
}

/// Nobody who is to hear of a change has not heard of it after two beats. Members of a classic group beat in step, and the
/// next change comes half-way between two beats, as it would on average.
fn quiet(ground: &Ground) -> Duration {
    Duration::from_millis(u64::from(ground.heartbeat_ms)) * 5 / 2
}
