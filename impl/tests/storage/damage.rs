//! What a crash, a broken disk or a careless hand may leave of a log, and what opening it makes of that.

use crate::support::{batch, clean, crashed, ends, entry, everything, files, small, stored, written};
use highwater::storage::{LogConfig, PartitionLog, StorageError};
use highwater_spec::log::{EpochCache, LastRun, recover};
use highwater_spec::values::Offset;
use std::fs;
use std::path::Path;

fn open(folder: &Path, last: &LastRun) -> Result<PartitionLog, StorageError> {
    PartitionLog::open(folder, small(), last).map(|(log, _)| log)
}

/// The offsets after the batches that are left, after a crash with nothing flushed.
fn left(folder: &Path) -> Vec<i64> {
    ends(&open(folder, &crashed(0)).unwrap().reader())
}

/// The log of two batches in `folder`, cut or changed by `damage`, which gets its bytes.
fn damaged(folder: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> Vec<i64> {
    let path = &files(folder, ".log")[0];
    let whole = fs::read(path).unwrap();
    let mut bytes = whole.clone();
    damage(&mut bytes);
    fs::write(path, bytes).unwrap();
    let found = left(folder);
    fs::write(path, whole).unwrap();
    found
}

// Verifies: log.recovery.cut
#[test]
fn a_torn_tail_is_cut_at_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 3));
    let size = files(dir.path(), ".log")[0].metadata().unwrap().len() as usize;
    let one = size / 3;
    for length in one..=size {
        let kept: Vec<_> = (1..=(length / one) as i64).map(|batch| 2 * batch).collect();
        assert_eq!(damaged(dir.path(), |bytes| bytes.truncate(length)), kept, "{length} bytes");
        let torn = damaged(dir.path(), |bytes| bytes[length..].fill(0xff));
        assert_eq!(torn, kept, "garbage from {length} on");
        if !(length + 1).is_multiple_of(one) {
            let zeroed = damaged(dir.path(), |bytes| bytes[length..].fill(0));
            assert_eq!(zeroed, kept, "zeros from {length} on, not only for the last byte, which is 0");
        }
    }
}

// Verifies: log.recovery.cut
#[test]
fn a_flipped_bit_ends_the_log() {
    /// The base offset and the leader epoch, which no checksum covers.
    const UNCHECKED: [std::ops::Range<usize>; 2] = [0..8, 12..16];
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 3));
    let one = files(dir.path(), ".log")[0].metadata().unwrap().len() as usize / 3;
    for byte in 0..one {
        let found = damaged(dir.path(), |bytes| bytes[one + byte] ^= 1 << (byte % 8));
        match UNCHECKED.iter().any(|unchecked| unchecked.contains(&byte)) {
            true => assert_eq!(found[0], 2, "byte {byte}"),
            false => assert_eq!(found, [2], "byte {byte}"),
        }
    }
}

// Verifies: log.recovery.cut
#[test]
fn what_follows_a_torn_segment_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 12));
    let logs = files(dir.path(), ".log");
    assert!(logs.len() >= 3, "{logs:?}");
    let torn = logs[1].metadata().unwrap().len() - 1;
    fs::OpenOptions::new().write(true).open(&logs[1]).unwrap().set_len(torn).unwrap();
    let mut log = open(dir.path(), &crashed(0)).unwrap();
    let end = log.end();
    assert_eq!(files(dir.path(), ".log"), logs[..2]);
    assert_eq!(files(dir.path(), "index").len(), 4, "their indexes are gone too");
    log.append(&[batch(end, 0, &[500], 40)]).unwrap();
    assert_eq!(ends(&log.reader()).last(), Some(&end.next().0));
}

// Verifies: log.recovery.gap
#[test]
fn a_lost_segment_ends_the_log_only_where_nothing_was_flushed() {
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 12));
    let logs = files(dir.path(), ".log");
    fs::remove_file(&logs[1]).unwrap();
    let last = Offset(24);
    assert_eq!(open(dir.path(), &crashed(last.0)).unwrap().end(), last, "compaction may have emptied it");
    let end = open(dir.path(), &crashed(0)).unwrap().end();
    assert!(end < last);
    assert_eq!(files(dir.path(), ".log"), logs[..1]);
}

/// Each damages the file at this path in a way that its size, or what is in it, tells.
const INDEX_DAMAGE: [fn(&Path); 6] = [
    |path| fs::remove_file(path).unwrap(),
    |path| fs::write(path, b"").unwrap(),
    |path| fs::write(path, b"seven b").unwrap(),
    |path| fs::write(path, vec![0x5a; 240]).unwrap(),
    |path| fs::write(path, vec![0; 10 << 20]).unwrap(),
    |path| fs::write(path, [fs::read(path).unwrap(), vec![0; 24]].concat()).unwrap(),
];

#[test]
fn a_damaged_index_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 12).close().unwrap();
    let indexes: Vec<_> = files(dir.path(), "index").into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    for (whole, path) in indexes.iter().filter(|(whole, _)| !whole.is_empty()) {
        for (kind, damage) in INDEX_DAMAGE.iter().enumerate() {
            for last in [clean(), crashed(0), crashed(24)] {
                damage(path);
                let log = open(dir.path(), &last).unwrap();
                let what = format!("{} damaged in way {kind}, then {last:?}", path.display());
                assert_eq!(ends(&log.reader()).len(), 12, "{what}");
                for batch in 1..=12 {
                    let found = log.reader().offset_for_timestamp(10 * batch + 1, Offset(0), log.end()).unwrap();
                    assert_eq!(found.map(|found| found.offset), Some(Offset(2 * batch - 1)), "{what}");
                }
                drop(log);
                assert_eq!(&fs::read(path).unwrap(), whole, "{what}");
            }
        }
    }
}

/// A lookup looks where an index leads; a wrong entry in the middle, which opening doesn't see, costs only time.
#[test]
fn a_wrong_entry_gives_no_wrong_answer() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig { segment_bytes: 1 << 20, ..small() };
    drop(written(dir.path(), 1));
    let (mut log, _) = PartitionLog::open(dir.path(), config.clone(), &crashed(0)).unwrap();
    for index in 1..20 {
        log.append(&[batch(Offset(2 * index), 0, &[10 * (index + 1), 10 * (index + 1) + 1], 40)]).unwrap();
    }
    log.close().unwrap();
    for path in files(dir.path(), "index") {
        let mut bytes = fs::read(&path).unwrap();
        let size = if path.to_string_lossy().ends_with("timeindex") { 12 } else { 8 };
        let middle = bytes.len() / size / 2 * size;
        bytes[middle..middle + size - 4].fill(0);
        bytes[middle + size - 1] = 0x13;
        fs::write(path, bytes).unwrap();
    }
    let (log, _) = PartitionLog::open(dir.path(), config, &clean()).unwrap();
    for offset in 0..40 {
        let read = log.reader().read(Offset(offset), log.end(), 1, true).unwrap();
        let first = highwater::records::split(read).next().unwrap().unwrap().0;
        assert_eq!(first.base_offset.0, offset / 2 * 2);
        let time = 10 * (offset / 2 + 1) + offset % 2;
        let found = log.reader().offset_for_timestamp(time, Offset(0), log.end()).unwrap();
        assert_eq!(found.map(|found| found.offset), Some(Offset(offset)));
    }
}

// Verifies: log.recovery.intact
#[test]
fn a_log_that_was_closed_cleanly_must_be_whole() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 12).close().unwrap();
    fs::remove_file(&files(dir.path(), ".timeindex")[1]).unwrap();
    let path = &files(dir.path(), ".log")[1];
    let mut bytes = fs::read(path).unwrap();
    bytes[100] ^= 1;
    fs::write(path, bytes).unwrap();
    let error = open(dir.path(), &clean()).unwrap_err();
    assert!(matches!(&error, StorageError::Damaged { path: named, position: 0, .. } if named == path), "{error}");
    assert!(open(dir.path(), &crashed(0)).unwrap().end() < Offset(24));
}

// Verifies: log.recovery.scan
#[test]
fn epochs_that_were_lost_are_found_in_the_batches() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = written(dir.path(), 6);
    log.append(&[batch(Offset(12), 3, &[70], 400), batch(Offset(13), 5, &[80], 400)]).unwrap();
    log.flush(Offset(14)).unwrap();
    drop(log);
    let epochs: EpochCache = [(0, 0), (3, 12), (5, 13)].into_iter().map(entry).collect();
    let path = dir.path().join("leader-epoch-checkpoint");

    // What was written, though the checkpoint says only how it began.
    let (log, found) = PartitionLog::open(dir.path(), small(), &crashed(12)).unwrap();
    assert_eq!(found.epochs, epochs);
    drop(log);
    for last in [crashed(14), clean()] {
        fs::remove_file(&path).unwrap();
        let (mut log, found) = PartitionLog::open(dir.path(), small(), &last).unwrap();
        assert_eq!(found.epochs, epochs);
        log.store_epochs(&found.epochs).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "0\n3\n0 0\n3 12\n5 13\n");
    }
    fs::write(&path, "0\n2\n0 0\nthree 12\n").unwrap();
    let error = open(dir.path(), &crashed(14)).unwrap_err().to_string();
    assert!(error.contains("leader-epoch-checkpoint, line 4"), "{error}");
}

#[test]
fn leftovers_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 2));
    let leftovers = [
        "00000000000000000000.log.deleted",
        "00000000000000000000.timeindex.cleaned",
        "00000000000000000099.index",
        "leader-epoch-checkpoint.tmp",
    ];
    leftovers.iter().for_each(|name| fs::write(dir.path().join(name), b"x").unwrap());
    fs::write(dir.path().join("notes.txt"), b"somebody's").unwrap();
    assert_eq!(left(dir.path()), [2, 4]);
    assert!(leftovers.iter().all(|name| !dir.path().join(name).exists()));
    assert!(dir.path().join("notes.txt").exists());
}

// Verifies: log.recovery.start
#[test]
fn a_log_that_ends_before_its_start_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 2));
    let last = LastRun { log_start: Offset(5), high_watermark: Offset(7), ..crashed(0) };
    let (mut log, found) = PartitionLog::open(dir.path(), small(), &last).unwrap();
    let recovered = recover(found);
    assert_eq!((recovered.log.start, recovered.log.end, recovered.high_watermark), (Offset(5), Offset(5), Offset(5)));
    log.append(&[batch(Offset(5), 0, &[1], 1)]).unwrap();
    assert_eq!(everything(&log.reader(), Offset(5)).len(), 1);
    assert_eq!(files(dir.path(), ".log").len(), 1);

    let earlier = LastRun { log_start: Offset(3), ..crashed(0) };
    drop(written(&dir.path().join("other"), 2));
    let (_, found) = PartitionLog::open(&dir.path().join("other"), small(), &earlier).unwrap();
    assert_eq!((found.start, found.end), (Offset(3), Offset(4)), "a start within the log");
}

#[test]
fn what_is_written_is_what_kafka_would_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = written(dir.path(), 0);
    let batches: Vec<_> = (0..4).map(|index| batch(Offset(index), 7, &[100 + index], 100)).collect();
    log.append(&batches).unwrap();
    log.close().unwrap();
    let size = batches[0].bytes.len();
    let name = |ending: &str| dir.path().join(format!("00000000000000000000.{ending}"));
    let bytes = fs::read(name("log")).unwrap();
    assert_eq!(bytes[..3 * size], batches[..3].iter().map(stored).collect::<Vec<_>>().concat());
    let entries = |path, size| fs::read(path).unwrap().chunks(size).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let position = (size as u32).to_be_bytes();
    assert_eq!(entries(name("index"), 8)[0], [&[0, 0, 0, 1], &position[..]].concat(), "the second batch");
    assert_eq!(entries(name("timeindex"), 12)[0], [0, 0, 0, 0, 0, 0, 0, 101, 0, 0, 0, 1]);
    assert_eq!(entries(name("timeindex"), 12).last().unwrap()[7], 102, "the segment's last timestamp");
    assert!(dir.path().join("00000000000000000003.log").exists(), "600 bytes are full");
}
