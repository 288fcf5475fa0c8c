//! One copy of a log, read from its beginning to its end.

use super::ask::{View, ask};
use highwater::client::ErrorCode;
use highwater::records::{records, split};
use highwater::wire::Uuid;
use highwater::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, ReplicaState};
use highwater_spec::values::Offset;
use std::error::Error;
use std::net::SocketAddr;

/// How much of a log one answer may bring, in bytes.
const MAX_BYTES: i32 = 4 << 20;
/// More than the records of one batch take here.
const BATCH_LIMIT: usize = 1 << 20;

/// The batches of a copy as they lie there, byte for byte: offset, epoch and CRC are among the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copy {
    batches: Vec<bytes::Bytes>,
    /// The values in it; the first one's offset is 0.
    pub values: Vec<String>,
}

impl Copy {
    /// Reads what `broker` has below `end` (exclusive).
    ///
    /// # Errors
    /// When it doesn't answer, sends what is no batch, or leaves a gap.
    pub async fn read(broker: SocketAddr, topic: Uuid, view: View, end: Offset) -> Result<Self, Box<dyn Error>> {
        let mut copy = Self::default();
        while copy.end() < end {
            let before = copy.end();
            copy.extend(fetch(broker, topic, view, before).await?)?;
            if copy.end() == before {
                return Err(format!("{broker} has nothing at {before}, and says that it reaches to {end}").into());
            }
        }
        Ok(copy)
    }

    /// Where it ends (exclusive).
    #[must_use]
    pub fn end(&self) -> Offset {
        Offset(i64::try_from(self.values.len()).unwrap_or(i64::MAX))
    }

    fn extend(&mut self, batches: bytes::Bytes) -> Result<(), Box<dyn Error>> {
        for batch in split(batches) {
            let (header, bytes) = batch?;
            if header.base_offset != self.end() {
                return Err(format!("a batch at {}, where {} is expected", header.base_offset, self.end()).into());
            }
            for record in records(&bytes, BATCH_LIMIT)? {
                let value = record?.value.unwrap_or_default();
                self.values.push(String::from_utf8_lossy(&value).trim_end().to_owned());
            }
            self.batches.push(bytes);
        }
        Ok(())
    }

    /// The first place where two copies differ, in words.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let told = |copy: &Self, index: usize| copy.batches.get(index).map_or("nothing".to_owned(), describe);
        let length = self.batches.len().max(other.batches.len());
        let index = (0..length).find(|index| self.batches.get(*index) != other.batches.get(*index))?;
        Some(format!("batch {index} is {} in one and {} in the other", told(self, index), told(other, index)))
    }
}

async fn fetch(broker: SocketAddr, topic: Uuid, view: View, from: Offset) -> Result<bytes::Bytes, Box<dyn Error>> {
    let partition = FetchPartition { fetch_offset: from.0, partition_max_bytes: MAX_BYTES, ..Default::default() };
    let request = FetchRequest {
        replica_state: ReplicaState { replica_id: view.replica_id(), ..Default::default() },
        max_bytes: MAX_BYTES,
        topics: vec![FetchTopic { topic_id: topic, partitions: vec![partition], ..Default::default() }],
        ..Default::default()
    };
    let mut answer = ask(broker, &request).await?;
    ErrorCode(answer.error_code).of(|| "a fetch".to_owned())?;
    let partition = answer.responses.pop().and_then(|mut topic| topic.partitions.pop());
    let partition = partition.ok_or("a partition that was asked for isn't in the answer")?;
    ErrorCode(partition.error_code).of(|| format!("a fetch from {from}"))?;
    Ok(partition.records.unwrap_or_default())
}

fn describe(batch: &bytes::Bytes) -> String {
    match highwater::records::BatchHeader::parse(batch) {
        Ok(header) => format!(
            "offsets {} to {} of epoch {:?}, CRC {:08x}",
            header.base_offset,
            header.last_offset(),
            header.leader_epoch.map(|epoch| epoch.0),
            header.crc
        ),
        Err(error) => format!("no batch ({error})"),
    }
}
