//! `highwater topic`: create, list, describe, delete, and have leaders elected.

use super::elect_leaders::ElectLeaders;
use super::failure::Failure;
use super::key_value;
use super::output::say;
use super::server::Server;
use super::table::{Table, ids};
use clap::{Args, Subcommand};
use highwater::client::{ClientError, ErrorCode, NewTopic};
use highwater::wire::messages::describe_topic_partitions::DescribeTopicPartitionsResponseTopic;

/// Create, list, describe or delete topics; have leaders elected.
#[derive(Debug, Subcommand)]
pub enum Topic {
    /// Create a topic, and wait until brokers know it.
    Create(Create),
    /// List the topics by name.
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Show who leads and who follows each partition.
    Describe {
        #[command(flatten)]
        server: Server,
        /// The topic; without it, all topics.
        #[arg(long)]
        topic: Option<String>,
    },
    /// Have partitions' leaders elected: the preferred replica, or any that is alive.
    ElectLeaders(ElectLeaders),
    /// Delete a topic and its records.
    Delete {
        #[command(flatten)]
        server: Server,
        /// The topic.
        #[arg(long)]
        topic: String,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    server: Server,
    /// The topic.
    #[arg(long)]
    topic: String,
    /// How many partitions; without it, as the cluster is set.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// How many replicas of each partition; without it, as the cluster is set.
    #[arg(long, value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,
    /// A setting of the topic, such as min.insync.replicas=2. May be repeated.
    #[arg(long = "config", value_name = "KEY=VALUE", value_parser = key_value)]
    configs: Vec<(String, String)>,
    /// Succeed if the topic exists, whatever it looks like.
    #[arg(long)]
    if_not_exists: bool,
}

impl Topic {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List { server } => list(&server).await,
            Self::Describe { server, topic } => describe(&server, topic).await,
            Self::ElectLeaders(elect) => elect.run().await,
            Self::Delete { server, topic } => delete(&server, &topic).await,
        }
    }
}

impl Create {
    async fn run(self) -> Result<(), Failure> {
        let Self { server, topic: name, partitions, replication_factor, configs, if_not_exists } = self;
        let topic = NewTopic { name, partitions, replication_factor, configs };
        match server.client().create_topic(topic).await {
            Err(ClientError::Refused { code: ErrorCode::TOPIC_ALREADY_EXISTS, .. }) if if_not_exists => Ok(()),
            outcome => Ok(outcome?),
        }
    }
}

async fn delete(server: &Server, topic: &str) -> Result<(), Failure> {
    match server.client().delete_topic(topic).await {
        // Whoever wants it gone is not told how to create it.
        Err(error @ ClientError::UnknownTopic(_)) => {
            Err(Failure::said(format!("{error}; `highwater topic list` shows those that do")))
        }
        outcome => Ok(outcome?),
    }
}

async fn list(server: &Server) -> Result<(), Failure> {
    let metadata = server.client().metadata(None).await?;
    let mut names: Vec<_> = metadata.topics.into_iter().filter_map(|topic| topic.name).collect();
    names.sort_unstable();
    names.iter().try_for_each(say)
}

async fn describe(server: &Server, topic: Option<String>) -> Result<(), Failure> {
    let topics = server.client().describe_topics(topic.as_slice()).await?;
    let mut table = Table::new(["TOPIC", "PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "ELR", "OFFLINE"]);
    for DescribeTopicPartitionsResponseTopic { name, partitions, .. } in topics {
        for partition in partitions {
            table.row([
                name.clone().unwrap_or_default(),
                partition.partition_index.to_string(),
                ids(partition.leader_id.ge(&0).then_some(&partition.leader_id)),
                partition.leader_epoch.to_string(),
                ids(&partition.replica_nodes),
                ids(&partition.isr_nodes),
                ids(partition.eligible_leader_replicas.iter().flatten()),
                ids(&partition.offline_replicas),
            ]);
        }
    }
    table.print()
}
