//! What must hold of what one producer writes to one partition.
//!
//! A [`ProducingProperty`] is a statement about a [`ProducingView`]: the leader's log, and what the application was told.
//!
//! Source: KIP-98, KIP-91; Kafka's documentation of `enable.idempotence`, `max.in.flight.requests.per.connection`.
//! Verifies: client.producer.retry, client.producer.retry.order, client.producer.number, client.producer.outcome
//! Can fail: exhibits sent-twice, overtaken, first-overtaken, given-up-in-doubt; break doubt-told-as-refusal.

use super::ensure;
use crate::client::producer::Outcome;
use crate::values::Ticket;
use std::collections::{BTreeMap, BTreeSet};

/// A log, and what the application of the producer that writes it was told.
#[derive(Clone, Debug)]
pub struct ProducingView<'a> {
    /// The records of the leader's log, numbered in the order in which the application gave them.
    pub log: Vec<Ticket>,
    /// What it was told of each record.
    pub told: &'a BTreeMap<Ticket, Outcome>,
}

/// Something that must hold of what a producer writes.
#[derive(Clone, Copy, Debug)]
pub struct ProducingProperty {
    /// Its name, as reports and scenarios have it.
    pub name: &'static str,
    /// Its number in the list of invariants.
    pub number: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// Whether it holds; if not, what is wrong.
    pub check: fn(&ProducingView<'_>) -> Result<(), String>,
}

/// P-1
pub const SENT_ONCE: ProducingProperty = ProducingProperty {
    name: "sent-once",
    number: "P-1",
    statement: "no record is in the log twice",
    check: |view| {
        let mut seen = BTreeSet::new();
        let twice = view.log.iter().find(|record| !seen.insert(**record));
        ensure(twice.is_none(), || format!("m{} is there twice", twice.map_or(0, |record| record.0)))
    },
};

/// P-2
pub const SENT_IN_ORDER: ProducingProperty = ProducingProperty {
    name: "sent-in-order",
    number: "P-2",
    statement: "each record stands behind those that were given before it, as far as they are there",
    check: |view| {
        let mut seen = BTreeSet::new();
        let first: Vec<_> = view.log.iter().filter(|record| seen.insert(**record)).collect();
        match first.windows(2).find(|pair| pair[0] > pair[1]) {
            None => Ok(()),
            Some(pair) => Err(format!("m{} stands before m{}", pair[0].0, pair[1].0)),
        }
    },
};

/// P-3
pub const ACKED_IS_THERE: ProducingProperty = ProducingProperty {
    name: "acked-is-there",
    number: "P-3",
    statement: "what the application was told to be written is in the log",
    check: |view| {
        let is_acked = |outcome: &Outcome| matches!(outcome, Outcome::Acked(_));
        let acked = view.told.iter().filter(|(_, outcome)| is_acked(outcome));
        let lost = acked.map(|(record, _)| record).find(|record| !view.log.contains(record));
        ensure(lost.is_none(), || format!("m{} was acknowledged and is gone", lost.map_or(0, |record| record.0)))
    },
};

/// P-4
pub const REFUSED_IS_NOT: ProducingProperty = ProducingProperty {
    name: "refused-is-not",
    number: "P-4",
    statement: "what the application was told to be refused is not in the log",
    check: |view| {
        let is_refused = |record: &&Ticket| matches!(view.told.get(record), Some(Outcome::Refused(_)));
        let there = view.log.iter().find(is_refused);
        ensure(there.is_none(), || format!("m{} was refused and is there", there.map_or(0, |record| record.0)))
    },
};

/// Every property of what an idempotent producer writes with acks=all.
pub const OF_PRODUCING: &[ProducingProperty] = &[SENT_ONCE, SENT_IN_ORDER, ACKED_IS_THERE, REFUSED_IS_NOT];
