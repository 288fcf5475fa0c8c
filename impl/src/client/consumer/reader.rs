//! What a consumer asks the leaders of its partitions.

use super::metadata::{described, leaders_of, topics_of};
use super::{named, plain};
use crate::client::{Client, ClientError, EARLIEST, ErrorCode, LATEST, Partition};
use crate::records::{self, Record, RecordError, split};
use bytes::Bytes;
use highwater_spec::assignor::Topics;
use highwater_spec::client::consumer::{End, Leader, Place};
use highwater_spec::group::{NamedPartition, TopicName};
use highwater_spec::log::EpochEnd;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{LeaderEpoch, Offset};
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
    /// Records.
    Fetch(BTreeMap<NamedPartition, From>),
    /// Where to begin, and in which of the consumer's shares the partition came.
    FindOffset(NamedPartition, End, u64),
    /// How many partitions topics have.
    Topics(BTreeSet<TopicName>),
    /// Who leads the partitions of topics, after a pause.
    Leaders(BTreeSet<TopicName>),
    /// Where the leader's log ends the epoch of a place.
    EpochEnd { partition: NamedPartition, at: Place, leader: LeaderEpoch },
}

/// Where a fetch begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct From {
    /// The first offset (inclusive).
    pub offset: Offset,
    /// The leader epoch that it names, if any is known.
    pub under: Option<LeaderEpoch>,
}

/// What came.
#[derive(Debug)]
pub(super) enum Told {
    /// Of each partition: where the fetch began, and what it brought.
    Fetched(Vec<(NamedPartition, From, Brought)>),
    /// Where to begin, of a partition that came in this share.
    Found(NamedPartition, Offset, u64),
    /// How many partitions topics have, and who leads them.
    Topics(Topics, BTreeMap<NamedPartition, Leader>),
    /// Who leads.
    Leaders(BTreeMap<NamedPartition, Leader>),
    /// Where the leader's log ends the epoch of a place.
    EpochEnd { partition: NamedPartition, at: Place, leader: LeaderEpoch, outcome: Result<Option<EpochEnd>, Refusal> },
    /// Nothing: it may be asked again.
    Nothing(Ask),
}

/// What a fetch brought of one partition.
#[derive(Debug)]
pub(super) enum Brought {
    /// Records.
    Records(Found),
    /// Nothing, and why.
    Refused(Refusal),
    /// What is no record.
    Damaged(RecordError),
}

/// Records of one partition, in order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub records: Vec<Record>,
    /// The end of each batch (exclusive), with its leader epoch.
    ends: Vec<Place>,
    /// Whether records were left out at the end.
    is_cut: bool,
}

impl Found {
    /// Leaves out all but so many.
    pub fn truncate(&mut self, most: usize) {
        self.is_cut = self.records.len() > most;
        self.records.truncate(most);
    }

    /// Where the next fetch begins (inclusive), if this one began at `from`.
    pub fn upto(&self, from: Offset) -> Offset {
        let last = self.records.last().map(|last| last.offset.next());
        let end = if self.is_cut { last } else { self.ends.last().map(|end| end.offset) };
        end.unwrap_or(from).max(from)
    }

    /// The leader epoch of the batch that `upto` (exclusive) ends, or lies in.
    pub fn epoch_below(&self, upto: Offset) -> Option<LeaderEpoch> {
        self.ends.iter().find(|end| end.offset >= upto)?.epoch
    }
}

pub(super) async fn ask(client: &mut Client, ask: Ask) -> Told {
    let told = match &ask {
        Ask::Fetch(from) => Ok(Told::Fetched(fetch(client, from).await)),
        Ask::FindOffset(partition, at, share) => {
            let at = if *at == End::Earliest { EARLIEST } else { LATEST };
            let found = client.offset_at(&plain(partition), at).await;
            found.map(|offset| Told::Found(partition.clone(), offset.unwrap_or_default(), *share))
        }
        Ask::Topics(topics) => {
            // Whoever knows of a new leader is to ask it, and not the one before.
            client.forget_topics();
            described(client, topics).await.map(|found| Told::Topics(topics_of(&found), leaders_of(&found)))
        }
        Ask::Leaders(topics) => {
            tokio::time::sleep(BACKOFF).await;
            client.forget_topics();
            described(client, topics).await.map(|found| Told::Leaders(leaders_of(&found)))
        }
        Ask::EpochEnd { partition, at, leader } => {
            let outcome = epoch_end(client, partition, *at, *leader).await;
            Ok(Told::EpochEnd { partition: partition.clone(), at: *at, leader: *leader, outcome })
        }
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

async fn epoch_end(
    client: &mut Client,
    partition: &NamedPartition,
    at: Place,
    leader: LeaderEpoch,
) -> Result<Option<EpochEnd>, Refusal> {
    let Some(epoch) = at.epoch else { return Ok(None) };
    client.epoch_end(&plain(partition), epoch, leader).await.map_err(|error| {
        tracing::debug!(%error, "asked in vain");
        match error {
            ClientError::Unsupported { .. } => Refusal::UnsupportedVersion,
            ClientError::Refused { code, .. } => Refusal::from_code(code.0).unwrap_or(Refusal::RequestTimedOut),
            _ => Refusal::RequestTimedOut,
        }
    })
}

/// Asks each leader once. What fails is asked for again by whoever asks next.
async fn fetch(client: &mut Client, from: &BTreeMap<NamedPartition, From>) -> Vec<(NamedPartition, From, Brought)> {
    let mut by_leader: BTreeMap<i32, BTreeMap<Partition, From>> = BTreeMap::new();
    let mut is_troubled = false;
    for (partition, from) in from {
        match client.leader(&plain(partition)).await {
            Ok((leader, _)) => drop(by_leader.entry(leader).or_default().insert(plain(partition), *from)),
            Err(_) => is_troubled = true,
        }
    }
    let wait = WAIT / u32::try_from(by_leader.len().max(1)).unwrap_or(1);
    let mut fetched = Vec::new();
    for (leader, from) in by_leader {
        let under = from.iter().map(|(partition, from)| (partition.clone(), (from.offset, from.under))).collect();
        let Ok(answers) = client.fetch_under(leader, &under, wait).await else {
            is_troubled = true;
            continue;
        };
        for (partition, answer) in answers {
            let Some(from) = from.get(&partition).copied() else { continue };
            let brought = match answer {
                Ok(fetched) => decode(fetched.records, from.offset).map_or_else(Brought::Damaged, Brought::Records),
                Err(code) => {
                    is_troubled |= code != ErrorCode::OFFSET_OUT_OF_RANGE;
                    let Some(refusal) = Refusal::from_code(code.0) else { continue };
                    Brought::Refused(refusal)
                }
            };
            fetched.push((named(&partition), from, brought));
        }
    }
    if is_troubled {
        client.forget_topics();
        tokio::time::sleep(BACKOFF).await;
    }
    fetched
}

fn decode(bytes: Bytes, from: Offset) -> Result<Found, RecordError> {
    let mut found = Found::default();
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
                    found.records.push(record);
                }
            }
        }
        found.ends.push(Place { offset: header.base_offset.plus(header.offset_count()), epoch: header.leader_epoch });
    }
    Ok(found)
}
