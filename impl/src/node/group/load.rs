//! What a new coordinator begins with: the fold of its partition's log.
//!
//! It reads once everything in the log is committed, so that no answer rests on what may still be cut away. (Kafka
//! answers from below the high watermark meanwhile.) Source: Kafka's `CoordinatorLoaderImpl`.

use super::records::from_wire;
use crate::carrier::Durable;
use crate::node::broker_host::Shards;
use crate::node::partitions::{Partition, Partitions};
use crate::node::shard;
use crate::records::{RecordError, records, split};
use crate::storage::{LogReader, StorageError};
use crate::wire::{DecodeError, Fault, GroupRecord};
use bytes::Bytes;
use highwater_spec::group::{Config, Coordinator};
use highwater_spec::replica::ReadRole;
use highwater_spec::replicated::LogBacked;
use highwater_spec::values::{Offset, TopicPartition};
use std::sync::Arc;
use tokio::sync::{Notify, oneshot};

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;
/// How far a batch may grow when it is looked into, in bytes.
const MOST_DECOMPRESSED: usize = 256 << 20;

/// Why a log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Somebody else leads by now.
    #[error("this broker does not lead it any more")]
    NotLeading,
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A batch.
    #[error("a batch after offset {0}: {1}")]
    Batch(Offset, RecordError),
    /// A record.
    #[error("the record at offset {0}: {1}")]
    Record(Offset, DecodeError),
    /// The thread that read it.
    #[error("its reader panicked")]
    Panicked,
}

/// A coordinator's state, and the offset after the last record that it is the fold of.
pub struct Loaded {
    /// The state.
    pub coordinator: Coordinator<Durable>,
    /// The log end offset (exclusive).
    pub end: Offset,
}

/// Waits until this broker's replica leads and everything in its log is committed, and reads it.
///
/// # Errors
/// When it does not lead, or its log can't be read.
pub async fn load(
    shards: Shards,
    partitions: Arc<Partitions>,
    id: TopicPartition,
    config: Config,
) -> Result<Loaded, LoadError> {
    // The replica hears that it leads before this does, and whatever was appended before is in its log then.
    let (done, heard) = oneshot::channel();
    shards.send(id, shard::Event::Sync(id, Box::new(move || done.send(()).unwrap_or_default())));
    heard.await.map_err(|_| LoadError::NotLeading)?;
    let partition = partitions.get(id).ok_or(LoadError::NotLeading)?;
    let (start, end) = committed(&partition).await?;
    let reader = partition.reader.clone();
    let read = tokio::task::spawn_blocking(move || fold(&reader, start, end, config));
    let coordinator = read.await.map_err(|_| LoadError::Panicked)??;
    Ok(Loaded { coordinator, end })
}

/// The ends of the log once the high watermark has reached its end. Nobody else appends meanwhile.
async fn committed(partition: &Partition) -> Result<(Offset, Offset), LoadError> {
    let woken = Arc::new(Notify::new());
    let _registration = partition.parked.register(Arc::clone(&woken) as _);
    loop {
        let view = partition.view.read();
        if !matches!(view.role, ReadRole::Leader { .. }) {
            return Err(LoadError::NotLeading);
        }
        if view.high_watermark >= view.log_end {
            return Ok((view.log_start, view.log_end));
        }
        woken.notified().await;
    }
}

fn fold(reader: &LogReader, start: Offset, end: Offset, config: Config) -> Result<Coordinator<Durable>, LoadError> {
    let mut coordinator = Coordinator::new(config);
    let mut next = start;
    while next < end {
        let bytes = reader.read(next, end, CHUNK, true)?;
        if bytes.is_empty() {
            // Cleaned away, and cut: a log may go further than its last batch.
            break;
        }
        for batch in split(bytes) {
            let (header, batch) = batch.map_err(|error| LoadError::Batch(next, error))?;
            if !header.attributes.is_control() {
                apply(&batch, next, &mut coordinator)?;
            }
            next = header.next_offset();
        }
    }
    Ok(coordinator)
}

fn apply(batch: &Bytes, at: Offset, coordinator: &mut Coordinator<Durable>) -> Result<(), LoadError> {
    for record in records(batch, MOST_DECOMPRESSED).map_err(|error| LoadError::Batch(at, error))? {
        let record = record.map_err(|error| LoadError::Batch(at, error))?;
        match GroupRecord::decode(&record.key.unwrap_or_default(), record.value.as_ref()) {
            Ok(known) => coordinator.apply(&from_wire(known)),
            // A later version's, as Kafka takes it.
            Err(DecodeError { fault: Fault::RecordKey(kind), .. }) => {
                tracing::warn!(offset = %record.offset, kind, "a record of an unknown kind is passed over");
            }
            Err(error) => return Err(LoadError::Record(record.offset, error)),
        }
    }
    Ok(())
}
