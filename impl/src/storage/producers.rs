//! What a log says of its producers, and the notes of it that spare reading the whole log.
//!
//! A note (`00000000000000000042.snapshot`, in Kafka's format) is what the log below its offset says. It has only the
//! last batch of each producer, so that what is known from a note and a part of the log may be less than five. That is
//! why a note is taken that leaves at least the newest two segments to be read.
//!
//! Notes are not flushed: one that a power loss has spoilt is passed over for an older one. Source: Kafka's
//! `ProducerStateManager`, `UnifiedLog.rebuildProducerState`.

use super::error::Context;
use super::names::{SNAPSHOT, parse_segment_file, segment_file};
use super::scan::Scan;
use super::segment::Segment;
use super::{StorageError, durable};
use highwater_spec::producer::{Producers, Sequence, Sequenced};
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Timestamp};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const VERSION: i16 = 1;
/// Version and CRC-32C come first; the CRC covers what follows them.
const CHECKED_FROM: usize = 6;
const ENTRIES_FROM: usize = CHECKED_FROM + 4;
const ENTRY_SIZE: usize = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8;
/// No marker of a transaction was ever written.
const NO_COORDINATOR: i32 = -1;
/// No transaction is open.
const NO_TRANSACTION: i64 = -1;

/// What a log of these segments says, by the best note of the log below `trusted` (inclusive) and the batches after it.
pub(super) fn load(folder: &Path, segments: &[Arc<Segment>], trusted: Offset) -> Result<Producers, StorageError> {
    let newest_two = segments.len().saturating_sub(2);
    let limit = segments.get(newest_two).map_or(trusted, |segment| segment.base.min(trusted));
    let (mut producers, from) = best(folder, limit)?.unwrap_or_default();
    let first = segments.partition_point(|segment| segment.base <= from).saturating_sub(1);
    for segment in &segments[first..] {
        for batch in Scan::headers(segment, 0) {
            let header = batch.map_err(|error| error.into_storage(segment))?.header;
            if let Some(sequenced) = header.sequenced().filter(|_| header.base_offset >= from) {
                producers.appended(&sequenced, header.base_offset, header.offset_count());
            }
        }
    }
    Ok(producers)
}

/// The newest sound note of a log that ends at `limit` or before, with the offset that it is about.
fn best(folder: &Path, limit: Offset) -> Result<Option<(Producers, Offset)>, StorageError> {
    for offset in noted(folder)?.into_iter().rev().filter(|offset| *offset <= limit) {
        let path = folder.join(segment_file(offset, SNAPSHOT));
        match decode(&fs::read(&path).context("read", &path)?) {
            Some(producers) => return Ok(Some((producers, offset))),
            None => tracing::warn!(path = %path.display(), "a note of producers is damaged, and is passed over"),
        }
    }
    Ok(None)
}

/// Notes what the log below `end` says.
pub(super) fn note(folder: &Path, end: Offset, producers: &Producers) -> Result<(), StorageError> {
    let path = folder.join(segment_file(end, SNAPSHOT));
    let temporary = folder.join(segment_file(end, SNAPSHOT) + durable::TEMPORARY);
    fs::write(&temporary, encode(producers)).context("write", &temporary)?;
    fs::rename(&temporary, &path).context("replace", &path)
}

/// Removes, durably, the notes about offsets that `gone` picks.
pub(super) fn remove(folder: &Path, gone: impl Fn(Offset) -> bool) -> Result<(), StorageError> {
    let gone: Vec<_> = noted(folder)?.into_iter().filter(|offset| gone(*offset)).collect();
    gone.iter().try_for_each(|offset| durable::remove(&folder.join(segment_file(*offset, SNAPSHOT))))?;
    if gone.is_empty() { Ok(()) } else { durable::sync_folder(folder) }
}

/// The offsets that there are notes about, ascending.
fn noted(folder: &Path) -> Result<Vec<Offset>, StorageError> {
    let mut noted = Vec::new();
    for entry in fs::read_dir(folder).context("list", folder)? {
        let name = entry.context("list", folder)?.file_name();
        let parsed = name.to_str().and_then(parse_segment_file);
        noted.extend(parsed.filter(|(_, ending)| *ending == SNAPSHOT).map(|(offset, _)| offset));
    }
    noted.sort_unstable();
    Ok(noted)
}

fn encode(producers: &Producers) -> Vec<u8> {
    let last = producers.iter().filter_map(|(id, producer)| Some((id, producer.epoch(), producer.last()?)));
    let mut entries = Vec::with_capacity(ENTRY_SIZE * producers.len());
    let mut count = 0_i32;
    for (id, epoch, written) in last {
        let offset_delta = written.end.0.saturating_sub(written.base.0).saturating_sub(1);
        entries.extend(id.0.to_be_bytes());
        entries.extend(epoch.0.to_be_bytes());
        entries.extend(written.last().0.to_be_bytes());
        entries.extend(written.end.0.saturating_sub(1).to_be_bytes());
        entries.extend(i32::try_from(offset_delta).unwrap_or(i32::MAX).to_be_bytes());
        entries.extend(written.timestamp.0.to_be_bytes());
        entries.extend(NO_COORDINATOR.to_be_bytes());
        entries.extend(NO_TRANSACTION.to_be_bytes());
        count += 1;
    }
    let checked = [&count.to_be_bytes()[..], &entries].concat();
    [&VERSION.to_be_bytes()[..], &crc32c::crc32c(&checked).to_be_bytes(), &checked].concat()
}

/// `None` for a file that is damaged, or of another version.
fn decode(bytes: &[u8]) -> Option<Producers> {
    let (head, checked) = bytes.split_at_checked(CHECKED_FROM)?;
    let crc = u32::from_be_bytes(head.get(2..)?.try_into().ok()?);
    if head[..2] != VERSION.to_be_bytes() || crc != crc32c::crc32c(checked) {
        return None;
    }
    let (count, entries) = bytes[CHECKED_FROM..].split_at_checked(ENTRIES_FROM - CHECKED_FROM)?;
    let count = usize::try_from(i32::from_be_bytes(count.try_into().ok()?)).ok()?;
    if entries.len() != count.checked_mul(ENTRY_SIZE)? {
        return None;
    }
    let mut producers = Producers::default();
    for entry in entries.chunks_exact(ENTRY_SIZE) {
        let (batch, base, size) = decode_entry(entry)?;
        // Of a producer without a number Kafka knows only that a transaction ended.
        if batch.first.0 >= 0 {
            producers.appended(&batch, base, size);
        }
    }
    Some(producers)
}

/// A producer's last batch, its base offset and how many offsets it takes.
fn decode_entry(entry: &[u8]) -> Option<(Sequenced, Offset, u32)> {
    fn field<const N: usize>(entry: &[u8], at: usize) -> Option<[u8; N]> {
        entry.get(at..at + N)?.try_into().ok()
    }
    let (last_sequence, last_offset) = (i32::from_be_bytes(field(entry, 10)?), i64::from_be_bytes(field(entry, 14)?));
    let delta = u32::try_from(i32::from_be_bytes(field(entry, 22)?)).ok()?;
    // Going on around all the numbers is going back.
    let back = i32::MAX.unsigned_abs().wrapping_add(1).checked_sub(delta)?;
    let batch = Sequenced {
        producer: ProducerId(i64::from_be_bytes(field(entry, 0)?)),
        epoch: ProducerEpoch(i16::from_be_bytes(field(entry, 8)?)),
        first: if last_sequence < 0 { Sequence(last_sequence) } else { Sequence(last_sequence).plus(back) },
        timestamp: Timestamp(i64::from_be_bytes(field(entry, 26)?)),
    };
    Some((batch, Offset(last_offset.checked_sub(i64::from(delta))?), delta.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Producers {
        let mut producers = Producers::default();
        let batch = |producer, first| Sequenced {
            producer: ProducerId(producer),
            epoch: ProducerEpoch(3),
            first: Sequence(first),
            timestamp: Timestamp(77),
        };
        producers.appended(&batch(5, 10), Offset(100), 3);
        producers.appended(&batch(6, i32::MAX), Offset(103), 2);
        producers
    }

    #[test]
    fn a_note_says_what_it_was_told_and_a_damaged_one_nothing() {
        let bytes = encode(&some());
        assert_eq!(decode(&bytes), Some(some()));
        assert_eq!(decode(&encode(&Producers::default())), Some(Producers::default()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged), None, "byte {at}");
            assert_eq!(decode(&bytes[..at]), None, "{at} bytes");
        }
    }

    /// Kafka 4.1's own layout, field by field.
    #[test]
    fn a_note_is_kafkas() {
        let mut producers = Producers::default();
        let (producer, epoch) = (ProducerId(0x0102), ProducerEpoch(3));
        let batch = Sequenced { producer, epoch, first: Sequence(10), timestamp: Timestamp(0x99) };
        producers.appended(&batch, Offset(0x100), 3);
        let bytes = encode(&producers);
        let hex: String = bytes[CHECKED_FROM..].iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            "00000001",
            "0000000000000102",
            "0003",
            "0000000c",
            "0000000000000102",
            "00000002",
            "0000000000000099",
            "ffffffff",
            "ffffffffffffffff",
        ];
        assert_eq!(hex, expected.concat());
        assert_eq!(bytes[..2], [0, 1]);
    }

    #[test]
    fn the_newest_sound_note_below_the_limit_is_taken() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        note(dir.path(), Offset(100), &Producers::default()).expect("a note");
        note(dir.path(), Offset(105), &some()).expect("a note");
        note(dir.path(), Offset(200), &some()).expect("a note");
        fs::write(dir.path().join(segment_file(Offset(150), SNAPSHOT)), b"torn").expect("a file");
        let best = |limit| best(dir.path(), Offset(limit)).expect("a folder").map(|(_, offset)| offset.0);
        assert_eq!([99, 104, 199, 200].map(best), [None, Some(100), Some(105), Some(200)]);
        remove(dir.path(), |offset| offset > Offset(105)).expect("a folder");
        assert_eq!(noted(dir.path()).expect("a folder"), [Offset(100), Offset(105)]);
    }
}
