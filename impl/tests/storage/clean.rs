//! Cleaning logs on files: what stays, what is there after a crash in between, and what happens to a job that is late.

use crate::support::{crashed, everything, files, small};
use bytes::Bytes;
use highwater::carrier::Net;
use highwater::records::{BatchBuilder, BatchHeader, records};
use highwater::storage::{CleanAsk, CleanJob, LogConfig, LogReader, PartitionLog};
use highwater_spec::log::clean::{CleaningLimits, Ratio};
use highwater_spec::log::{Batch, LastRun};
use highwater_spec::rules::Rules;
use highwater_spec::values::{LeaderEpoch, Offset, ProducerId};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const NOW: i64 = 1_000_000;

fn compacted() -> LogConfig {
    let cleaning = CleaningLimits { min_dirty_ratio: Ratio(0), min_lag_ms: 0, max_lag_ms: i64::MAX };
    LogConfig { compact: true, cleaning, delete_retention_ms: 1000, ..small() }
}

/// A batch of records with these keys and values.
fn keyed(base: i64, producer: Option<(i64, i32)>, of: &[(&str, Option<&str>)]) -> Batch<Net> {
    let mut builder = BatchBuilder::new();
    if let Some((id, first)) = producer {
        builder = builder.producer(id, 0, first);
    }
    for (key, value) in of {
        builder.push(10 + base, Some(key.as_bytes()), value.map(str::as_bytes), &[]).expect("a record that fits");
    }
    let bytes = builder.build().expect("a batch that fits");
    let producer = BatchHeader::parse(&bytes).expect("a header").sequenced();
    Batch { base: Offset(base), count: of.len() as u32, epoch: LeaderEpoch(0), producer, bytes }
}

fn open(folder: &Path, last: &LastRun) -> PartitionLog {
    let (mut log, found) = PartitionLog::open(folder, compacted(), last).expect("a log");
    if found.epochs.entries().is_empty() {
        log.store_epochs(&std::iter::once((0, 0)).map(crate::support::entry).collect()).expect("a checkpoint");
    }
    log
}

/// A flushed log of 40 updates of four keys, one a batch, and of what was read of it.
fn updated(folder: &Path) -> PartitionLog {
    let mut log = open(folder, &LastRun::UNKNOWN);
    let filler = "x".repeat(60);
    for index in 0..40_i64 {
        let (key, value) = (format!("k{}", index % 4), format!("{index} {filler}"));
        log.append(&[keyed(index, None, &[(&key, Some(&value))])]).expect("an append");
    }
    log.flush(log.end()).expect("a flush");
    log
}

fn ask(log: &PartitionLog) -> CleanAsk {
    CleanAsk { log_start: Offset(0), stable: log.end(), cleaned: None, now: NOW, room: 1 << 20 }
}

fn job(log: &PartitionLog, ask: &CleanAsk) -> Option<CleanJob> {
    log.clean_job(&Rules::KAFKA, ask).expect("a log that can be read")
}

/// One round; where the log is clean now.
fn clean(log: &mut PartitionLog, ask: &CleanAsk) -> Option<i64> {
    let cleaned = job(log, ask)?.run(|| true).expect("a round")?;
    log.note_cleaned(&cleaned).expect("a swap").map(|upto| upto.0)
}

fn all_records(reader: &LogReader) -> Vec<(i64, String, Option<Bytes>)> {
    let mut found = Vec::new();
    for (_, batch) in everything(reader, Offset(0)) {
        for record in records(&batch, 1 << 20).expect("records") {
            let record = record.expect("a record");
            let key = String::from_utf8(record.key.expect("a key").to_vec()).expect("text");
            found.push((record.offset.0, key, record.value));
        }
    }
    found
}

fn fold(reader: &LogReader) -> BTreeMap<String, Bytes> {
    let mut values = BTreeMap::new();
    for (_, key, value) in all_records(reader) {
        match value {
            Some(value) => drop(values.insert(key, value)),
            None => drop(values.remove(&key)),
        }
    }
    values
}

// Verifies: log.clean.latest, log.clean.place, log.clean.group
#[test]
fn a_cleaned_log_is_smaller_and_says_the_same_of_every_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut log = updated(dir.path());
    let (before, reader, size) = (fold(&log.reader()), log.reader(), log.reader().size());
    let (segments, active) = (files(dir.path(), ".log").len(), log.active_base().0);
    let asked = ask(&log);
    assert_eq!(clean(&mut log, &asked), Some(active));
    assert_eq!(fold(&reader), before, "a reader from before reads on");
    assert!(reader.size() < size / 2, "{} of {size} bytes", reader.size());
    clean(&mut log, &asked).expect("a round");
    assert!(files(dir.path(), ".log").len() < segments, "what is small enough by now shares a segment");
    let left = all_records(&reader);
    assert!(left.len() >= 4 && left.iter().filter(|(offset, ..)| *offset < active).count() <= 4, "{left:?}");
    assert_eq!(left.last().map(|(offset, ..)| *offset), Some(39));
    let further = keyed(40, None, &[("k0", Some("new"))]);
    log.append(&[further]).expect("an append");
    for last_run in [crashed(0), crashed(active)] {
        drop(log);
        log = open(dir.path(), &last_run);
        assert_eq!((log.end(), fold(&log.reader()).get("k0")), (Offset(41), Some(&Bytes::from("new"))));
        assert_eq!(fold(&log.reader()).len(), 4);
    }
    let again = CleanAsk { cleaned: Some(Offset(active)), ..ask(&log) };
    assert!(job(&log, &again).is_none(), "nothing that is durable is dirty");
}

// Verifies: log.clean.horizon, log.clean.tombstone, log.clean.end
#[test]
fn a_tombstone_goes_after_its_time_and_the_end_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut log = open(dir.path(), &LastRun::UNKNOWN);
    let large = "x".repeat(400);
    log.append(&[keyed(0, None, &[("a", Some(&large)), ("b", Some("1"))])]).expect("an append");
    log.append(&[keyed(2, None, &[("a", None)])]).expect("an append");
    log.append(&[keyed(3, None, &[("c", Some(&large))])]).expect("an append");
    assert_eq!(log.active_base(), Offset(3));
    log.flush(log.end()).expect("a flush");
    let ask = ask(&log);
    let offsets = |log: &PartitionLog| all_records(&log.reader()).iter().map(|(at, ..)| *at).collect::<Vec<_>>();
    assert_eq!(clean(&mut log, &ask), Some(3));
    assert_eq!(offsets(&log), [1, 2, 3], "the tombstone stays");
    clean(&mut log, &CleanAsk { now: NOW + 999, ..ask });
    assert_eq!(offsets(&log), [1, 2, 3]);
    clean(&mut log, &CleanAsk { now: NOW + 1000, ..ask });
    assert_eq!(offsets(&log), [1, 3]);
    let ends: Vec<_> = crate::support::ends(&log.reader());
    assert_eq!(ends, [2, 3, 4], "an empty batch says that the segment goes up to 3");
}

// Verifies: log.clean.producer
#[test]
fn a_producer_is_known_after_its_records_have_gone() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut log = open(dir.path(), &LastRun::UNKNOWN);
    for index in 0..4 {
        log.append(&[keyed(index, Some((7, index as i32)), &[("a", Some("old"))])]).expect("an append");
    }
    let large = "x".repeat(400);
    for index in 4..7 {
        log.append(&[keyed(index, None, &[("a", Some(&large))])]).expect("an append");
    }
    log.flush(log.end()).expect("a flush");
    let asked = ask(&log);
    clean(&mut log, &asked).expect("a round");
    assert_eq!(all_records(&log.reader())[0].0, 5, "of the sealed segments one record is left");
    for path in files(dir.path(), ".snapshot") {
        fs::remove_file(path).expect("a note that can be removed");
    }
    drop(log);
    let log = open(dir.path(), &crashed(0));
    let last = log.producers().get(ProducerId(7)).and_then(|producer| producer.last()).map(|last| last.end);
    assert_eq!(last, Some(Offset(4)));
}

#[test]
fn a_log_that_was_cut_meanwhile_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut log = updated(dir.path());
    let late = job(&log, &ask(&log)).expect("a job").run(|| true).expect("a round").expect("no one has stopped it");
    log.truncate(Offset(39)).expect("a cut");
    let before = all_records(&log.reader());
    assert_eq!(log.note_cleaned(&late).expect("nothing to do"), None);
    assert_eq!(all_records(&log.reader()), before);
    assert_eq!(files(dir.path(), ".cleaned").len(), 0);
}

/// The folder as a crash leaves it after so many of the steps that put a segment in its place.
fn crash_after(folder: &Path, steps: usize, base: &str, others: &[String]) {
    let rename = |kind: &str, from: &str, to: &str| {
        let name = format!("{base}.{kind}");
        fs::rename(folder.join(format!("{name}{from}")), folder.join(format!("{name}{to}"))).expect("a rename");
    };
    let mut step = 0;
    let mut next = |work: &dyn Fn()| {
        step += 1;
        if step <= steps {
            work();
        }
    };
    for kind in ["index", "timeindex", "log"] {
        next(&|| rename(kind, ".cleaned", ".swap"));
    }
    for other in others.iter().rev() {
        for kind in ["log", "index", "timeindex"] {
            next(&|| fs::remove_file(folder.join(format!("{other}.{kind}"))).expect("a file"));
        }
    }
    for kind in ["log", "index", "timeindex"] {
        next(&|| rename(kind, ".swap", ""));
    }
}

// Verifies: log.clean.end
#[test]
fn after_a_crash_there_are_the_old_segments_or_the_new_one() {
    let mut sizes = std::collections::BTreeSet::new();
    for steps in 0.. {
        let dir = tempfile::tempdir().expect("a folder");
        let log = {
            let mut log = open(dir.path(), &LastRun::UNKNOWN);
            for index in 0..12_i64 {
                let value = format!("{index} {}", "x".repeat(150));
                log.append(&[keyed(index, None, &[(["a", "b"][index as usize % 2], Some(&value))])]).expect("room");
            }
            log.flush(log.end()).expect("a flush");
            log
        };
        let (before, size, last) = (fold(&log.reader()), log.reader().size(), log.active_base());
        // One segment in the place of all: what stays is small enough, and so they are told to be.
        let wide = LogConfig { segment_bytes: 1 << 20, ..compacted() };
        let mut log = log;
        log.configure(wide);
        job(&log, &ask(&log)).expect("a job").run(|| true).expect("a round").expect("no one has stopped it");
        drop(log);
        let bases =
            files(dir.path(), ".log").into_iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        let bases: Vec<_> = bases.filter(|base| base.parse::<i64>().is_ok_and(|base| base < last.0)).collect();
        let (base, others) = bases.split_first().expect("sealed segments");
        let all = 6 + 3 * others.len();
        if steps > all {
            break;
        }
        crash_after(dir.path(), steps, base, others);
        let log = open(dir.path(), &crashed(last.0));
        assert_eq!((log.end(), fold(&log.reader())), (Offset(12), before), "after {steps} of {all} steps");
        assert_eq!(log.reader().size() < size, steps >= 3, "after {steps} of {all} steps");
        sizes.insert(log.reader().size());
        for ending in [".cleaned", ".swap"] {
            assert_eq!(files(dir.path(), ending).len(), 0, "after {steps} of {all} steps");
        }
    }
    assert_eq!(sizes.len(), 2, "the old log and the new one");
}

// Verifies: replica.follow.copy
#[test]
fn a_copy_of_a_cleaned_log_survives_a_crash_with_its_gaps() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut log = open(dir.path(), &LastRun::UNKNOWN);
    let large = "x".repeat(300);
    let bases = [5, 9, 10, 20, 33];
    for base in bases {
        log.append(&[keyed(base, None, &[("a", Some(&large))])]).expect("a batch further on");
    }
    let overlap = log.append(&[keyed(33, None, &[("a", None)])]);
    assert!(overlap.is_err(), "a batch below the end");
    drop(log);
    let log = open(dir.path(), &crashed(0));
    let found: Vec<_> = all_records(&log.reader()).iter().map(|(offset, ..)| *offset).collect();
    assert_eq!((found, log.end()), (bases.to_vec(), Offset(34)), "no gap is taken for a lost file");
    assert!(files(dir.path(), ".log").len() > 2);
}
