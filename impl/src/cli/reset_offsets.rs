//! `highwater group reset-offsets`, as `kafka-consumer-groups --reset-offsets`: where a group goes on.
//!
//! Unlike Kafka's tool it makes no group unless it is told to: a name that is spelt wrong would be one.

use super::failure::Failure;
use super::group::{explained, in_use};
use super::output::complain;
use super::server::Server;
use super::table::Table;
use clap::{Args, ValueEnum};
use highwater::client::{Client, ClientError, EARLIEST, ErrorCode, LATEST, Partition};
use highwater_spec::values::Offset;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Where to go on: earliest, latest, or an offset; one that a partition doesn't reach is taken as the nearest end.
    #[arg(long, value_name = "earliest|latest|OFFSET", value_parser = place)]
    to: Place,
    /// Do it. Without this nothing is changed, and what would be is shown.
    #[arg(long)]
    execute: bool,
    /// Make the group if it does not exist.
    #[arg(long)]
    create: bool,
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

impl ResetOffsets {
    pub async fn run(self) -> Result<(), Failure> {
        let mut client = self.server.client();
        self.check_group(&mut client).await?;
        let mut offsets = BTreeMap::new();
        for index in self.indexes(&mut client).await? {
            let partition = Partition { topic: self.topic.clone(), index };
            let offset = self.offset(&mut client, &partition).await?;
            offsets.insert(partition, offset);
        }
        let before = client.committed_offsets(&self.group).await?;
        if self.execute
            && let Err(error) = client.commit_offsets(&self.group, &offsets).await
        {
            return Err(explained(&mut client, &self.group, error).await);
        }
        plan(&before, &offsets).print()?;
        if !self.execute {
            complain("nothing was changed: --execute does it");
        }
        Ok(())
    }

    /// Whether the group is there, or may be made, and has no members. The coordinator asks the same when offsets are
    /// committed; who only wants to see what would be done is to hear it as well.
    async fn check_group(&self, client: &mut Client) -> Result<(), Failure> {
        let group = &self.group;
        match client.describe_group(group).await {
            Ok(found) if !found.members.is_empty() => Err(in_use(group, &found)),
            Ok(_) => Ok(()),
            Err(ClientError::Refused { code: ErrorCode::GROUP_ID_NOT_FOUND, .. }) if self.create => Ok(()),
            Err(error @ ClientError::Refused { code: ErrorCode::GROUP_ID_NOT_FOUND, .. }) => {
                let missing = explained(client, group, error).await;
                Err(Failure::said(format!("{missing}, --create makes it")))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn indexes(&self, client: &mut Client) -> Result<BTreeSet<i32>, Failure> {
        let known = client.topic(&self.topic).await?.partitions;
        let known: BTreeSet<_> = known.iter().map(|partition| partition.partition_index).collect();
        if let Some(unknown) = self.partitions.iter().find(|index| !known.contains(index)) {
            let (topic, partitions) = (self.topic.clone(), known.len());
            return Err(ClientError::UnknownPartition { topic, partition: *unknown, partitions }.into());
        }
        Ok(if self.partitions.is_empty() { known } else { self.partitions.iter().copied().collect() })
    }

    /// The offset to go on from (inclusive). One that the partition doesn't reach is told of.
    async fn offset(&self, client: &mut Client, partition: &Partition) -> Result<Offset, Failure> {
        let asked = match self.to {
            Place::At(End::Earliest) => return Ok(client.offset_at(partition, EARLIEST).await?.unwrap_or_default()),
            Place::At(End::Latest) => return Ok(client.offset_at(partition, LATEST).await?.unwrap_or_default()),
            Place::Offset(offset) => Offset(offset),
        };
        let start = client.offset_at(partition, EARLIEST).await?.unwrap_or_default();
        let end = client.offset_at(partition, LATEST).await?.unwrap_or_default().max(start);
        let used = asked.clamp(start, end);
        if used != asked {
            complain(out_of_reach(partition, asked, used));
        }
        Ok(used)
    }
}

fn out_of_reach(partition: &Partition, asked: Offset, used: Offset) -> String {
    let (place, end) = if asked < used { ("before", "start") } else { ("beyond", "end") };
    format!("{partition}: offset {asked} lies {place} the log's {end}, {used}, which is taken in its place")
}

/// A row for each partition: where the group is, and where it is to go on.
fn plan(before: &BTreeMap<Partition, Offset>, offsets: &BTreeMap<Partition, Offset>) -> Table<4> {
    let mut table = Table::new(["TOPIC", "PARTITION", "COMMITTED", "NEW"]);
    for (partition, offset) in offsets {
        let committed = before.get(partition).map_or_else(|| "-".to_owned(), ToString::to_string);
        table.row([partition.topic.clone(), partition.index.to_string(), committed, offset.to_string()]);
    }
    table
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

    #[test]
    fn an_offset_that_a_partition_does_not_reach_is_told_with_what_is_taken() {
        let partition = Partition { topic: "t".to_owned(), index: 3 };
        let beyond = out_of_reach(&partition, Offset(9), Offset(2));
        assert_eq!(beyond, "t-3: offset 9 lies beyond the log's end, 2, which is taken in its place");
        let before = out_of_reach(&partition, Offset(1), Offset(2));
        assert_eq!(before, "t-3: offset 1 lies before the log's start, 2, which is taken in its place");
    }
}
