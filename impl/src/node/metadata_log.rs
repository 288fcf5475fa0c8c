//! The metadata log on the disk of the controller: `__cluster_metadata-0`, in Kafka's format.
//!
//! Each step's records are one batch, so that they are there together or not at all.

use super::cluster::Addresses;
use super::metadata_records::{self, UnknownRecord};
use crate::records::{self, BatchBuilder, RecordError};
use crate::storage::{LogConfig, LogReader, PartitionLog, StorageError};
use crate::wire::{DecodeError, EncodeError, MetadataRecord};
use bytes::Bytes;
use highwater_spec::controller::{Image, Record};
use highwater_spec::log::{Batch, EpochCache, LastRun};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of its folder.
const FOLDER: &str = "__cluster_metadata-0";
/// One controller is always the active one, in one epoch.
const EPOCH: LeaderEpoch = LeaderEpoch(1);
/// How much of the log is read at once, in bytes.
const READ: usize = 1 << 20;

/// Why the metadata log can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataLogError {
    /// The disk.
    #[error("the metadata log: {0}")]
    Storage(#[from] StorageError),
    /// A batch.
    #[error("the metadata log at offset {0}: {1}")]
    Batch(Offset, RecordError),
    /// A record.
    #[error("the metadata log at offset {0}: {1}")]
    Record(Offset, DecodeError),
    /// A record that can't be written.
    #[error("a metadata record can't be written: {0}")]
    Unfit(#[from] EncodeError),
    /// A record of another release.
    #[error("the metadata log at offset {0}: {1}")]
    Unknown(Offset, UnknownRecord),
}

/// What a log says from its beginning to its end.
pub struct Replayed {
    /// The metadata.
    pub image: Image,
    /// Where its brokers listen.
    pub addresses: Addresses,
    /// The log end offset (exclusive).
    pub end: Offset,
}

/// The writing side.
pub struct MetadataLog {
    log: PartitionLog,
    epochs: EpochCache,
}

impl MetadataLog {
    /// Opens the log below the log directory `dir`, or begins one.
    ///
    /// # Errors
    /// When the files can't be read or made.
    pub fn open(dir: &Path) -> Result<Self, MetadataLogError> {
        let folder = dir.join(FOLDER);
        let recovery_point = PartitionLog::noted_recovery_point(&folder)?;
        let last = LastRun { recovery_point, only_copy: true, ..LastRun::UNKNOWN };
        let (log, found) = PartitionLog::open(&folder, LogConfig::default(), &last)?;
        Ok(Self { log, epochs: found.epochs })
    }

    /// Reads the log, to be served to brokers.
    pub fn reader(&self) -> LogReader {
        self.log.reader()
    }

    /// Folds the whole log.
    ///
    /// # Errors
    /// When it can't be read, or has a record that this release does not know.
    pub fn replay(&self) -> Result<Replayed, MetadataLogError> {
        let (mut image, mut addresses, mut at) = (Image::default(), Addresses::default(), Offset(0));
        let end = self.log.end();
        while at < end {
            let bytes = self.log.reader().read(at, end, READ, true)?;
            for (offset, record) in decode(&bytes)?.into_iter().flatten() {
                let (record, endpoint) = metadata_records::decode(&record, &image)
                    .map_err(|error| MetadataLogError::Unknown(offset, error))?;
                endpoint.into_iter().for_each(|(incarnation, endpoint)| addresses.note(incarnation, endpoint));
                image.apply(&record);
                at = offset.next();
            }
        }
        addresses.keep(&image);
        Ok(Replayed { image, addresses, end })
    }

    /// Appends the records of one step.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn append(
        &mut self,
        base: Offset,
        records: &[Record],
        before: &Image,
        addresses: &Addresses,
    ) -> Result<(), MetadataLogError> {
        if self.epochs.latest() != Some(EPOCH) {
            self.epochs.assign(EPOCH, base);
            self.log.store_epochs(&self.epochs)?;
        }
        let of_batch = |error| MetadataLogError::Batch(base, error);
        let mut builder = BatchBuilder::new();
        for record in metadata_records::encode(records, before, addresses) {
            builder.push(now(), None, Some(&record.encode()?), &[]).map_err(of_batch)?;
        }
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let bytes = builder.build().map_err(of_batch)?;
        Ok(self.log.append(&[Batch { base, count, epoch: EPOCH, producer: None, bytes }])?)
    }

    /// Makes everything below `upto` (exclusive) durable.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn flush(&mut self, upto: Offset) -> Result<(), MetadataLogError> {
        Ok(self.log.flush(upto)?)
    }

    /// Everything below is durable (exclusive).
    #[cfg(test)]
    pub fn durable(&self) -> Offset {
        self.log.recovery_point()
    }

    /// Notes how far the log is durable: what is damaged below that is no torn end, and the log is refused.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn note_recovery_point(&self) -> Result<(), MetadataLogError> {
        Ok(self.log.note_recovery_point()?)
    }

    /// Closes the files.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn close(self) -> Result<(), MetadataLogError> {
        self.note_recovery_point()?;
        Ok(self.log.close()?)
    }
}

/// The records of some batches, each with its offset: those of one step of the controller are one batch.
///
/// # Errors
/// When a batch or a record is malformed.
pub fn decode(batches: &Bytes) -> Result<Vec<Vec<(Offset, MetadataRecord)>>, MetadataLogError> {
    let mut steps = Vec::new();
    for batch in records::split(batches.clone()) {
        let (header, bytes) = batch.map_err(|error| MetadataLogError::Batch(Offset(-1), error))?;
        if header.attributes.is_control() {
            continue;
        }
        let of_batch = |error| MetadataLogError::Batch(header.base_offset, error);
        let mut decoded = Vec::new();
        for record in records::records(&bytes, bytes.len()).map_err(of_batch)? {
            let record = record.map_err(of_batch)?;
            let value = record.value.unwrap_or_default();
            let known =
                MetadataRecord::decode(&value).map_err(|error| MetadataLogError::Record(record.offset, error))?;
            decoded.push((record.offset, known));
        }
        steps.push(decoded);
    }
    Ok(steps)
}

/// The time as records have it: milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
