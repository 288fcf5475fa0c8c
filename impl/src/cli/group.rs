//! `highwater group`: list, describe, set offsets, delete.

use super::failure::Failure;
use super::output::{complain, say};
use super::reset_offsets::ResetOffsets;
use super::server::Server;
use super::table::Table;
use clap::Subcommand;
use highwater::client::{Client, ClientError, ErrorCode, GroupDescription, LATEST, Partition};
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
    /// Show how far groups have come in each partition, and who reads it.
    Describe {
        #[command(flatten)]
        server: Server,
        /// The group; without it, all. May be repeated.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Show what it would be to set how far a group has come; with --execute, do it. The group must have no members.
    ResetOffsets(ResetOffsets),
    /// Delete groups and their offsets. They must have no members.
    Delete {
        #[command(flatten)]
        server: Server,
        /// The group. May be repeated.
        #[arg(long = "group", value_name = "GROUP", required = true)]
        groups: Vec<String>,
    },
}

impl Group {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List { server } => list(&server).await,
            Self::Describe { server, groups } => describe(&server, groups).await,
            Self::ResetOffsets(reset) => reset.run().await,
            Self::Delete { server, groups } => delete(&server, &groups).await,
        }
    }
}

async fn list(server: &Server) -> Result<(), Failure> {
    let mut table = Table::new(["GROUP", "TYPE", "PROTOCOL", "STATE", "COORDINATOR"]);
    for listed in server.client().list_groups().await? {
        let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        let kind = or_dash(capitalized(&listed.group_type));
        let coordinator = listed.coordinator.to_string();
        table.row([listed.group, kind, or_dash(listed.protocol_type), listed.state, coordinator]);
    }
    table.print()
}

/// Kafka's tools write a group's type with a capital letter, its brokers without.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Deletes each that can be deleted, whatever becomes of the others.
async fn delete(server: &Server, groups: &[String]) -> Result<(), Failure> {
    let mut client = server.client();
    let mut failures = Vec::new();
    for group in groups {
        if let Err(error) = client.delete_group(group).await {
            failures.push(explained(&mut client, group, error).await);
        }
    }
    all_or(groups.len(), failures, "deleted")
}

/// Describes each that can be described, whatever becomes of the others; none named: all that there are.
async fn describe(server: &Server, groups: Vec<String>) -> Result<(), Failure> {
    let mut client = server.client();
    let groups = if groups.is_empty() {
        client.list_groups().await?.into_iter().map(|listed| listed.group).collect()
    } else {
        groups
    };
    let mut failures = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        match client.describe_group(group).await {
            Ok(found) => {
                if index > 0 {
                    say("")?;
                }
                tell(&mut client, group, &found).await?;
            }
            Err(error) => failures.push(explained(&mut client, group, error).await),
        }
    }
    all_or(groups.len(), failures, "described")
}

/// Of several things that were asked for, each failure is told; a single one is the command's own.
fn all_or(asked: usize, mut failures: Vec<Failure>, done: &str) -> Result<(), Failure> {
    match (asked, failures.pop()) {
        (_, None) => Ok(()),
        (1, Some(only)) => Err(only),
        (_, Some(last)) => {
            failures.push(last);
            failures.iter().for_each(complain);
            Err(Failure::said(format!("{} of {asked} groups could not be {done}", failures.len())))
        }
    }
}

/// How far a group has come, and who reads what.
async fn tell(client: &mut Client, group: &str, found: &GroupDescription) -> Result<(), Failure> {
    let committed = client.committed_offsets(group).await?;
    let protocol = match (found.protocol.as_str(), found.is_consumer) {
        ("", _) => "-".to_owned(),
        (classic, false) => classic.to_owned(),
        (assignor, true) => format!("consumer ({assignor})"),
    };
    let (state, members, coordinator) = (&found.state, members(found), found.coordinator);
    say(format_args!("group {group}: {state}, protocol {protocol}, {members}, coordinator {coordinator}"))?;
    rows(found, &committed, &ends(client, found, &committed).await?).print()
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

/// Why a group was refused, in words that say what to do: `error` is a code, and who knows only that has to look it up.
pub async fn explained(client: &mut Client, group: &str, error: ClientError) -> Failure {
    match error {
        ClientError::Refused { code: ErrorCode::GROUP_ID_NOT_FOUND, .. } => {
            Failure::said(format!("group {group} does not exist; `highwater group list` shows those that do"))
        }
        ClientError::Refused { code: ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::NON_EMPTY_GROUP, .. } => {
            match client.describe_group(group).await {
                Ok(found) if !found.members.is_empty() => in_use(group, &found),
                // Whoever was in it has just left.
                _ => error.into(),
            }
        }
        error => error.into(),
    }
}

/// A group that has members can't be done to what was asked.
pub fn in_use(group: &str, found: &GroupDescription) -> Failure {
    Failure::said(format!(
        "group {group} is {} with {}: stop its members first; one that was killed counts until its session ends",
        found.state,
        members(found)
    ))
}

fn members(found: &GroupDescription) -> String {
    match found.members.len() {
        1 => "1 member".to_owned(),
        several => format!("{several} members"),
    }
}
