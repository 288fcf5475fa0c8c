//! Appending, rolling, cutting, flushing and deleting, one case each.

use crate::support::{batch, clean, crashed, ends, everything, files, numbered, small, written};
use highwater::storage::{LogConfig, PartitionLog, StorageError};
use highwater_spec::log::LastRun;
use highwater_spec::values::{Offset, ProducerId};
use std::path::Path;

fn open(folder: &Path, config: LogConfig) -> PartitionLog {
    PartitionLog::open(folder, config, &crashed(0)).unwrap().0
}

// Verifies: log.roll.*
#[test]
fn a_segment_ends_when_the_rules_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = |name: &str, config: LogConfig, times: &[i64]| {
        let folder = dir.path().join(name);
        let mut log = open(&folder, config);
        let batches: Vec<_> = (0..).zip(times).map(|(offset, time)| batch(Offset(offset), 0, &[*time], 32)).collect();
        log.append(&batches).unwrap();
        assert_eq!(ends(&log.reader()).len(), times.len());
        let names = files(&folder, ".log");
        names.iter().map(|path| path.metadata().unwrap().len() / batches[0].bytes.len() as u64).collect::<Vec<_>>()
    };
    let whole = LogConfig::default();
    assert_eq!(sizes("none", whole.clone(), &[1; 9]), [9]);
    let size = batch(Offset(0), 0, &[1], 32).bytes.len() as u32;
    assert_eq!(sizes("bytes", LogConfig { segment_bytes: 3 * size, ..whole.clone() }, &[1; 7]), [3, 3, 1]);
    assert_eq!(sizes("less", LogConfig { segment_bytes: size - 1, ..whole.clone() }, &[1; 3]), [1, 1, 1]);
    assert_eq!(sizes("time", LogConfig { segment_ms: 10, ..whole }, &[1, 11, 5, 12, 22, 23]), [3, 2, 1]);
}

/// From wherever a batch begins, one that fits is read, also when what lies before it fills most of what is looked at.
#[test]
fn no_size_of_batch_stops_a_reader() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), LogConfig::default());
    let sizes = [10, 7_000, 9_000, 500_000, 900_000, 20, 20, 950_000, 8_100, 64_000, 1_000_000, 10];
    // Of two records each, so that the index knows the batch before the one that is looked for.
    for (index, size) in (0..).zip(sizes) {
        log.append(&[batch(Offset(2 * index), 0, &[1, 1], size / 2)]).unwrap();
    }
    for most in [1, 8_000, 100_000, 1 << 20] {
        for from in (0..2 * sizes.len() as i64).step_by(2) {
            let read = log.reader().read(Offset(from), Offset(i64::MAX), most, true).unwrap();
            let first = highwater::records::BatchHeader::parse(&read).expect("at least one batch");
            assert_eq!(first.base_offset, Offset(from), "from {from}, at most {most} bytes");
        }
    }
}

#[test]
fn what_lies_between_two_offsets_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let log = written(dir.path(), 20); // in several segments, of two records each
    let reader = log.reader();
    let size = |from, upto| reader.size_between(Offset(from), Offset(upto)).unwrap();
    assert_eq!(size(0, 40), reader.size());
    assert_eq!((size(0, 0), size(40, 40), size(40, 99)), (0, 0, 0));
    for cut in (0..=40).step_by(2) {
        assert_eq!(size(0, cut) + size(cut, 40), reader.size(), "at {cut}");
    }
}

// Verifies: log.roll.index
#[test]
fn a_full_index_ends_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig { index_interval_bytes: 1, segment_index_bytes: 36, ..LogConfig::default() };
    let mut log = open(dir.path(), config);
    for offset in 0..7 {
        log.append(&[batch(Offset(offset), 0, &[offset], 32)]).unwrap();
    }
    let entries: Vec<_> = files(dir.path(), ".timeindex").iter().map(|path| path.metadata().unwrap().len()).collect();
    assert_eq!(entries[..2], [24, 24], "two entries of three, and the last timestamp is in already");
    assert_eq!(ends(&log.reader()), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_batch_must_follow_on() {
    let dir = tempfile::tempdir().unwrap();
    let whole = batch(Offset(4), 0, &[1, 2], 8);
    let wrong = [
        batch(Offset(3), 0, &[1], 8),
        highwater_spec::log::Batch { count: 3, ..whole.clone() },
        highwater_spec::log::Batch { bytes: whole.bytes.slice(..whole.bytes.len() - 1), ..whole.clone() },
        highwater_spec::log::Batch { bytes: whole.bytes.slice(..50), ..whole.clone() },
    ];
    for (index, wrong) in wrong.into_iter().enumerate() {
        let folder = dir.path().join(index.to_string());
        let mut log = written(&folder, 2);
        assert!(log.append(&[wrong]).is_err());
        let failed = [log.append(std::slice::from_ref(&whole)), log.flush(Offset(4)), log.truncate(Offset(2))];
        assert!(failed.iter().all(|done| matches!(done, Err(StorageError::Failed { .. }))), "{failed:?}");
        assert!(matches!(log.close(), Err(StorageError::Failed { .. })));
        assert_eq!(ends(&open(&folder, small()).reader()), [2, 4], "nothing of it was written");
    }
}

// Verifies: log.recovery.point
#[test]
fn a_cut_lowers_the_recovery_point() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = written(dir.path(), 12);
    log.flush(Offset(20)).unwrap();
    assert_eq!(log.recovery_point(), Offset(20));
    log.truncate(Offset(30)).unwrap();
    assert_eq!((log.end(), log.recovery_point()), (Offset(24), Offset(20)), "nothing to cut");
    log.truncate(Offset(22)).unwrap();
    assert_eq!((log.end(), log.recovery_point()), (Offset(22), Offset(20)));
    log.truncate(Offset(4)).unwrap();
    assert_eq!((log.end(), log.recovery_point()), (Offset(4), Offset(4)));
    assert_eq!(files(dir.path(), ".log").len(), 1);
    log.truncate_fully(Offset(100)).unwrap();
    assert_eq!((log.end(), log.recovery_point()), (Offset(100), Offset(4)));
    assert_eq!(files(dir.path(), "index").len(), 2);
    log.append(&[batch(Offset(100), 1, &[1], 1)]).unwrap();
    log.close().unwrap();
    let (log, found) = PartitionLog::open(dir.path(), small(), &clean()).unwrap();
    assert_eq!((found.start, found.end), (Offset(100), Offset(101)));
    assert_eq!(log.recovery_point(), Offset(101), "a clean log is durable");
}

#[test]
fn a_cut_within_a_batch_takes_all_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = written(dir.path(), 3);
    log.truncate(Offset(5)).unwrap();
    assert_eq!(log.end(), Offset(5));
    log.append(&[batch(Offset(5), 1, &[1], 1)]).unwrap();
    assert_eq!(ends(&log.reader()), [2, 4, 6]);
    let read = log.reader().read(Offset(4), Offset(6), 1000, false).unwrap();
    assert!(!read.is_empty(), "what follows the hole");
    assert_eq!(ends(&open(dir.path(), small()).reader()), [2, 4, 6]);
}

#[test]
fn a_flush_that_a_cut_overtook_counts_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = written(dir.path(), 12);
    let job = log.flush_job(Offset(24)).unwrap();
    log.truncate(Offset(4)).unwrap();
    log.append(&[batch(Offset(4), 1, &[1, 2], 1)]).unwrap();
    let flushed = std::thread::spawn(|| job.run()).join().unwrap().unwrap();
    log.note_flushed(flushed).unwrap();
    assert_eq!(log.recovery_point(), Offset(0));
    log.flush(log.end()).unwrap();
    assert_eq!(log.recovery_point(), Offset(6));
    assert!(log.flush_job(Offset(6)).is_none());
}

#[test]
fn readers_outlive_what_happens_to_the_log() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("topic-0");
    let log = written(&folder, 12);
    let reader = log.reader();
    assert_eq!(everything(&reader, Offset(0)).len(), 12);
    let range = |from| reader.read(Offset(from), Offset(99), 1 << 20, true);
    assert!(range(24).unwrap().is_empty(), "the end is no error");
    assert!(matches!(range(25), Err(StorageError::OutOfRange { end: Offset(24), .. })));
    assert!(matches!(range(-1), Err(StorageError::OutOfRange { start: Offset(0), .. })));
    log.delete().unwrap();
    assert!(matches!(range(0), Err(StorageError::Deleted)));
    assert!(matches!(reader.offset_for_timestamp(0, Offset(0), Offset(9)), Err(StorageError::Deleted)));
    assert_eq!(reader.size(), 0);
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn many_batches_are_one_write_and_all_there() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = PartitionLog::open(dir.path(), LogConfig::default(), &LastRun::UNKNOWN).unwrap();
    let batches: Vec<_> = (0..3000).map(|offset| batch(Offset(offset), 0, &[offset], 3)).collect();
    log.append(&batches).unwrap();
    assert_eq!(ends(&log.reader()), (1..=3000).collect::<Vec<_>>());
    log.append(&[]).unwrap();
    assert_eq!(log.end(), Offset(3000));
}

#[test]
fn a_cut_takes_the_notes_of_producers_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = PartitionLog::open(dir.path(), small(), &LastRun::UNKNOWN).unwrap();
    for first in (0..20).map(|index| 2 * index) {
        log.append(&[numbered((7, first), Offset(first.into()), 0, &[1, 2], 40)]).unwrap();
    }
    let notes = || files(dir.path(), ".snapshot").iter().map(|path| base_of(path)).collect::<Vec<_>>();
    let segments = || files(dir.path(), ".log").iter().skip(1).map(|path| base_of(path)).collect::<Vec<_>>();
    assert!(notes().len() > 2 && notes() == segments(), "one for each segment that was begun: {:?}", notes());
    let to = notes()[1] + 2;
    log.truncate(Offset(to)).unwrap();
    assert_eq!(notes(), segments());
    let last = log.producers().get(ProducerId(7)).and_then(|known| known.last()).map(|last| last.end);
    assert_eq!(last, Some(Offset(to)));
    log.truncate_fully(Offset(100)).unwrap();
    assert!(notes().is_empty() && log.producers().is_empty());
    log.close().unwrap();
    assert_eq!(notes(), [100], "and one where the log ends");
}

/// The offset in a file's name.
fn base_of(path: &Path) -> i64 {
    path.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}
