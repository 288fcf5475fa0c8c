//! `highwater consume`: the records of a topic, printed.

use super::consume_group::{Assigns, InGroup, Reset};
use super::failure::Failure;
use super::format::Format;
use super::server::Server;
use clap::Args;
use highwater::client::{Client, ClientError, EARLIEST, ErrorCode, Fetched, LATEST, Partition};
use highwater::records::{self, RecordError, split};
use highwater_spec::values::Offset;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How long a fetch waits at the end of the log.
const WAIT: Duration = Duration::from_millis(500);
/// How long to wait before asking again who leads.
const BACKOFF: Duration = Duration::from_millis(100);
/// The most bytes that a batch may have once it is decompressed.
const BATCH_BYTES: usize = 512 * 1024 * 1024;

/// Print the records of a topic; of a part of it, as a member of a group, if one is named.
///
/// A member shares the topic's partitions with the other members of its group, goes on where the group has come to, and
/// commits how far it has come every five seconds and when it is stopped. What it reads, it says on standard error.
#[derive(Debug, Args)]
pub struct Consume {
    #[command(flatten)]
    server: Server,
    /// The topic.
    #[arg(long)]
    topic: String,
    /// The partition; without it, all.
    #[arg(long)]
    partition: Option<i32>,
    /// Where to begin: beginning, end, an offset, or @ and milliseconds since 1970.
    #[arg(long, default_value = "beginning")]
    from: Start,
    /// Stop after so many records.
    #[arg(long, value_name = "RECORDS")]
    count: Option<u64>,
    /// Stop at the end that the partitions have now, instead of waiting for more.
    #[arg(long, conflicts_with = "count")]
    until_end: bool,
    #[command(flatten)]
    group: GroupArgs,
    /// What to print for each record: %k key, %s value, %t topic, %p partition, %o offset, %T timestamp, %h headers.
    #[arg(long, default_value = "%s\\n")]
    format: Format,
}

/// How to be a member of a group.
#[derive(Debug, Args)]
struct GroupArgs {
    /// The group to be a member of. It decides what is read, and from where on: not with --partition, --from, --until-end.
    #[arg(long, value_name = "GROUP", conflicts_with_all = ["partition", "until_end", "from"])]
    group: Option<String>,
    /// How the group may share out partitions, the way that is liked best first, with commas between.
    #[arg(long, value_enum, value_delimiter = ',', requires = "group", default_values_t = [Assigns::Range])]
    assignor: Vec<Assigns>,
    /// The member's name across its lives: one that starts anew soon enough keeps its share.
    #[arg(long, value_name = "INSTANCE", requires = "group")]
    instance: Option<String>,
    /// Where to begin if the group has committed nothing, or what is there no more; none: fail.
    #[arg(long, value_enum, requires = "group", default_value_t = Reset::Earliest)]
    reset: Reset,
    /// Milliseconds of silence after which the group goes on without this member.
    #[arg(long, value_name = "MILLISECONDS", requires = "group", default_value_t = 45_000)]
    session_timeout: u32,
    /// Milliseconds that printing may take before this member leaves.
    #[arg(long, value_name = "MILLISECONDS", requires = "group", default_value_t = 300_000)]
    max_poll_interval: u32,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Beginning,
    End,
    At(Offset),
    Time(i64),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
        let parsed = match text {
            "beginning" => Some(Self::Beginning),
            "end" => Some(Self::End),
            _ => match text.strip_prefix('@') {
                Some(time) => number(time).map(Self::Time),
                None => number(text).map(|offset| Self::At(Offset(offset))),
            },
        };
        parsed.ok_or_else(|| "expected beginning, end, an offset from 0, or @ and milliseconds since 1970".to_owned())
    }
}

/// What is read, and how far.
struct Reading {
    client: Client,
    format: Format,
    /// The next offset of each partition (inclusive).
    next: BTreeMap<Partition, Offset>,
    /// Where each partition ends (exclusive), for who doesn't wait for more.
    ends: Option<BTreeMap<Partition, Offset>>,
    /// How many records may still be printed.
    left: u64,
    /// Until when partitions that cannot be read are asked for again.
    patience: Option<Instant>,
}

impl Consume {
    pub async fn run(self) -> Result<(), Failure> {
        let mut client = self.server.client();
        if let Some(group) = &self.group.group {
            client.topic(&self.topic).await?;
            let in_group = InGroup {
                server: self.server.clone(),
                group: group.clone(),
                topic: self.topic.clone(),
                assignors: self.group.assignor.clone(),
                instance: self.group.instance.clone(),
                reset: self.group.reset,
                session: Duration::from_millis(self.group.session_timeout.into()),
                poll: Duration::from_millis(self.group.max_poll_interval.into()),
                left: self.count.unwrap_or(u64::MAX),
                format: self.format,
            };
            return in_group.run().await;
        }
        let partitions = self.partitions(&mut client).await?;
        let mut next = BTreeMap::new();
        for partition in &partitions {
            next.insert(partition.clone(), start(&mut client, partition, self.from).await?);
        }
        let mut ends = BTreeMap::new();
        for partition in partitions.into_iter().filter(|_| self.until_end) {
            let end = client.offset_at(&partition, LATEST).await?.unwrap_or_default();
            ends.insert(partition, end);
        }
        let ends = self.until_end.then_some(ends);
        let left = self.count.unwrap_or(u64::MAX);
        Reading { client, format: self.format, next, ends, left, patience: None }.run().await
    }

    async fn partitions(&self, client: &mut Client) -> Result<Vec<Partition>, Failure> {
        let named = |index| Partition { topic: self.topic.clone(), index };
        let topic = client.topic(&self.topic).await?;
        let all = topic.partitions.iter().map(|partition| partition.partition_index);
        let indexes: Vec<_> = all.filter(|index| self.partition.is_none_or(|wanted| wanted == *index)).collect();
        match (indexes.as_slice(), self.partition) {
            ([], Some(partition)) => {
                let (topic, partitions) = (self.topic.clone(), topic.partitions.len());
                Err(ClientError::UnknownPartition { topic, partition, partitions }.into())
            }
            _ => Ok(indexes.into_iter().map(named).collect()),
        }
    }
}

async fn start(client: &mut Client, partition: &Partition, from: Start) -> Result<Offset, Failure> {
    let first = client.offset_at(partition, EARLIEST).await?.unwrap_or_default();
    let end = client.offset_at(partition, LATEST).await?.unwrap_or_default();
    match from {
        Start::Beginning => Ok(first),
        Start::End => Ok(end),
        Start::At(offset) if first <= offset && offset <= end => Ok(offset),
        Start::At(offset) => Err(out_of_range(partition, offset, first, end)),
        // Where no record is that young, the next ones will be.
        Start::Time(time) => Ok(client.offset_at(partition, time).await?.unwrap_or(end)),
    }
}

fn out_of_range(partition: &Partition, asked: Offset, first: Offset, end: Offset) -> Failure {
    let range = format!("its offsets begin at {first} and end before {end}");
    Failure::said(format!("{partition} has no offset {asked}: {range}; try --from beginning"))
}

impl Reading {
    async fn run(mut self) -> Result<(), Failure> {
        while self.left > 0 {
            if let Some(ends) = &self.ends {
                self.next.retain(|partition, next| ends.get(partition).is_some_and(|end| *next < *end));
            }
            if self.next.is_empty() {
                break;
            }
            self.round().await?;
        }
        Ok(())
    }

    /// Asks each leader once.
    async fn round(&mut self) -> Result<(), Failure> {
        let mut by_leader: BTreeMap<i32, BTreeMap<Partition, Offset>> = BTreeMap::new();
        let mut trouble = None;
        for (partition, next) in &self.next {
            match self.client.leader(partition).await {
                Ok((leader, _)) => {
                    by_leader.entry(leader).or_default().insert(partition.clone(), *next);
                }
                Err(error) => trouble = Some(error),
            }
        }
        let wait = WAIT / u32::try_from(by_leader.len().max(1)).unwrap_or(1);
        for (leader, from) in by_leader {
            match self.client.fetch(leader, &from, wait).await {
                Ok(answers) => trouble = self.take(answers).await?.or(trouble),
                Err(error) => trouble = Some(error),
            }
        }
        self.bear(trouble).await
    }

    /// Goes on in spite of what passes, for as long as patience lasts.
    async fn bear(&mut self, trouble: Option<ClientError>) -> Result<(), Failure> {
        let Some(error) = trouble else {
            self.patience = None;
            return Ok(());
        };
        let patience = self.client.patience().success;
        let until = *self.patience.get_or_insert_with(|| Instant::now() + patience);
        if !error.passes() || Instant::now() >= until {
            return Err(error.into());
        }
        self.client.forget_topics();
        tokio::time::sleep(BACKOFF).await;
        Ok(())
    }

    /// Prints what came. Gives a partition's error that may pass.
    async fn take(
        &mut self,
        answers: BTreeMap<Partition, Result<Fetched, ErrorCode>>,
    ) -> Result<Option<ClientError>, Failure> {
        let mut trouble = None;
        for (partition, answer) in answers {
            match answer {
                Ok(fetched) => self.print(&partition, fetched)?,
                Err(ErrorCode::OFFSET_OUT_OF_RANGE) => return Err(self.out_of_range(&partition).await?),
                Err(code) => trouble = Some(ClientError::refused(format!("partition {partition}"), code)),
            }
        }
        Ok(trouble)
    }

    /// The log's start has moved past what was to be read, or its end has gone back.
    async fn out_of_range(&mut self, partition: &Partition) -> Result<Failure, Failure> {
        let asked = self.next.get(partition).copied().unwrap_or_default();
        let first = self.client.offset_at(partition, EARLIEST).await?.unwrap_or_default();
        let end = self.client.offset_at(partition, LATEST).await?.unwrap_or_default();
        Ok(out_of_range(partition, asked, first, end))
    }

    fn print(&mut self, partition: &Partition, fetched: Fetched) -> Result<(), Failure> {
        let mut text = Vec::new();
        let outcome = self.decode(partition, fetched, &mut text);
        let mut out = io::stdout().lock();
        out.write_all(&text).and_then(|()| out.flush()).map_err(Failure::Output)?;
        outcome.map_err(|error| Failure::said(format!("{partition} holds what is no record: {error}")))
    }

    fn decode(&mut self, partition: &Partition, fetched: Fetched, text: &mut Vec<u8>) -> Result<(), RecordError> {
        let Some(next) = self.next.get_mut(partition) else { return Ok(()) };
        for batch in split(fetched.records) {
            let (header, batch) = match batch {
                // The answer's size cut it off: it comes with the next fetch.
                Err(RecordError::Incomplete { .. }) => return Ok(()),
                batch => batch?,
            };
            let records =
                if header.attributes.is_control() { None } else { Some(records::records(&batch, BATCH_BYTES)?) };
            for record in records.into_iter().flatten() {
                let record = record?;
                if record.offset >= *next && self.left > 0 {
                    self.format.write(partition, &record, text);
                    self.left -= 1;
                }
            }
            *next = (*next).max(header.base_offset.plus(header.offset_count()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts() {
        assert_eq!("beginning".parse(), Ok(Start::Beginning));
        assert_eq!("end".parse(), Ok(Start::End));
        assert_eq!("17".parse(), Ok(Start::At(Offset(17))));
        assert_eq!("@1700000000000".parse(), Ok(Start::Time(1_700_000_000_000)));
        for bad in ["", "-1", "@", "@-1", "latest", "1.5"] {
            assert!(bad.parse::<Start>().is_err(), "{bad}");
        }
    }
}
