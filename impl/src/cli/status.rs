//! `highwater status`: who leads, who follows, and how far each replica is.

use super::failure::Failure;
use super::output::say;
use super::server::Server;
use super::table::{Table, ids};
use clap::Args;
use highwater::client::{Client, ErrorCode, Partition};
use highwater_spec::values::Offset;
use serde::Serialize;
use std::collections::BTreeMap;

/// Show the brokers that are alive, and for each partition its leader and how far each replica is.
///
/// A log end is asked of each replica itself; a dash is one that did not tell.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    server: Server,
    /// Only this topic. May be repeated.
    #[arg(long)]
    topic: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    cluster_id: Option<String>,
    brokers: Vec<BrokerStatus>,
    partitions: Vec<PartitionStatus>,
}

/// A broker that is alive: registered, and not fenced.
#[derive(Debug, Serialize)]
struct BrokerStatus {
    id: i32,
    address: String,
}

#[derive(Debug, Serialize)]
struct PartitionStatus {
    topic: String,
    partition: i32,
    leader: Option<i32>,
    leader_epoch: i32,
    isr: Vec<i32>,
    /// Eligible leader replicas: out of sync, but known to have all that is committed (KIP-966).
    elr: Vec<i32>,
    last_known_elr: Vec<i32>,
    offline: Vec<i32>,
    replicas: Vec<ReplicaStatus>,
    /// Exclusive; as its leader says.
    high_watermark: Option<i64>,
}

#[derive(Debug, Serialize)]
struct ReplicaStatus {
    broker: i32,
    /// Exclusive; as the replica itself says.
    log_end: Option<i64>,
}

type Offsets = BTreeMap<Partition, Result<Offset, ErrorCode>>;

impl Status {
    pub async fn run(self) -> Result<(), Failure> {
        let mut client = self.server.client();
        let report = read(&mut client, &self.topic).await?;
        if self.json {
            let json = serde_json::to_string_pretty(&report);
            return say(json.map_err(|error| Failure::said(format!("cannot print JSON: {error}")))?);
        }
        print(&report)
    }
}

async fn read(client: &mut Client, topics: &[String]) -> Result<Report, Failure> {
    let metadata = client.metadata(Some(&[])).await?;
    let mut partitions = Vec::new();
    for topic in client.describe_topics(topics).await? {
        let name = topic.name.unwrap_or_default();
        partitions.extend(topic.partitions.into_iter().map(|found| PartitionStatus {
            topic: name.clone(),
            partition: found.partition_index,
            leader: Some(found.leader_id).filter(|leader| *leader >= 0),
            leader_epoch: found.leader_epoch,
            isr: found.isr_nodes,
            elr: found.eligible_leader_replicas.unwrap_or_default(),
            last_known_elr: found.last_known_elr.unwrap_or_default(),
            offline: found.offline_replicas,
            replicas: found.replica_nodes.into_iter().map(|broker| ReplicaStatus { broker, log_end: None }).collect(),
            high_watermark: None,
        }));
    }
    ask_offsets(client, &mut partitions).await;
    let brokers = client.brokers().iter().map(|(id, at)| BrokerStatus { id: *id, address: at.to_string() });
    Ok(Report { cluster_id: metadata.cluster_id, brokers: brokers.collect(), partitions })
}

/// Two questions for each broker: how far are the logs that it has, how far is what it leads committed.
async fn ask_offsets(client: &mut Client, partitions: &mut [PartitionStatus]) {
    let brokers: Vec<_> = client.brokers().keys().copied().collect();
    for broker in brokers {
        let held = named(partitions, |partition| partition.replicas.iter().any(|replica| replica.broker == broker));
        let led = named(partitions, |partition| partition.leader == Some(broker));
        let ends = if held.is_empty() { Ok(Offsets::new()) } else { client.log_ends(broker, &held).await };
        let committed = if led.is_empty() { Ok(Offsets::new()) } else { client.high_watermarks(broker, &led).await };
        // A broker that doesn't answer leaves its cells empty: that is what one came to see.
        let (ends, committed) = (ends.unwrap_or_default(), committed.unwrap_or_default());
        for partition in partitions.iter_mut() {
            let name = Partition { topic: partition.topic.clone(), index: partition.partition };
            for replica in partition.replicas.iter_mut().filter(|replica| replica.broker == broker) {
                replica.log_end = offset(&ends, &name);
            }
            partition.high_watermark = partition.high_watermark.or_else(|| offset(&committed, &name));
        }
    }
}

fn named(partitions: &[PartitionStatus], which: impl Fn(&PartitionStatus) -> bool) -> Vec<Partition> {
    let named = partitions.iter().filter(|partition| which(partition));
    named.map(|partition| Partition { topic: partition.topic.clone(), index: partition.partition }).collect()
}

fn offset(offsets: &Offsets, partition: &Partition) -> Option<i64> {
    offsets.get(partition)?.as_ref().ok().map(|offset| offset.0)
}

fn print(report: &Report) -> Result<(), Failure> {
    let brokers: Vec<_> = report.brokers.iter().map(|broker| format!("{} ({})", broker.id, broker.address)).collect();
    say(format_args!("brokers alive: {}", brokers.join(", ")))?;
    if report.partitions.is_empty() {
        return say("no topics");
    }
    let titles = ["TOPIC", "PARTITION", "LEADER", "EPOCH", "ISR", "ELR", "HIGH WATERMARK", "REPLICA:LOG END"];
    let mut table = Table::new(titles);
    for partition in &report.partitions {
        let replica = |replica: &ReplicaStatus| format!("{}:{}", replica.broker, or_dash(replica.log_end));
        let replicas: Vec<_> = partition.replicas.iter().map(replica).collect();
        table.row([
            partition.topic.clone(),
            partition.partition.to_string(),
            ids(&partition.leader),
            partition.leader_epoch.to_string(),
            ids(&partition.isr),
            ids(&partition.elr),
            or_dash(partition.high_watermark),
            replicas.join(" "),
        ]);
    }
    table.print()
}

fn or_dash(offset: Option<i64>) -> String {
    offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string())
}
