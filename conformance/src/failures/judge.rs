//! The verdict on a log at the end of a case: every word was kept, and all copies are the same.

use super::ask::{self, View};
use super::copy::Copy;
use super::log::Log;
use super::until::until;
use super::writer::{Acks, Writer};
use highwater_spec::values::{BrokerId, Offset};
use libtest_mimic::Failed;
use std::net::SocketAddr;

/// How many contradictions are told.
const MOST_TOLD: usize = 8;

/// Waits until every replica is in sync again and has the whole log, then compares what a consumer reads and what lies
/// in each copy with what writers were told. Nobody else writes any more.
///
/// # Errors
/// When a replica doesn't come back, and for everything that isn't as it should be.
pub async fn judge(log: &Log) -> Result<Vec<String>, Failed> {
    log.until_in_sync(&log.replicas).await?;
    let mut last = Writer::new("judge", log, Acks::All);
    // What it commits commits everything before.
    until("a last value is acknowledged", async || last.write(1).await).await?;
    let (leader, end) = until_all_end_together(log).await?;
    let read = read(log, leader, View::Consumer, end).await?;
    let mut faults = log.history.contradictions(&read.values);
    for (replica, address) in addresses(log)? {
        let copy = self::read(log, address, View::Copy, end).await?;
        if let Some(difference) = read.difference(&copy) {
            faults.push(format!("the copy of {replica} isn't what consumers read: {difference}"));
        }
    }
    if faults.is_empty() {
        return Ok(read.values);
    }
    let (count, told) = (faults.len(), faults.iter().take(MOST_TOLD).map(String::as_str));
    Err(format!("{count} faults of {}:\n  {}", log.topic, told.collect::<Vec<_>>().join("\n  ")).into())
}

/// Waits until a consumer may read as much as every copy has. Gives the leader's address, and the end (exclusive).
async fn until_all_end_together(log: &Log) -> Result<(SocketAddr, Offset), Failed> {
    let replicas = addresses(log)?;
    until("all copies end where consumers do", async || {
        let leader = log.leader().await.ok_or("nobody leads")?;
        let leader = log.address(leader).ok_or("nobody knows the leader")?;
        let told = |error: highwater::client::ClientError| error.to_string();
        let end = ask::end(leader, &log.topic, View::Consumer).await.map_err(told)?;
        for (replica, address) in &replicas {
            let of_copy = ask::end(*address, &log.topic, View::Copy).await.map_err(told)?;
            if of_copy != end {
                return Err(format!("consumers to {end}, {replica} to {of_copy}"));
            }
        }
        Ok((leader, end))
    })
    .await
}

async fn read(log: &Log, broker: SocketAddr, view: View, end: Offset) -> Result<Copy, Failed> {
    until("a copy is read", async || Copy::read(broker, log.id, view, end).await).await
}

fn addresses(log: &Log) -> Result<Vec<(BrokerId, SocketAddr)>, Failed> {
    let of = |replica: &BrokerId| log.address(*replica).map(|address| (*replica, address));
    let all: Option<Vec<_>> = log.replicas.iter().map(of).collect();
    all.ok_or_else(|| "a replica is on no broker".into())
}
