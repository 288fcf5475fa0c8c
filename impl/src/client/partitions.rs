//! Records of single partitions: appended, read, and counted by offset.

use super::{Client, ClientError, ErrorCode};
use crate::wire::messages::fetch::{FetchPartition, FetchTopic};
use crate::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use crate::wire::messages::offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use crate::wire::messages::produce::{PartitionProduceData, TopicProduceData};
use crate::wire::messages::{
    FetchRequest, ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest, ProduceRequest,
};
use bytes::Bytes;
use highwater_spec::log::EpochEnd;
use highwater_spec::values::{LeaderEpoch, Offset};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Stands for the offset after the last record that a consumer may read (exclusive), where a time is asked for.
pub const LATEST: i64 = -1;
/// Stands for the first offset of the log (inclusive), where a time is asked for.
pub const EARLIEST: i64 = -2;
/// The `replica_id` of someone who wants to see any replica's own log, whether it leads or not.
const DEBUGGING_REPLICA: i32 = -2;
/// The `replica_id` of a consumer.
const CONSUMER: i32 = -1;
/// The most bytes of one answer.
const FETCH_BYTES: i32 = 50 * 1024 * 1024;
/// The most bytes of one partition in an answer. A larger batch still comes, alone.
const PARTITION_BYTES: i32 = 1024 * 1024;

/// One partition, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub index: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.index)
    }
}

/// Who must have a record before it counts as appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Nobody: no answer comes.
    None,
    /// The leader.
    Leader,
    /// All replicas in sync.
    All,
}

impl Acks {
    /// As a request has it.
    pub(super) fn wire(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

impl From<highwater_spec::replica::Acks> for Acks {
    fn from(acks: highwater_spec::replica::Acks) -> Self {
        match acks {
            highwater_spec::replica::Acks::None => Self::None,
            highwater_spec::replica::Acks::Leader => Self::Leader,
            highwater_spec::replica::Acks::All => Self::All,
        }
    }
}

/// What one partition gave to one fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Whole batches, of which the last may be cut off. The first may begin before the offset that was asked for.
    pub records: Bytes,
    /// The first offset that is not known to be committed (exclusive).
    pub high_watermark: Offset,
}

impl Client {
    /// Appends one batch, asking again where it certainly was not appended. Gives its first offset, unless nobody
    /// acknowledges.
    ///
    /// # Errors
    /// Whether the batch was appended all the same, [`ClientError::had_no_effect`] says.
    pub async fn produce(
        &mut self,
        partition: &Partition,
        acks: Acks,
        within: Duration,
        batch: Bytes,
    ) -> Result<Option<Offset>, ClientError> {
        let once = async |client: &mut Self| client.produce_once(partition, acks, within, batch.clone()).await;
        self.patiently(once, |error| error.passes() && error.had_no_effect()).await
    }

    async fn produce_once(
        &mut self,
        partition: &Partition,
        acks: Acks,
        within: Duration,
        batch: Bytes,
    ) -> Result<Option<Offset>, ClientError> {
        let (leader, topic) = self.leader(partition).await?;
        let request = ProduceRequest {
            acks: acks.wire(),
            timeout_ms: milliseconds(within),
            topic_data: vec![TopicProduceData {
                name: partition.topic.clone(),
                topic_id: topic.topic_id,
                partition_data: vec![PartitionProduceData { index: partition.index, records: Some(batch) }],
            }],
            ..Default::default()
        };
        if acks == Acks::None {
            return self.tell(leader, &request).await.map(|()| None);
        }
        let response = self.ask(leader, &request, within).await?;
        let answer = response.responses.into_iter().flat_map(|topic| topic.partition_responses).next();
        let answer = answer.ok_or_else(|| incomplete(leader, partition))?;
        match ErrorCode(answer.error_code) {
            ErrorCode::NONE => Ok(Some(Offset(answer.base_offset))),
            ErrorCode::NOT_LEADER_OR_FOLLOWER if acks == Acks::All => {
                self.forget_topics();
                Err(ClientError::Deposed { partition: partition.to_string() })
            }
            code => {
                let (subject, message) = (format!("partition {partition}"), answer.error_message);
                Err(ClientError::Refused { subject, code, message })
            }
        }
    }

    /// Reads partitions that `leader` leads, each from an offset on (inclusive). Waits up to `wait` for records.
    ///
    /// # Errors
    /// Why `leader` gave no answer. What is wrong with one partition stands at its place.
    pub async fn fetch(
        &mut self,
        leader: i32,
        from: &BTreeMap<Partition, Offset>,
        wait: Duration,
    ) -> Result<BTreeMap<Partition, Result<Fetched, ErrorCode>>, ClientError> {
        let from = from.iter().map(|(partition, offset)| (partition.clone(), (*offset, None))).collect();
        self.fetch_under(leader, &from, wait).await
    }

    /// [`Client::fetch`] of partitions that `leader` is believed to lead in these epochs: it refuses where that is not
    /// so.
    ///
    /// # Errors
    /// Why `leader` gave no answer. What is wrong with one partition stands at its place.
    pub async fn fetch_under(
        &mut self,
        leader: i32,
        from: &BTreeMap<Partition, (Offset, Option<LeaderEpoch>)>,
        wait: Duration,
    ) -> Result<BTreeMap<Partition, Result<Fetched, ErrorCode>>, ClientError> {
        let mut topics: BTreeMap<&str, FetchTopic> = BTreeMap::new();
        for (partition, (offset, under)) in from {
            let topic_id = self.topic(&partition.topic).await?.topic_id;
            let topic = topics.entry(&partition.topic).or_default();
            (topic.topic, topic.topic_id) = (partition.topic.clone(), topic_id);
            topic.partitions.push(FetchPartition {
                partition: partition.index,
                current_leader_epoch: under.map_or(-1, |epoch| epoch.0),
                fetch_offset: offset.0,
                partition_max_bytes: PARTITION_BYTES,
                ..Default::default()
            });
        }
        let names: BTreeMap<_, _> = topics.values().map(|topic| (topic.topic_id, topic.topic.clone())).collect();
        let request = FetchRequest {
            max_wait_ms: milliseconds(wait),
            min_bytes: 1,
            max_bytes: FETCH_BYTES,
            topics: topics.into_values().collect(),
            ..Default::default()
        };
        let response = self.ask(leader, &request, wait).await?;
        ErrorCode(response.error_code).of(|| format!("a fetch from broker {leader}"))?;
        let mut fetched = BTreeMap::new();
        for topic in response.responses {
            // Older versions name topics, later ones identify them.
            let name = names.get(&topic.topic_id).filter(|_| topic.topic.is_empty()).unwrap_or(&topic.topic);
            for answer in topic.partitions {
                let partition = Partition { topic: name.clone(), index: answer.partition_index };
                let high_watermark = Offset(answer.high_watermark);
                let outcome = match ErrorCode(answer.error_code) {
                    ErrorCode::NONE => Ok(Fetched { records: answer.records.unwrap_or_default(), high_watermark }),
                    code => Err(code),
                };
                fetched.insert(partition, outcome);
            }
        }
        Ok(fetched)
    }

    /// Where the leader's log ends the largest epoch not above `epoch`; `None` if it can't say. `under` is the epoch that
    /// it is believed to lead in.
    ///
    /// # Errors
    /// Why there is no answer: asked once, of whoever is known to lead.
    pub async fn epoch_end(
        &mut self,
        partition: &Partition,
        epoch: LeaderEpoch,
        under: LeaderEpoch,
    ) -> Result<Option<EpochEnd>, ClientError> {
        let (leader, _) = self.leader(partition).await?;
        let asked = OffsetForLeaderPartition {
            partition: partition.index,
            current_leader_epoch: under.0,
            leader_epoch: epoch.0,
        };
        let topics = vec![OffsetForLeaderTopic { topic: partition.topic.clone(), partitions: vec![asked] }];
        let request = OffsetForLeaderEpochRequest { replica_id: CONSUMER, topics };
        let response = self.ask(leader, &request, Duration::ZERO).await?;
        let found = response.topics.into_iter().flat_map(|topic| topic.partitions).next();
        let found = found.ok_or_else(|| incomplete(leader, partition))?;
        ErrorCode(found.error_code).of(|| format!("partition {partition}"))?;
        let end = EpochEnd { epoch: LeaderEpoch(found.leader_epoch), end: Offset(found.end_offset) };
        Ok(Some(end).filter(|end| end.epoch.0 >= 0 && end.end.0 >= 0))
    }

    /// The first offset whose record is of `timestamp` (milliseconds since 1970) or later; [`LATEST`] or [`EARLIEST`].
    /// None: no such record.
    ///
    /// # Errors
    /// If there is no such partition, or its leader did not answer while patience lasted.
    pub async fn offset_at(&mut self, partition: &Partition, timestamp: i64) -> Result<Option<Offset>, ClientError> {
        let once = async |client: &mut Self| {
            let (leader, _) = client.leader(partition).await?;
            let partitions = std::slice::from_ref(partition);
            let mut answers = client.offsets(leader, CONSUMER, partitions, timestamp).await?;
            let answer = answers.remove(partition).ok_or_else(|| incomplete(leader, partition))?;
            answer.map_err(|code| ClientError::refused(format!("partition {partition}"), code))
        };
        let offset = self.patiently(once, ClientError::passes).await?;
        Ok(Some(offset).filter(|offset| offset.0 >= 0))
    }

    /// The first offset that is not known to be committed (exclusive), of partitions that `leader` leads.
    ///
    /// # Errors
    /// Why `leader` gave no answer. What is wrong with one partition stands at its place.
    pub async fn high_watermarks(
        &mut self,
        leader: i32,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Result<Offset, ErrorCode>>, ClientError> {
        self.offsets(leader, CONSUMER, partitions, LATEST).await
    }

    /// The end (exclusive) of `broker`'s own copy of partitions, whether it leads them or not.
    ///
    /// # Errors
    /// Why `broker` gave no answer. What is wrong with one partition stands at its place.
    pub async fn log_ends(
        &mut self,
        broker: i32,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Result<Offset, ErrorCode>>, ClientError> {
        self.offsets(broker, DEBUGGING_REPLICA, partitions, LATEST).await
    }

    async fn offsets(
        &mut self,
        broker: i32,
        replica_id: i32,
        partitions: &[Partition],
        timestamp: i64,
    ) -> Result<BTreeMap<Partition, Result<Offset, ErrorCode>>, ClientError> {
        let mut topics: BTreeMap<&str, ListOffsetsTopic> = BTreeMap::new();
        for Partition { topic: name, index } in partitions {
            let topic = topics.entry(name).or_default();
            topic.name = name.clone();
            topic.partitions.push(ListOffsetsPartition { partition_index: *index, timestamp, ..Default::default() });
        }
        let topics = topics.into_values().collect();
        let timeout_ms = milliseconds(self.patience().answer);
        let request = ListOffsetsRequest { replica_id, topics, timeout_ms, ..Default::default() };
        self.ask(broker, &request, Duration::ZERO).await.map(by_partition)
    }
}

fn by_partition(response: ListOffsetsResponse) -> BTreeMap<Partition, Result<Offset, ErrorCode>> {
    let mut offsets = BTreeMap::new();
    for topic in response.topics {
        for answer in topic.partitions {
            let partition = Partition { topic: topic.name.clone(), index: answer.partition_index };
            let outcome = match ErrorCode(answer.error_code) {
                ErrorCode::NONE => Ok(Offset(answer.offset)),
                code => Err(code),
            };
            offsets.insert(partition, outcome);
        }
    }
    offsets
}

fn incomplete(broker: i32, partition: &Partition) -> ClientError {
    ClientError::Incomplete { address: format!("broker {broker}"), subject: format!("partition {partition}") }
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
