//! `highwater produce`: each line of standard input becomes a record.

use super::failure::Failure;
use super::output::say;
use super::server::Server;
use clap::{Args, ValueEnum};
use highwater::client::{self, Client, ClientError, Partition};
use highwater::records::{self, BatchBuilder, RecordError};
use highwater_spec::client::partitioner::partition_for_key;
use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Lines of one batch, at most.
const BATCH_LINES: usize = 1000;
/// Bytes of one batch's lines, at most, but for a single line that is longer.
const BATCH_BYTES: usize = 512 * 1024;
/// How long followers may take to have a batch.
const WITHIN: Duration = Duration::from_secs(10);

/// Append the lines of standard input to a topic, one record each.
///
/// Lines that are there together go into one batch. At the first batch that isn't acknowledged it stops, and says which
/// lines that were and whether they may have been appended all the same.
#[derive(Debug, Args)]
pub struct Produce {
    #[command(flatten)]
    server: Server,
    /// The topic. It must exist.
    #[arg(long)]
    topic: String,
    /// The partition; without it, chosen by key, as Kafka's producers do, or else by turns.
    #[arg(long)]
    partition: Option<i32>,
    /// What separates the key from the value in each line; without it, records have no key.
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// Who must have a batch before it counts: nobody (0), the leader (1), all replicas in sync (all).
    #[arg(long, value_enum, default_value_t = Acks::All)]
    acks: Acks,
    /// How to compress batches.
    #[arg(long, value_enum, default_value_t = Compression::None)]
    compression: Compression,
    /// Print where each record went, as topic, partition and offset.
    #[arg(long)]
    offsets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Acks {
    #[value(name = "0")]
    None,
    #[value(name = "1")]
    Leader,
    #[value(name = "all", alias = "-1")]
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// A line and its number, from 1.
type Line = (usize, Vec<u8>);

impl Produce {
    pub async fn run(self) -> Result<(), Failure> {
        let mut client = self.server.client();
        // Before anyone types: a topic that doesn't exist is said at once.
        let topic = client.topic(&self.topic).await?;
        let partitions = topic.partitions.len();
        if let Some(partition) = self.partition
            && topic.partitions.iter().all(|known| known.partition_index != partition)
        {
            return Err(ClientError::UnknownPartition { topic: self.topic, partition, partitions }.into());
        }
        let mut lines = read_lines();
        let mut turn = 0;
        while let Some(first) = lines.recv().await {
            let batch = gather(first?, &mut lines)?;
            for (index, lines) in self.by_partition(batch, partitions, &mut turn)? {
                self.append(&mut client, self.named(index), &lines).await?;
            }
        }
        Ok(())
    }

    fn named(&self, index: i32) -> Partition {
        Partition { topic: self.topic.clone(), index }
    }

    fn by_partition(
        &self,
        lines: Vec<Line>,
        partitions: usize,
        turn: &mut usize,
    ) -> Result<BTreeMap<i32, Vec<Line>>, Failure> {
        let mut chosen: BTreeMap<i32, Vec<Line>> = BTreeMap::new();
        *turn = (*turn + 1) % partitions.max(1);
        for (number, line) in lines {
            let (key, _) = self.split(number, &line)?;
            let index = match (self.partition, key) {
                (Some(index), _) => index,
                (None, Some(key)) => partition_for_key(key, u32::try_from(partitions).unwrap_or(u32::MAX)),
                (None, None) => i32::try_from(*turn).unwrap_or(0),
            };
            chosen.entry(index).or_default().push((number, line));
        }
        Ok(chosen)
    }

    fn split<'a>(&self, number: usize, line: &'a [u8]) -> Result<(Option<&'a [u8]>, &'a [u8]), Failure> {
        let Some(separator) = self.key_separator.as_deref().filter(|separator| !separator.is_empty()) else {
            return Ok((None, line));
        };
        let at = line.windows(separator.len()).position(|window| window == separator.as_bytes());
        let at =
            at.ok_or_else(|| Failure::said(format!("line {number} has no key: there is no {separator:?} in it")))?;
        Ok((Some(&line[..at]), &line[at + separator.len()..]))
    }

    async fn append(&self, client: &mut Client, partition: Partition, lines: &[Line]) -> Result<(), Failure> {
        let unbuildable = |error: RecordError| not_appended(lines, &partition, &error.to_string());
        let mut batch = BatchBuilder::new().compression(self.compression.into());
        let now = milliseconds_since_1970();
        for (number, line) in lines {
            let (key, value) = self.split(*number, line)?;
            batch.push(now, key, Some(value), &[]).map_err(unbuildable)?;
        }
        let batch = batch.build().map_err(unbuildable)?;
        let appended = client.produce(&partition, self.acks.into(), WITHIN, batch).await;
        let base = appended.map_err(|error| not_acknowledged(lines, &partition, &error))?;
        if let (true, Some(base)) = (self.offsets, base) {
            for count in 0..lines.len() as i64 {
                say(format_args!("{} {} {}", partition.topic, partition.index, base.0 + count))?;
            }
        }
        Ok(())
    }
}

fn not_acknowledged(lines: &[Line], partition: &Partition, error: &ClientError) -> Failure {
    if error.had_no_effect() {
        return not_appended(lines, partition, &error.to_string());
    }
    let lines = numbers(lines);
    Failure::said(format!("{lines} may have been appended to {partition}, or not: {error}"))
}

fn not_appended(lines: &[Line], partition: &Partition, reason: &str) -> Failure {
    Failure::said(format!("{} not appended to {partition}: {reason}", numbers(lines)))
}

fn numbers(lines: &[Line]) -> String {
    match lines {
        [(only, _)] => format!("line {only}"),
        [(first, _), .., (last, _)] => format!("{} lines between {first} and {last}", lines.len()),
        [] => "no line".to_owned(),
    }
}

/// Reads in a thread of its own: standard input may keep silent while answers come.
fn read_lines() -> mpsc::Receiver<Result<Line, Failure>> {
    let (sender, receiver) = mpsc::channel(BATCH_LINES);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        for number in 1.. {
            let mut line = Vec::new();
            let read = input.read_until(b'\n', &mut line);
            let read = read.map_err(|error| Failure::said(format!("cannot read standard input: {error}")));
            if matches!(read, Ok(0)) {
                return;
            }
            line.pop_if(|last| *last == b'\n');
            if sender.blocking_send(read.map(|_| (number, line))).is_err() {
                return;
            }
        }
    });
    receiver
}

/// This line and those that are there already.
fn gather(first: Line, lines: &mut mpsc::Receiver<Result<Line, Failure>>) -> Result<Vec<Line>, Failure> {
    let mut bytes = first.1.len();
    let mut batch = vec![first];
    while batch.len() < BATCH_LINES && bytes < BATCH_BYTES {
        let Ok(next) = lines.try_recv() else { break };
        let next = next?;
        bytes += next.1.len();
        batch.push(next);
    }
    Ok(batch)
}

fn milliseconds_since_1970() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

impl From<Acks> for client::Acks {
    fn from(acks: Acks) -> Self {
        match acks {
            Acks::None => Self::None,
            Acks::Leader => Self::Leader,
            Acks::All => Self::All,
        }
    }
}

impl From<Compression> for records::Compression {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::Gzip,
            Compression::Snappy => Self::Snappy,
            Compression::Lz4 => Self::Lz4,
            Compression::Zstd => Self::Zstd,
        }
    }
}
