//! Reading while the log is appended to, rolled and cut.

use crate::support::{batch, small};
use highwater::records::{check_copied, split};
use highwater::storage::{LogReader, PartitionLog, StorageError};
use highwater_spec::log::LastRun;
use highwater_spec::values::Offset;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Where each epoch began; noted before the first batch of it is written.
struct History {
    starts: Mutex<Vec<i64>>,
    /// The newest epoch whose cut is done.
    current: AtomicUsize,
    done: AtomicBool,
}

/// Reads once, and makes sure that all of it belongs to one history, and to none that had been cut before.
fn read(reader: &LogReader, history: &History, from: i64) {
    let known = history.current.load(Ordering::SeqCst);
    let bytes = match reader.read(Offset(from), Offset(i64::MAX), 2000, true) {
        Ok(bytes) => bytes,
        Err(StorageError::OutOfRange { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let starts = history.starts.lock().unwrap().clone();
    let mut last: Option<(i64, usize)> = None;
    for batch in split(bytes) {
        let (header, bytes) = batch.expect("whole batches only");
        check_copied(&bytes).expect("whole batches only");
        let (base, epoch) = (header.base_offset.0, header.leader_epoch.unwrap().0 as usize);
        assert!(epoch >= known || base < starts[known], "{base} of epoch {epoch} had been cut when {known} began");
        if let Some((end, before)) = last {
            assert_eq!(end, base, "no gaps");
            let joins = before == epoch || (before < epoch && starts[before + 1..=epoch].iter().all(|s| *s >= base));
            assert!(joins, "at {base} epoch {epoch} follows {before}; they began at {starts:?}");
        }
        last = Some((header.next_offset().0, epoch));
    }
}

// Verifies: replica.read.cut
#[test]
fn a_read_never_mixes_histories() {
    const EPOCHS: usize = 300;
    let dir = tempfile::tempdir().unwrap();
    let (mut log, _) = PartitionLog::open(dir.path(), small(), &LastRun::UNKNOWN).unwrap();
    let reader = log.reader();
    let history = History { starts: Mutex::new(vec![0]), current: AtomicUsize::new(0), done: AtomicBool::new(false) };
    thread::scope(|scope| {
        for which in 0..3 {
            let (reader, history) = (reader.clone(), &history);
            scope.spawn(move || {
                let mut from = which;
                while !history.done.load(Ordering::SeqCst) {
                    // Near the end, where it is cut and written.
                    from = (from * 31 + 7) % 16;
                    read(&reader, history, (reader.end().0 - from).max(0));
                }
            });
        }
        for epoch in 1..=EPOCHS {
            // Batches as long as their epoch is odd, so that those of one epoch don't lie where those of another did.
            let size = 20 + 13 * (epoch % 7);
            for _ in 0..8 {
                log.append(&[batch(log.end(), epoch as i32 - 1, &[epoch as i64], size)]).unwrap();
            }
            let to = (log.end().0 - (epoch % 11) as i64).max(0);
            history.starts.lock().unwrap().push(to);
            log.truncate(Offset(to)).unwrap();
            history.current.store(epoch, Ordering::SeqCst);
        }
        history.done.store(true, Ordering::SeqCst);
    });
}
