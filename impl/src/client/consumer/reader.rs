//! What a consumer asks the leaders of its partitions.

use super::coordinator::topics_of;
use super::{named, plain};
use crate::client::{Client, EARLIEST, ErrorCode, LATEST, Partition};
use crate::records::{self, Record, RecordError, split};
use bytes::Bytes;
use highwater_spec::assignor::Topics;
use highwater_spec::client::consumer::End;
use highwater_spec::group::{NamedPartition, TopicName};
use highwater_spec::values::Offset;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a fetch waits at the end of the log.
const WAIT: Duration = Duration::from_millis(500);
/// How long to wait before asking again.
const BACKOFF: Duration = Duration::from_millis(100);
/// The most bytes that a batch may have once it is decompressed.
const BATCH_BYTES: usize = 512 * 1024 * 1024;

/// What to ask.
#[derive(Debug)]
pub(super) enum Ask {
    /// Records, each partition's from an offset on (inclusive).
    Fetch(BTreeMap<NamedPartition, Offset>),
    /// Where to begin, and in which of the consumer's shares the partition came.
    FindOffset(NamedPartition, End, u64),
    /// How many partitions topics have.
    Topics(BTreeSet<TopicName>),
}

/// What came.
#[derive(Debug)]
pub(super) enum Told {
    /// Of each partition: where the fetch began, and what it brought.
    Fetched(Vec<(NamedPartition, Offset, Brought)>),
    /// Where to begin, of a partition that came in this share.
    Found(NamedPartition, Offset, u64),
    /// How many partitions topics have.
    Topics(Topics),
    /// Nothing: it may be asked again.
    Nothing(Ask),
}

/// What a fetch brought of one partition.
#[derive(Debug)]
pub(super) enum Brought {
    /// Records, and where the next fetch begins (inclusive).
    Records(Vec<Record>, Offset),
    /// There is no such offset.
    OutOfRange,
    /// What is no record.
    Damaged(RecordError),
}

pub(super) async fn ask(client: &mut Client, ask: Ask) -> Told {
    let told = match &ask {
        Ask::Fetch(from) => Ok(Told::Fetched(fetch(client, from).await)),
        Ask::FindOffset(partition, at, share) => {
            let at = if *at == End::Earliest { EARLIEST } else { LATEST };
            let found = client.offset_at(&plain(partition), at).await;
            found.map(|offset| Told::Found(partition.clone(), offset.unwrap_or_default(), *share))
        }
        Ask::Topics(topics) => topics_of(client, topics).await.map(Told::Topics),
    };
    match told {
        Ok(told) => told,
        Err(error) => {
            tracing::debug!(%error, "asked in vain");
            tokio::time::sleep(BACKOFF).await;
            Told::Nothing(ask)
        }
    }
}

/// Asks each leader once. What fails is asked for again by whoever asks next.
async fn fetch(client: &mut Client, from: &BTreeMap<NamedPartition, Offset>) -> Vec<(NamedPartition, Offset, Brought)> {
    let mut by_leader: BTreeMap<i32, BTreeMap<Partition, Offset>> = BTreeMap::new();
    let mut is_troubled = false;
    for (partition, offset) in from {
        match client.leader(&plain(partition)).await {
            Ok((leader, _)) => drop(by_leader.entry(leader).or_default().insert(plain(partition), *offset)),
            Err(_) => is_troubled = true,
        }
    }
    let wait = WAIT / u32::try_from(by_leader.len().max(1)).unwrap_or(1);
    let mut fetched = Vec::new();
    for (leader, from) in by_leader {
        let Ok(answers) = client.fetch(leader, &from, wait).await else {
            is_troubled = true;
            continue;
        };
        for (partition, answer) in answers {
            let Some(offset) = from.get(&partition).copied() else { continue };
            let brought = match answer {
                Ok(fetched) => decode(fetched.records, offset).unwrap_or_else(Brought::Damaged),
                Err(ErrorCode::OFFSET_OUT_OF_RANGE) => Brought::OutOfRange,
                Err(_) => {
                    is_troubled = true;
                    continue;
                }
            };
            fetched.push((named(&partition), offset, brought));
        }
    }
    if is_troubled {
        client.forget_topics();
        tokio::time::sleep(BACKOFF).await;
    }
    fetched
}

fn decode(bytes: Bytes, from: Offset) -> Result<Brought, RecordError> {
    let mut found = Vec::new();
    let mut next = from;
    for batch in split(bytes) {
        let (header, batch) = match batch {
            // The answer's size cut it off: it comes with the next fetch.
            Err(RecordError::Incomplete { .. }) => break,
            batch => batch?,
        };
        if !header.attributes.is_control() {
            for record in records::records(&batch, BATCH_BYTES)? {
                let record = record?;
                if record.offset >= from {
                    found.push(record);
                }
            }
        }
        next = next.max(header.base_offset.plus(header.offset_count()));
    }
    Ok(Brought::Records(found, next))
}
