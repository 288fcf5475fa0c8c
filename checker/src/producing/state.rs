//! The state of a producer's world: the producer, its connections, and the leader's log.

use super::Bounds;
use highwater_spec::client::Code;
use highwater_spec::client::producer::{Outcome, Producer, Request, Timer};
use highwater_spec::producer::{Producers, Sequenced};
use highwater_spec::values::{Offset, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Everything.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct State {
    pub(super) producer: Producer,
    /// The timers that the producer has set.
    pub(super) timers: BTreeSet<Timer>,
    /// What is on its way to the leader, in order.
    pub(super) asked: VecDeque<Request>,
    /// What was on its way on each connection that broke, and may arrive yet.
    pub(super) late: Vec<VecDeque<Request>>,
    /// What the leader has taken and not answered, or answered and the producer not heard, in order.
    pub(super) taken: VecDeque<Taken>,
    pub(super) leader: Leader,
    /// The records that the application has given.
    pub(super) given: u32,
    /// What the application was told of each record.
    pub(super) told: BTreeMap<Ticket, Outcome>,
    pub(super) budget: Bounds,
}

/// A request that the leader has taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taken {
    pub(super) request: Request,
    pub(super) answer: Answer,
}

/// What the leader says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is written from this offset on, as soon as everything below the other is committed.
    WhenCommitted(Offset, Offset),
    /// This, now.
    Now(Result<Offset, Code>),
}

/// A partition's leader.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Leader {
    /// Its records: which, and whose.
    pub(super) log: Vec<(Ticket, Option<Sequenced>)>,
    /// The high watermark (exclusive).
    pub(super) committed: Offset,
    /// What it knows of producers: a fold of its log.
    pub(super) known: Producers,
}

impl Leader {
    pub(super) fn end(&self) -> Offset {
        Offset(self.log.len() as i64)
    }

    pub(super) fn append(&mut self, record: Ticket, numbered: Option<Sequenced>) {
        if let Some(sequenced) = &numbered {
            self.known.appended(sequenced, self.end(), 1);
        }
        self.log.push((record, numbered));
    }

    /// A replica that has the first records of this one's log.
    pub(super) fn successor(&self, records: usize) -> Self {
        let mut next = Self { committed: self.committed, ..Self::default() };
        self.log.iter().take(records).for_each(|(record, numbered)| next.append(*record, *numbered));
        next
    }
}
