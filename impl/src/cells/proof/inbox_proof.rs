//! Senders, of whom one may close, and one receiver.

use super::inbox::{Drained, Inbox};
use super::sync::{Condvar, Mutex};
use std::sync::Arc;

#[test]
fn nothing_accepted_is_lost() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let sender = loom::thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || inbox.send(1).is_ok()
        });
        let closer = loom::thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || {
                assert!(inbox.send(2).is_ok() && inbox.send(3).is_ok(), "nobody else closes");
                inbox.close();
            }
        });
        let mut received = Vec::new();
        while inbox.drain(&mut received, None) != Drained::Closed {}
        closer.join().unwrap();
        let accepted = sender.join().unwrap();
        assert_eq!(received.contains(&1), accepted);
        received.retain(|value| *value != 1);
        assert_eq!(received, [2, 3]);
    });
}

#[test]
fn a_value_wakes_a_sleeping_receiver() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let senders = [1, 2].map(|value| {
            let inbox = Arc::clone(&inbox);
            loom::thread::spawn(move || assert!(inbox.send(value).is_ok()))
        });
        let mut received = Vec::new();
        while received.len() < 2 {
            assert_eq!(inbox.drain(&mut received, None), Drained::Some);
        }
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

/// The receiver looks and falls asleep under two locks instead of one: what arrives in between wakes nobody.
#[derive(Default)]
struct LooksThenSleeps {
    queue: Mutex<Vec<u8>>,
    arrived: Condvar,
}

impl LooksThenSleeps {
    fn send(&self, value: u8) {
        self.queue.lock().unwrap().push(value);
        self.arrived.notify_one();
    }

    fn receive(&self) -> Vec<u8> {
        if self.queue.lock().unwrap().is_empty() {
            let queue = self.queue.lock().unwrap();
            drop(self.arrived.wait(queue).unwrap());
        }
        std::mem::take(&mut *self.queue.lock().unwrap())
    }
}

#[test]
#[should_panic(expected = "deadlock")]
fn twin_that_looks_then_sleeps_is_caught() {
    loom::model(|| {
        let inbox = Arc::new(LooksThenSleeps::default());
        let sender = loom::thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || inbox.send(1)
        });
        assert_eq!(inbox.receive(), [1]);
        sender.join().unwrap();
    });
}

/// The sender looks whether it is closed and adds under two locks: what it was told is accepted comes after the end.
#[derive(Default)]
struct LooksThenSends {
    closed: Mutex<bool>,
    queue: Mutex<Vec<u8>>,
}

impl LooksThenSends {
    fn send(&self, value: u8) -> bool {
        let open = !*self.closed.lock().unwrap();
        if open {
            self.queue.lock().unwrap().push(value);
        }
        open
    }

    fn close(&self) -> Vec<u8> {
        *self.closed.lock().unwrap() = true;
        std::mem::take(&mut *self.queue.lock().unwrap())
    }
}

#[test]
#[should_panic(expected = "accepted and lost")]
fn twin_that_looks_then_sends_is_caught() {
    loom::model(|| {
        let inbox = Arc::new(LooksThenSends::default());
        let sender = loom::thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || inbox.send(1)
        });
        let last = inbox.close();
        let accepted = sender.join().unwrap();
        assert!(!accepted || last == [1], "accepted and lost");
    });
}
