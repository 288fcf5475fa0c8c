//! What a log asks of the disk, and when it says that it was done.

use super::watch::{self, Ask};
use super::{LogConfig, PartitionLog};
use crate::carrier::Net;
use crate::records::BatchBuilder;
use highwater_spec::log::{Batch, LastRun};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

fn batch(base: i64) -> Batch<Net> {
    let mut builder = BatchBuilder::new();
    builder.push(0, None, Some(b"value"), &[]).unwrap();
    Batch { base: Offset(base), count: 1, epoch: LeaderEpoch(0), producer: None, bytes: builder.build().unwrap() }
}

/// A log whose segments take one record each.
fn opened(folder: &Path) -> PartitionLog {
    let config = LogConfig { segment_bytes: 1, ..LogConfig::default() };
    PartitionLog::open(folder, config, &LastRun::UNKNOWN).unwrap().0
}

/// Of each thing that was asked, the file's name or the folder's.
fn names(asked: &[(Ask, std::path::PathBuf)], folder: &Path) -> Vec<(Ask, String)> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
    asked.iter().map(|(ask, path)| (*ask, name(path))).collect()
}

#[test]
fn a_flush_asks_for_all_that_was_written_since_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = opened(dir.path());
    log.append(&[batch(0), batch(1)]).unwrap();
    let asked = watch::during(|| log.flush(Offset(2)).unwrap());
    let sync = |name: &str| (Ask::Sync, name.to_owned());
    let (first, second) = ("00000000000000000000", "00000000000000000001");
    let sealed = ["log", "index", "timeindex"].map(|ending| sync(&format!("{first}.{ending}")));
    let expected: Vec<_> = sealed.into_iter().chain([sync(&format!("{second}.log")), sync("")]).collect();
    assert_eq!(names(&asked, dir.path()), expected);
    assert_eq!(watch::during(|| log.flush(Offset(2)).unwrap()), [], "nothing was written since");
}

#[test]
fn readers_hear_of_an_end_when_all_below_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = opened(dir.path());
    log.append(&[batch(0)]).unwrap();
    let (reader, heard) = (log.reader(), Rc::new(RefCell::new(Vec::new())));
    let noted = Rc::clone(&heard);
    let note = move |ask, path: &Path| {
        if ask == Ask::Write && path.extension().is_some_and(|ending| ending == "log") {
            noted.borrow_mut().push(reader.end());
        }
    };
    watch::watched(note, || log.append(&[batch(1), batch(2)]).unwrap());
    assert_eq!(heard.take(), [Offset(1), Offset(2)]);
    assert_eq!(log.reader().end(), Offset(3));
}
