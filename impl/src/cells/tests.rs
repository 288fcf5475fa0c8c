//! The cells with real threads: that they do what they say at all. That no order of events breaks them: `proof`.

use super::{Closed, Drained, Inbox, Parked, Published, Registration, Wake};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Instant;
use tokio::sync::Notify;

/// How often threads that meet by chance are let meet.
const OFTEN: u32 = 100_000;

#[test]
fn everything_sent_arrives_once_and_in_each_senders_order() {
    const SENDERS: usize = 4;
    const EACH: usize = 1000;
    let inbox = Inbox::new();
    let mut received = Vec::new();
    thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let inbox = &inbox;
                scope.spawn(move || (0..EACH).try_for_each(|number| inbox.send((sender, number))))
            })
            .collect();
        while received.len() < SENDERS * EACH {
            assert_eq!(inbox.drain(&mut received, None), Drained::Some);
        }
        senders.into_iter().for_each(|sender| assert_eq!(sender.join().unwrap(), Ok(())));
    });
    for sender in 0..SENDERS {
        let numbers = received.iter().filter(|(from, _)| *from == sender).map(|(_, number)| *number);
        assert!(numbers.eq(0..EACH), "sender {sender}");
    }
}

#[test]
fn a_deadline_that_has_passed_does_not_wait() {
    let inbox = Inbox::<u8>::new();
    assert_eq!(inbox.drain(&mut Vec::new(), Some(Instant::now())), Drained::Deadline);
}

#[test]
fn a_closed_inbox_gives_what_it_has_and_takes_nothing() {
    let inbox = Inbox::new();
    assert_eq!(inbox.send(1), Ok(()));
    inbox.close();
    assert_eq!(inbox.send(2), Err(Closed(2)));
    let mut received = vec![0];
    assert_eq!(inbox.drain(&mut received, None), Drained::Some);
    assert_eq!(received, [0, 1]);
    assert_eq!(inbox.drain(&mut received, None), Drained::Closed);
}

#[test]
fn a_reader_keeps_what_it_read() {
    let cell = Published::new("old");
    let read = cell.read();
    cell.publish("new");
    assert_eq!((*read, *cell.read()), ("old", "new"));
}

#[test]
fn readers_never_go_back() {
    let cell = Published::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while last < 1000 {
                    let seen = *cell.read();
                    assert!(seen >= last, "{seen} after {last}");
                    last = seen;
                }
            });
        }
        (1..=1000).for_each(|value| cell.publish(value));
    });
}

/// loom changes threads only at its own operations, and so never while a lock is held: a lock that is only tried shows
/// here, with threads that meet by chance, often. Each side goes on until the other one has done enough.
#[test]
fn what_is_published_while_others_read_is_there() {
    let (cell, reads, done) = (Published::new(0), AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(cell.read());
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let missing = (1..).take_while(|_| reads.load(Ordering::Relaxed) < OFTEN).find(|value| {
            cell.publish(*value);
            *cell.read() != *value
        });
        done.store(true, Ordering::Relaxed);
        assert_eq!(missing, None, "published, yet not read");
    });
}

#[test]
fn who_waits_is_woken_also_while_others_come_and_go() {
    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let (parked, came, done) = (Parked::new(), AtomicU32::new(0), AtomicBool::new(false));
    let waits = Arc::new(Woken::default());
    let _registered = parked.register(Arc::clone(&waits) as Arc<dyn Wake>);
    let mut published = 0;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(parked.register(Arc::new(Woken::default())));
                    came.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while came.load(Ordering::Relaxed) < OFTEN {
            parked.wake_all();
            published += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(waits.0.load(Ordering::Relaxed), published);
}

#[test]
fn a_waiter_that_goes_away_leaves_nothing_behind() {
    let cells = [Parked::new(), Parked::new()];
    let stays: Arc<dyn Wake> = Arc::new(Notify::new());
    let kept: Vec<Registration> = cells.iter().map(|cell| cell.register(Arc::clone(&stays))).collect();
    for _ in 0..1000 {
        let polls: Arc<dyn Wake> = Arc::new(Notify::new());
        let registered: Vec<_> = cells.iter().map(|cell| cell.register(Arc::clone(&polls))).collect();
        assert_eq!(Arc::strong_count(&polls), 3);
        drop(registered);
        assert_eq!(Arc::strong_count(&polls), 1);
    }
    assert_eq!(cells.iter().map(Parked::len).collect::<Vec<_>>(), [1, 1]);
    drop(kept);
    assert!(cells.iter().all(Parked::is_empty));
}

#[tokio::test]
async fn tokio_tasks_that_wait_for_a_value_all_see_it() {
    let (value, parked) = (Arc::new(Published::new(0)), Parked::new());
    let waiters: Vec<_> = (1..=8)
        .map(|enough| {
            let (value, parked) = (Arc::clone(&value), parked.clone());
            tokio::spawn(async move {
                let notify = Arc::new(Notify::new());
                let _registered = parked.register(Arc::clone(&notify) as Arc<dyn Wake>);
                while *value.read() < enough {
                    notify.notified().await;
                }
                enough
            })
        })
        .collect();
    for next in 1..=8 {
        value.publish(next);
        parked.wake_all();
        tokio::task::yield_now().await;
    }
    let mut satisfied = BTreeSet::new();
    for waiter in waiters {
        satisfied.insert(waiter.await.unwrap());
    }
    assert!(satisfied.into_iter().eq(1..=8));
    assert!(parked.is_empty());
}
