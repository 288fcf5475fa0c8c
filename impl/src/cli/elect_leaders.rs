//! `highwater topic elect-leaders`, as Kafka's `kafka-leader-election`.

use super::failure::Failure;
use super::output::complain;
use super::server::Server;
use super::table::Table;
use clap::{Args, ValueEnum};
use highwater::client::{Client, ClientError, ElectionResult, ElectionType, ErrorCode, Partition};

#[derive(Debug, Args)]
pub struct ElectLeaders {
    #[command(flatten)]
    server: Server,
    /// The topic; without it, every topic, and only partitions that need an election are told of.
    #[arg(long)]
    topic: Option<String>,
    /// The partition; without it, all of the topic's. May be repeated.
    #[arg(long = "partition", value_name = "PARTITION", requires = "topic")]
    partitions: Vec<i32>,
    /// Who is to lead.
    #[arg(long, value_enum, default_value_t = Kind::Preferred)]
    election_type: Kind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The first of the replicas, if it is alive and in sync.
    Preferred,
    /// Where nobody leads, any replica that is alive, though records may be lost.
    Unclean,
}

impl ElectLeaders {
    pub async fn run(self) -> Result<(), Failure> {
        let mut client = self.server.client();
        let election = match self.election_type {
            Kind::Preferred => ElectionType::Preferred,
            Kind::Unclean => ElectionType::Unclean,
        };
        let partitions = match self.topic {
            Some(topic) => Some(named(&mut client, topic, self.partitions).await?),
            None => None,
        };
        let results = client.elect_leaders(election, partitions.as_deref()).await?;
        if results.is_empty() {
            complain("no partition needs an election");
            return Ok(());
        }
        let mut table = Table::new(["TOPIC", "PARTITION", "ELECTION"]);
        for result in &results {
            let ElectionResult { partition: Partition { topic, index }, .. } = result;
            table.row([topic.clone(), index.to_string(), outcome(result)]);
        }
        table.print()?;
        match results.iter().filter(|result| !is_settled(result.code)).count() {
            0 => Ok(()),
            failed => Err(Failure::said(format!("{failed} of {} elections failed", results.len()))),
        }
    }
}

/// These partitions of a topic, or all that it has.
async fn named(client: &mut Client, name: String, partitions: Vec<i32>) -> Result<Vec<Partition>, Failure> {
    let topic = client.topic(&name).await?;
    let mut known: Vec<_> = topic.partitions.iter().map(|partition| partition.partition_index).collect();
    known.sort_unstable();
    if let Some(unknown) = partitions.iter().find(|index| !known.contains(index)) {
        let unknown = ClientError::UnknownPartition { topic: name, partition: *unknown, partitions: known.len() };
        return Err(unknown.into());
    }
    let wanted = if partitions.is_empty() { known } else { partitions };
    Ok(wanted.into_iter().map(|index| Partition { topic: name.clone(), index }).collect())
}

/// Whether the wanted leader leads.
fn is_settled(code: ErrorCode) -> bool {
    [ErrorCode::NONE, ErrorCode::ELECTION_NOT_NEEDED].contains(&code)
}

fn outcome(result: &ElectionResult) -> String {
    match (result.code, &result.message) {
        (ErrorCode::NONE, _) => "elected".to_owned(),
        (ErrorCode::ELECTION_NOT_NEEDED, _) => "not needed".to_owned(),
        (code, Some(message)) => format!("{code}: {message}"),
        (code, None) => code.to_string(),
    }
}
