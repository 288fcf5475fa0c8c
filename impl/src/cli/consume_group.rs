//! `highwater consume --group`: the records of a member's share, printed.

use super::failure::Failure;
use super::format::Format;
use super::output::complain;
use super::server::Server;
use super::signals::StopSignals;
use clap::ValueEnum;
use highwater::client::Partition;
use highwater::client::consumer::{Consumer, News, Sessions, Settings};
use highwater::records::Record;
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, End, Failure as Ended};
use highwater_spec::values::Offset;
use std::io::{self, Write};
use std::time::Duration;

/// How often a member commits (`auto.commit.interval.ms`).
const COMMIT: Duration = Duration::from_secs(5);
/// The longest time between two heartbeats (`heartbeat.interval.ms`).
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How long a member that was asked to stop may take to commit.
const GOODBYE: Duration = Duration::from_secs(10);

/// How partitions are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Assigns {
    Range,
    #[value(name = "roundrobin")]
    RoundRobin,
    Sticky,
    CooperativeSticky,
}

/// Where to begin if nothing else tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reset {
    Earliest,
    Latest,
    None,
}

/// A member to be.
pub struct InGroup {
    pub server: Server,
    pub group: String,
    pub topic: String,
    pub assignors: Vec<Assigns>,
    pub instance: Option<String>,
    pub reset: Reset,
    pub session: Duration,
    pub poll: Duration,
    /// How many records may still be printed.
    pub left: u64,
    pub format: Format,
}

impl InGroup {
    fn settings(&self) -> Settings {
        let config = Config {
            instance: self.instance.as_deref().map(Into::into),
            topics: [self.topic.as_str().into()].into(),
            assignors: self.assignors.iter().copied().map(Into::into).collect(),
            reset: match self.reset {
                Reset::Earliest => Some(End::Earliest),
                Reset::Latest => Some(End::Latest),
                Reset::None => None,
            },
            auto_commit: true,
        };
        let sessions = Sessions { session: self.session, poll: self.poll };
        let heartbeat = HEARTBEAT.min(self.session / 3);
        Settings { group: self.group.clone(), config, sessions, heartbeat, commit: COMMIT }
    }

    pub async fn run(mut self) -> Result<(), Failure> {
        let mut signals = StopSignals::catch()?;
        let server = self.server.clone();
        let mut consumer = Consumer::new(move || server.client(), self.settings());
        let outcome = self.read(&mut consumer, &mut signals).await;
        consumer.gone().await;
        outcome
    }

    async fn read(&mut self, consumer: &mut Consumer, signals: &mut StopSignals) -> Result<(), Failure> {
        consumer.poll();
        while self.left > 0 {
            tokio::select! {
                () = signals.next() => break,
                event = consumer.happens() => {
                    let most = usize::try_from(self.left).unwrap_or(usize::MAX);
                    let is_time = consumer.handle(event, most);
                    if self.tell(consumer)? {
                        return Ok(());
                    }
                    if is_time && self.left > 0 {
                        consumer.poll();
                    }
                }
            }
            if self.tell(consumer)? {
                return Ok(());
            }
        }
        consumer.close();
        let last = self.until_closed(consumer);
        tokio::select! {
            outcome = tokio::time::timeout(GOODBYE, last) => {
                outcome.unwrap_or_else(|_| Err(Failure::said("the group was not told in time how far this member came")))
            }
            () = signals.next() => Err(Failure::said("stopped before the group was told how far this member came")),
        }
    }

    async fn until_closed(&mut self, consumer: &mut Consumer) -> Result<(), Failure> {
        while !self.tell(consumer)? {
            let event = consumer.happens().await;
            consumer.handle(event, 0);
        }
        Ok(())
    }

    /// Prints what there is. Whether the consumer has ended.
    fn tell(&mut self, consumer: &mut Consumer) -> Result<bool, Failure> {
        while let Some(news) = consumer.news() {
            // Who has left, or was told to go, is in none.
            let generation = consumer.generation().map(|now| format!("generation {}: ", now.0)).unwrap_or_default();
            match news {
                News::Records(partition, records) => self.print(&partition, &records)?,
                News::Assigned(partitions) => complain(format_args!("{generation}assigned {}", names(&partitions))),
                News::Revoked(partitions) => complain(format_args!("{generation}revoked {}", names(&partitions))),
                News::Lost(partitions) => complain(format_args!("lost {}", names(&partitions))),
                News::CommitFailed(refusal) => {
                    complain(format_args!("a commit was refused, so what was printed may be printed again: {refusal}"));
                }
                News::Truncated(partition, at, diverges) => complain(cut(&partition, at, diverges)),
                News::Damaged(partition, error) => {
                    return Err(Failure::said(format!("{partition} holds what is no record: {error}")));
                }
                News::Failed(failure) => return Err(self.failed(&failure)),
                News::Ended => return Ok(true),
            }
        }
        Ok(false)
    }

    fn failed(&self, failure: &Ended) -> Failure {
        let group = &self.group;
        Failure::said(match failure {
            Ended::Refused(refusal) => format!("group {group}: {refusal} ({})", refusal.code()),
            Ended::Truncated { partition, at, diverges } => {
                let partition = Partition { topic: partition.topic.to_string(), index: partition.index };
                format!("{}; try --reset earliest", cut(&partition, *at, *diverges))
            }
            Ended::NoOffset(partition) => {
                format!("group {group} has no offset for {partition}, or one that is not there; try --reset earliest")
            }
        })
    }

    fn print(&mut self, partition: &Partition, records: &[Record]) -> Result<(), Failure> {
        let mut text = Vec::new();
        for record in records {
            self.format.write(partition, record, &mut text);
            self.left = self.left.saturating_sub(1);
        }
        let mut out = io::stdout().lock();
        out.write_all(&text).and_then(|()| out.flush()).map_err(Failure::Output)
    }
}

/// What became of what was read up to `at` (exclusive).
fn cut(partition: &Partition, at: Offset, diverges: Option<Offset>) -> String {
    let from = diverges.map(|from| format!(" from offset {from} on")).unwrap_or_default();
    format!("{partition} was cut: what was read of it up to offset {at} is not there any more{from}")
}

fn names(partitions: &[Partition]) -> String {
    if partitions.is_empty() {
        return "nothing".to_owned();
    }
    partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<Assigns> for Assignor {
    fn from(name: Assigns) -> Self {
        match name {
            Assigns::Range => Self::Range,
            Assigns::RoundRobin => Self::RoundRobin,
            Assigns::Sticky => Self::Sticky,
            Assigns::CooperativeSticky => Self::CooperativeSticky,
        }
    }
}
