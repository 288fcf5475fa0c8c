//! What must hold of a compacted log, however often it is cleaned.
//!
//! A [`CleaningProperty`] is a statement about a [`CleaningView`]: everything that was ever written to a log, and what
//! is left of it.
//!
//! Source: KIP-58, KIP-534; KAFKA-17076 for the last one.
//! Verifies: log.clean.latest, log.clean.tombstone, log.clean.place, log.clean.producer, log.clean.end
//! Can fail: exhibit kafka-17076.

use super::ensure;
use crate::producer::{Producers, Written};
use crate::values::{Offset, ProducerId};
use std::collections::BTreeMap;

/// A record of such a log: its key, and its value unless it is a tombstone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyValue {
    /// The key.
    pub key: u8,
    /// The value.
    pub value: Option<u8>,
}

/// A log, as someone sees it who has seen every write.
#[derive(Clone, Debug)]
pub struct CleaningView<'a> {
    /// What was written, by offset from 0 on.
    pub written: &'a [KeyValue],
    /// What is left of it, in the order of the log.
    pub left: Vec<(Offset, KeyValue)>,
    /// The log end offset (exclusive).
    pub end: Offset,
    /// What the partition knows of its producers.
    pub known: &'a Producers,
    /// What someone would know who reads the log anew.
    pub read: Producers,
}

/// Something that must hold of a compacted log.
#[derive(Clone, Copy, Debug)]
pub struct CleaningProperty {
    /// Its name, as reports and scenarios have it.
    pub name: &'static str,
    /// Its number in the list of invariants.
    pub number: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// Whether it holds; if not, what is wrong.
    pub check: fn(&CleaningView<'_>) -> Result<(), String>,
}

/// The value of each key that has one, after these records.
fn fold(records: impl Iterator<Item = KeyValue>) -> BTreeMap<u8, u8> {
    let mut values = BTreeMap::new();
    for KeyValue { key, value } in records {
        match value {
            Some(value) => drop(values.insert(key, value)),
            None => drop(values.remove(&key)),
        }
    }
    values
}

/// S-6
pub const LATEST_STAYS: CleaningProperty = CleaningProperty {
    name: "latest-stays",
    number: "S-6",
    statement: "who reads a log from its start finds the same value of each key as if it had never been cleaned",
    check: |view| {
        let (written, left) = (fold(view.written.iter().copied()), fold(view.left.iter().map(|(_, record)| *record)));
        ensure(written == left, || format!("{written:?} was written, and {left:?} is read"))
    },
};

/// S-7
pub const CLEANED_IN_PLACE: CleaningProperty = CleaningProperty {
    name: "cleaned-in-place",
    number: "S-7",
    statement: "what cleaning leaves has the offset that it had, and stands in the same order",
    check: |view| {
        for (offset, record) in &view.left {
            let written = usize::try_from(offset.0).ok().and_then(|index| view.written.get(index));
            ensure(written == Some(record), || {
                format!("{record:?} stands at {offset}, where {written:?} was written")
            })?;
        }
        ensure(view.left.is_sorted_by_key(|(offset, _)| *offset), || "offsets are not in order".to_owned())
    },
};

/// S-8
pub const PRODUCERS_STAY: CleaningProperty = CleaningProperty {
    name: "producers-stay",
    number: "S-8",
    statement: "the log says of every producer what it wrote last",
    check: |view| {
        let last = |producers: &Producers, id: ProducerId| producers.get(id)?.last().copied();
        for (id, _) in view.known.iter() {
            let (known, read): (Option<Written>, _) = (last(view.known, id), last(&view.read, id));
            ensure(known == read, || format!("producer {} wrote {known:?}, and the log says {read:?}", id.0))?;
        }
        Ok(())
    },
};

/// S-9
pub const OFFSETS_ONCE: CleaningProperty = CleaningProperty {
    name: "offsets-once",
    number: "S-9",
    statement: "the next record gets an offset that no record has had",
    check: |view| {
        let written = view.written.len() as i64;
        ensure(view.end.0 >= written, || format!("the log ends at {}, and {written} records were written", view.end))
    },
};

/// Every property of a compacted log.
pub const OF_CLEANING: &[CleaningProperty] = &[LATEST_STAYS, CLEANED_IN_PLACE, PRODUCERS_STAY, OFFSETS_ONCE];
