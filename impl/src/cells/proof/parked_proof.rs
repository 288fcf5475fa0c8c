//! A publisher and a waiter: the waiter never sleeps through what it waits for.

use super::parked::{Parked, Registration, Wake};
use super::published::Published;
use super::sync::{Condvar, Mutex};
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// A sleep that a wake before it ends at once, as tokio's `Notify` has it.
#[derive(Default)]
struct Permit {
    stored: Mutex<bool>,
    given: Condvar,
}

impl Wake for Permit {
    fn wake(&self) {
        *self.stored.lock().unwrap() = true;
        self.given.notify_one();
    }
}

impl Permit {
    fn sleep(&self) {
        let mut stored = self.stored.lock().unwrap();
        while !*stored {
            stored = self.given.wait(stored).unwrap();
        }
        *stored = false;
    }
}

/// One partition: its view and who waits for it.
struct Partition {
    end: Published<u8>,
    parked: Parked,
}

impl Partition {
    fn new() -> Arc<Self> {
        Arc::new(Self { end: Published::new(0), parked: Parked::new() })
    }

    fn publish(&self, end: u8) {
        self.end.publish(end);
        self.parked.wake_all();
    }

    /// Not taken off when loom unwinds a deadlock: a lock taken then would abort the test instead of failing it.
    fn register(&self, permit: &Arc<Permit>) -> ManuallyDrop<Registration> {
        ManuallyDrop::new(self.parked.register(Arc::clone(permit) as Arc<dyn Wake>))
    }
}

fn publisher(partition: &Arc<Partition>, ends: &'static [u8]) -> loom::thread::JoinHandle<()> {
    let partition = Arc::clone(partition);
    loom::thread::spawn(move || ends.iter().for_each(|end| partition.publish(*end)))
}

#[test]
fn a_waiter_is_woken_until_it_is_satisfied() {
    loom::model(|| {
        let partition = Partition::new();
        let publisher = publisher(&partition, &[1, 2]);
        let permit = Arc::new(Permit::default());
        let registered = partition.register(&permit);
        while *partition.end.read() < 2 {
            permit.sleep();
        }
        drop(ManuallyDrop::into_inner(registered));
        assert!(partition.parked.is_empty(), "left behind");
        publisher.join().unwrap();
    });
}

#[test]
fn a_waiter_on_two_partitions_is_woken_by_either() {
    loom::model(|| {
        let partitions = [Partition::new(), Partition::new()];
        let publisher = loom::thread::spawn({
            let partitions = partitions.clone();
            move || partitions.iter().for_each(|partition| partition.publish(1))
        });
        let permit = Arc::new(Permit::default());
        let registered = [0, 1].map(|index: usize| partitions[index].register(&permit));
        while partitions.iter().map(|partition| *partition.end.read()).sum::<u8>() < 2 {
            permit.sleep();
        }
        drop(registered.map(ManuallyDrop::into_inner));
        publisher.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn twin_that_looks_before_it_registers_is_caught() {
    loom::model(|| {
        let partition = Partition::new();
        let publisher = publisher(&partition, &[1]);
        let permit = Arc::new(Permit::default());
        if *partition.end.read() < 1 {
            let _registered = partition.register(&permit);
            permit.sleep();
        }
        publisher.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn twin_that_wakes_before_it_publishes_is_caught() {
    loom::model(|| {
        let partition = Partition::new();
        let publisher = loom::thread::spawn({
            let partition = Arc::clone(&partition);
            move || {
                partition.parked.wake_all();
                partition.end.publish(1);
            }
        });
        let permit = Arc::new(Permit::default());
        let _registered = partition.register(&permit);
        while *partition.end.read() < 1 {
            permit.sleep();
        }
        publisher.join().unwrap();
    });
}
