//! What the tests of logs share: batches, small segments, and opening a log again.

use bytes::Bytes;
use highwater::carrier::Net;
use highwater::records::{BatchBuilder, BatchHeader, split};
use highwater::storage::{LogConfig, LogReader, PartitionLog};
use highwater_spec::log::{Batch, LastRun};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::path::Path;

/// Segments of a few batches, and an index entry for nearly each of them.
pub fn small() -> LogConfig {
    LogConfig { segment_bytes: 600, index_interval_bytes: 100, record_flush_marks: true, ..LogConfig::default() }
}

/// A batch at its place, of records with these timestamps, each with a value of `size` bytes that names the epoch.
pub fn batch(base: Offset, epoch: i32, timestamps: &[i64], size: usize) -> Batch<Net> {
    batch_of(BatchBuilder::new(), base, epoch, timestamps, size)
}

/// The same, of a producer that has the id `producer` and is in epoch 0, with `first` as its first number.
pub fn numbered(
    (producer, first): (i64, i32),
    base: Offset,
    epoch: i32,
    timestamps: &[i64],
    size: usize,
) -> Batch<Net> {
    batch_of(BatchBuilder::new().producer(producer, 0, first), base, epoch, timestamps, size)
}

fn batch_of(mut builder: BatchBuilder, base: Offset, epoch: i32, timestamps: &[i64], size: usize) -> Batch<Net> {
    for timestamp in timestamps {
        builder.push(*timestamp, None, Some(&vec![!epoch as u8; size]), &[]).unwrap();
    }
    let count = timestamps.len() as u32;
    let bytes = builder.build().unwrap();
    let producer = BatchHeader::parse(&bytes).unwrap().sequenced();
    Batch { base, count, epoch: LeaderEpoch(epoch), producer, bytes }
}

/// The bytes of a batch as a log has them.
pub fn stored(batch: &Batch<Net>) -> Bytes {
    let header = highwater::records::stamped(&batch.bytes, batch.base, batch.epoch).unwrap();
    [&header, &batch.bytes[header.len()..]].concat().into()
}

/// Everything that a log has from its `start` on.
pub fn everything(reader: &LogReader, start: Offset) -> Vec<(BatchHeader, Bytes)> {
    let mut found = Vec::new();
    let mut from = start;
    loop {
        let bytes = reader.read(from, Offset(i64::MAX), 4096, true).unwrap();
        if bytes.is_empty() {
            return found;
        }
        found.extend(split(bytes).map(Result::unwrap));
        from = found.last().unwrap().0.next_offset();
    }
}

/// The offsets after the last records of a log that begins at 0.
pub fn ends(reader: &LogReader) -> Vec<i64> {
    everything(reader, Offset(0)).iter().map(|(header, _)| header.next_offset().0).collect()
}

/// What is known after a crash, with this recovery point.
pub fn crashed(recovery_point: i64) -> LastRun {
    LastRun { recovery_point: Offset(recovery_point), ..LastRun::UNKNOWN }
}

/// What is known after a clean shutdown.
pub fn clean() -> LastRun {
    LastRun { clean: true, ..LastRun::UNKNOWN }
}

/// A log of `batches` batches of two records each, at epoch 0, with timestamps 10, 11, 20, 21 and so on.
pub fn written(folder: &Path, batches: i64) -> PartitionLog {
    let (mut log, found) = PartitionLog::open(folder, small(), &LastRun::UNKNOWN).unwrap();
    assert_eq!(found.end, Offset(0));
    log.store_epochs(&std::iter::once((0, 0)).map(entry).collect()).unwrap();
    for index in 0..batches {
        let time = 10 * (index + 1);
        log.append(&[batch(Offset(2 * index), 0, &[time, time + 1], 40)]).unwrap();
    }
    log
}

/// An entry of an epoch cache.
pub fn entry((epoch, start): (i32, i64)) -> highwater_spec::log::EpochEntry {
    highwater_spec::log::EpochEntry { epoch: LeaderEpoch(epoch), start: Offset(start) }
}

/// The paths in `folder` whose names end so, sorted.
pub fn files(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths
}
