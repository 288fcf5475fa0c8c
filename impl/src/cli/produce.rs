//! `highwater produce`: each line of standard input becomes a record.

use super::failure::Failure;
use super::lines::{Line, read_lines};
use super::output::say;
use super::route::{PartitionerName, Route};
use super::server::Server;
use clap::{Args, ValueEnum};
use highwater::client::producer::{Delivery, NewRecord, Producer, Settings};
use highwater::client::{Client, ClientError, Partition};
use highwater::records;
use highwater_spec::client::producer::Config;
use highwater_spec::replica;
use highwater_spec::values::Ticket;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a broker may take for one request.
const REQUEST: Duration = Duration::from_secs(10);

/// Append the lines of standard input to a topic, one record each.
///
/// Lines that come together go into one batch, and a batch that hears nothing is sent again. With acks=all each line is
/// written once and in order, whatever fails in between. At the first line that isn't acknowledged in time it stops, and
/// says which lines weren't and whether they may have been written all the same.
#[derive(Debug, Args)]
pub struct Produce {
    #[command(flatten)]
    server: Server,
    /// The topic. It must exist.
    #[arg(long)]
    topic: String,
    /// The partition; without it, as the partitioner chooses.
    #[arg(long)]
    partition: Option<i32>,
    /// What separates the key from the value in each line; without it, records have no key.
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// The key of every record.
    #[arg(long, value_name = "TEXT", conflicts_with = "key_separator")]
    key: Option<String>,
    /// How to choose partitions: by key, and else as bytes go (uniform) or batch by batch (sticky); or in turn.
    #[arg(long, value_enum, default_value_t = PartitionerName::Uniform, conflicts_with = "partition")]
    partitioner: PartitionerName,
    /// Who must have a batch before it counts: nobody (0), the leader (1), all replicas in sync (all).
    #[arg(long, value_enum, default_value_t = Acks::All)]
    acks: Acks,
    /// Whether records are numbered, so that none is written twice; without it, if acks is all.
    #[arg(long, value_name = "BOOL")]
    idempotence: Option<bool>,
    /// How many batches for one partition may be under way.
    #[arg(long, value_name = "BATCHES", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    max_in_flight: u8,
    /// How many bytes make a batch full.
    #[arg(long, value_name = "BYTES", default_value_t = 512 * 1024)]
    batch_size: u32,
    /// How many milliseconds a batch waits for more lines.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5)]
    linger: u32,
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

/// Lines on their way.
struct Producing {
    producer: Producer,
    route: Route,
    /// By record, the number of its line, from 1.
    lines: BTreeMap<Ticket, usize>,
    /// What was not written, by partition and reason: the numbers of its lines.
    lost: BTreeMap<(Partition, bool, String), Vec<usize>>,
    prints_offsets: bool,
}

impl Produce {
    pub async fn run(self) -> Result<(), Failure> {
        let settings = self.settings()?;
        let mut client = self.server.client();
        let route = self.route(&mut client).await?;
        let producer = Producer::new(client, settings);
        let (lines, lost, prints_offsets) = (BTreeMap::new(), BTreeMap::new(), self.offsets);
        Producing { producer, route, lines, lost, prints_offsets }.run(&self).await
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let acks = match self.acks {
            Acks::None => replica::Acks::None,
            Acks::Leader => replica::Acks::Leader,
            Acks::All => replica::Acks::All,
        };
        let default = self.acks == Acks::All && self.max_in_flight <= 5;
        let config = Config {
            acks,
            idempotent: self.idempotence.unwrap_or(default),
            max_in_flight: self.max_in_flight.into(),
            batch_bytes: self.batch_size,
            ..Config::KAFKA
        };
        let sound = config
            .checked()
            .map_err(|unsound| Failure::said(format!("{unsound}: change that, or say --idempotence false")))?;
        Ok(Settings {
            config: sound,
            compression: self.compression.into(),
            linger: Duration::from_millis(self.linger.into()),
            delivery: self.server.timeout(),
            request: REQUEST,
        })
    }

    /// Before anyone types: a topic that doesn't exist is said at once.
    async fn route(&self, client: &mut Client) -> Result<Route, Failure> {
        let topic = client.topic(&self.topic).await?;
        let partitions = topic.partitions.len();
        if let Some(partition) = self.partition
            && topic.partitions.iter().all(|known| known.partition_index != partition)
        {
            return Err(ClientError::UnknownPartition { topic: self.topic.clone(), partition, partitions }.into());
        }
        Ok(Route::new(self.partitioner, self.partition, self.batch_size, topic))
    }

    /// The key and the value of a line.
    fn split(&self, (number, line): &Line) -> Result<NewRecord, Failure> {
        let timestamp = milliseconds_since_1970();
        let separator = self.key_separator.as_deref().filter(|separator| !separator.is_empty());
        let Some(separator) = separator else {
            let key = self.key.as_ref().map(|key| key.clone().into());
            return Ok(NewRecord { key, value: Some(line.clone()), timestamp });
        };
        let at = line.windows(separator.len()).position(|window| window == separator.as_bytes());
        let at =
            at.ok_or_else(|| Failure::said(format!("line {number} has no key: there is no {separator:?} in it")))?;
        let [key, value] = [line.slice(..at), line.slice(at + separator.len()..)].map(Some);
        Ok(NewRecord { key, value, timestamp })
    }
}

impl Producing {
    async fn run(mut self, produce: &Produce) -> Result<(), Failure> {
        let read = self.read(produce).await;
        // Whatever ended it: what was given is on its way, and is waited for.
        self.producer.flush().await;
        while !self.producer.is_flushed() {
            let event = self.producer.happens().await;
            self.producer.handle(event).await;
        }
        self.report()?;
        read?;
        let lost: Vec<_> = self.lost.iter().map(said).collect();
        if lost.is_empty() { Ok(()) } else { Err(Failure::said(lost.join("; "))) }
    }

    /// Until there is no further line, or one is lost.
    async fn read(&mut self, produce: &Produce) -> Result<(), Failure> {
        let mut lines = read_lines();
        while self.lost.is_empty() {
            tokio::select! {
                line = lines.recv(), if !self.producer.is_full() => {
                    let Some(line) = line else { break };
                    let line = line?;
                    let record = produce.split(&line)?;
                    let partition = self.route.choose(&record, &self.producer);
                    let ticket = self.producer.give(&partition, record).await;
                    self.route.given(&partition, &self.producer);
                    self.lines.insert(ticket, line.0);
                }
                event = self.producer.happens() => self.producer.handle(event).await,
            }
            self.report()?;
        }
        Ok(())
    }

    /// Prints where records went, and notes what was lost.
    fn report(&mut self) -> Result<(), Failure> {
        for Delivery { record, partition, outcome } in self.producer.delivered() {
            let line = self.lines.remove(&record).unwrap_or_default();
            match outcome {
                Ok(Some(offset)) if self.prints_offsets => {
                    say(format_args!("{} {} {offset}", partition.topic, partition.index))?;
                }
                Ok(_) => {}
                Err(lost) => {
                    self.lost.entry((partition, lost.had_no_effect, lost.reason)).or_default().push(line);
                }
            }
        }
        Ok(())
    }
}

fn said(((partition, had_no_effect, reason), lines): (&(Partition, bool, String), &Vec<usize>)) -> String {
    let lines = numbers(lines);
    match had_no_effect {
        true => format!("{lines} not appended to {partition}: {reason}"),
        false => format!("{lines} may have been appended to {partition}, or not: {reason}"),
    }
}

fn numbers(lines: &[usize]) -> String {
    match lines {
        [only] => format!("line {only}"),
        [first, .., last] => format!("{} lines between {first} and {last}", lines.len()),
        [] => "no line".to_owned(),
    }
}

fn milliseconds_since_1970() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
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
