//! `highwater group`: list, describe, set offsets, delete.

use super::failure::Failure;
use super::output::{complain, say};
use super::server::Server;
use super::table::Table;
use clap::{Args, Subcommand, ValueEnum};
use highwater::client::{Client, EARLIEST, GroupDescription, LATEST, Partition};
use highwater_spec::values::Offset;
use std::collections::{BTreeMap, BTreeSet};

/// List or describe groups of consumers, set how far they have come, or delete them.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// List the groups by name.
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show how far a group has come in each partition, and who reads it.
    Describe {
        #[command(flatten)]
        server: Server,
        /// The group.
        #[arg(long)]
        group: String,
    },
    /// Set how far a group has come. It must have no members.
    ResetOffsets(ResetOffsets),
    /// Delete a group and its offsets. It must have no members.
    Delete {
        #[command(flatten)]
        server: Server,
        /// The group.
        #[arg(long)]
        group: String,
    },
}

#[derive(Debug, Args)]
pub struct ResetOffsets {
    #[command(flatten)]
    server: Server,
    /// The group.
    #[arg(long)]
    group: String,
    /// The topic.
    #[arg(long)]
    topic: String,
    /// A partition of it; without any, all. May be repeated.
    #[arg(long = "partition")]
    partitions: Vec<i32>,
    /// Where to go on: earliest, latest, or an offset.
    #[arg(long, value_name = "earliest|latest|OFFSET", value_parser = place)]
    to: Place,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    At(End),
    Offset(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum End {
    Earliest,
    Latest,
}

fn place(text: &str) -> Result<Place, String> {
    if let Ok(end) = End::from_str(text, true) {
        return Ok(Place::At(end));
    }
    let offset = text.parse().ok().filter(|offset| *offset >= 0);
    offset.map(Place::Offset).ok_or_else(|| "expected earliest, latest or an offset from 0".to_owned())
}

impl Group {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List { server } => list(&server).await,
            Self::Describe { server, group } => describe(&server, &group).await,
            Self::ResetOffsets(reset) => reset.run().await,
            Self::Delete { server, group } => Ok(server.client().delete_group(&group).await?),
        }
    }
}

async fn list(server: &Server) -> Result<(), Failure> {
    let mut table = Table::new(["GROUP", "TYPE", "STATE", "COORDINATOR"]);
    for group in server.client().list_groups().await? {
        let kind = if group.protocol_type.is_empty() { "-".to_owned() } else { group.protocol_type };
        table.row([group.group, kind, group.state, group.coordinator.to_string()]);
    }
    table.print()
}

async fn describe(server: &Server, group: &str) -> Result<(), Failure> {
    let mut client = server.client();
    let found = client.describe_group(group).await?;
    let committed = client.committed_offsets(group).await?;
    let protocol = match (found.protocol.as_str(), found.is_consumer) {
        ("", _) => "-".to_owned(),
        (classic, false) => classic.to_owned(),
        (assignor, true) => format!("consumer ({assignor})"),
    };
    let members = found.members.len();
    say(format_args!(
        "group {group}: {}, protocol {protocol}, {members} members, coordinator {}",
        found.state, found.coordinator
    ))?;
    rows(&found, &committed, &ends(&mut client, &found, &committed).await?).print()
}

/// A row for each partition that someone reads, or has read.
fn rows(
    found: &GroupDescription,
    committed: &BTreeMap<Partition, Offset>,
    ends: &BTreeMap<Partition, Offset>,
) -> Table<7> {
    let mut table = Table::new(["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER", "CLIENT"]);
    let text = |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
    for partition in partitions(found, committed) {
        let reader = found.members.iter().find(|member| member.partitions.contains(&partition));
        let (at, end) = (committed.get(&partition).map(|at| at.0), ends.get(&partition).map(|end| end.0));
        let lag = at.zip(end).map(|(at, end)| (end - at).max(0));
        let (member, client) = match reader {
            Some(member) => (member.id.clone(), format!("{}{}", member.client, member.host)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        table.row([partition.topic, partition.index.to_string(), text(at), text(end), text(lag), member, client]);
    }
    // A member that reads nothing is worth knowing of.
    for idle in found.members.iter().filter(|member| member.partitions.is_empty()) {
        let [topic, partition, at, end, lag] = std::array::from_fn(|_| "-".to_owned());
        table.row([topic, partition, at, end, lag, idle.id.clone(), format!("{}{}", idle.client, idle.host)]);
    }
    table
}

fn partitions(found: &GroupDescription, committed: &BTreeMap<Partition, Offset>) -> BTreeSet<Partition> {
    let read = found.members.iter().flat_map(|member| member.partitions.iter().cloned());
    committed.keys().cloned().chain(read).collect()
}

/// Where each partition ends, as far as its leader tells.
async fn ends(
    client: &mut Client,
    found: &GroupDescription,
    committed: &BTreeMap<Partition, Offset>,
) -> Result<BTreeMap<Partition, Offset>, Failure> {
    let mut ends = BTreeMap::new();
    for partition in partitions(found, committed) {
        match client.offset_at(&partition, LATEST).await {
            Ok(end) => ends.extend(end.map(|end| (partition, end))),
            Err(error) => complain(format_args!("partition {partition}: {error}")),
        }
    }
    Ok(ends)
}

impl ResetOffsets {
    async fn run(self) -> Result<(), Failure> {
        let mut client = self.server.client();
        let known = client.topic(&self.topic).await?.partitions;
        let known: BTreeSet<_> = known.iter().map(|partition| partition.partition_index).collect();
        if let Some(unknown) = self.partitions.iter().find(|index| !known.contains(index)) {
            return Err(Failure::said(format!("topic {} has no partition {unknown}", self.topic)));
        }
        let indexes = if self.partitions.is_empty() { known } else { self.partitions.iter().copied().collect() };
        let mut offsets = BTreeMap::new();
        for index in indexes {
            let partition = Partition { topic: self.topic.clone(), index };
            let offset = match self.to {
                Place::At(End::Earliest) => client.offset_at(&partition, EARLIEST).await?,
                Place::At(End::Latest) => client.offset_at(&partition, LATEST).await?,
                Place::Offset(offset) => Some(Offset(offset)),
            };
            offsets.extend(offset.map(|offset| (partition, offset)));
        }
        client.commit_offsets(&self.group, &offsets).await?;
        offsets.iter().try_for_each(|(Partition { topic, index }, offset)| say(format!("{topic} {index} {offset}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_end_or_an_offset() {
        assert_eq!(place("earliest"), Ok(Place::At(End::Earliest)));
        assert_eq!(place("LATEST"), Ok(Place::At(End::Latest)));
        assert_eq!(place("7"), Ok(Place::Offset(7)));
        assert!(place("-1").is_err() && place("soon").is_err());
    }
}
