//! What marks count, with the feature that counts.

#![cfg(feature = "marks")]

use highwater_spec::log::EpochCache;
use highwater_spec::marks::{ALL, Mark, Passed, take};
use highwater_spec::values::{LeaderEpoch, Offset};
use std::collections::BTreeMap;

fn named(id: &str) -> Mark {
    ALL.into_iter().find(|mark| mark.id == id).expect("there is such a mark")
}

/// Assigns one epoch three times; the first time it is new.
fn assign() {
    let mut epochs = EpochCache::default();
    for offset in [0, 5, 6] {
        epochs.assign(LeaderEpoch(1), Offset(offset));
    }
    assert_eq!(epochs.entries().len(), 1);
}

#[test]
fn a_guard_counts_both_ways_and_is_its_condition() {
    drop(take());
    assign();
    assert_eq!(take(), BTreeMap::from([(named("log.epochs.assign"), Passed { met: 2, unmet: 1 })]));
    assert_eq!(take(), BTreeMap::new(), "what was told is forgotten");
}

#[test]
fn each_thread_counts_for_itself() {
    drop(take());
    std::thread::scope(|threads| {
        let there = threads.spawn(|| {
            assign();
            take()
        });
        assert_eq!(there.join().expect("it counts").len(), 1);
    });
    assert_eq!(take(), BTreeMap::new());
}
