//! The batches for one partition, from the first record to the last answer.
//!
//! They stay in one line, in the order in which they were begun; whoever is idempotent numbers them in that order.
//! Source: Kafka's `RecordAccumulator`, `TxnPartitionEntry`.

use super::{BatchId, Config, Identity};
use crate::producer::Sequence;
use crate::values::Ticket;
use std::collections::VecDeque;

/// Half of all numbers: of two, the one that lies less than so far ahead is the later one.
const HALF: i64 = 1 << 30;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Queue {
    pub batches: VecDeque<Batch>,
    /// Under whom the numbers are given.
    pub identity: Option<Identity>,
    /// The next number to give.
    pub next: Sequence,
    /// The number after the last one that was acknowledged.
    pub acked: Sequence,
    /// The number after the last one of which nobody knows whether it was written.
    pub unresolved: Option<Sequence>,
    /// Whether it waits before it sends again.
    pub backs_off: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Batch {
    pub id: BatchId,
    pub records: Vec<(Ticket, u32)>,
    pub bytes: u32,
    pub state: State,
    pub attempts: u32,
    /// The number of its first record.
    pub first: Option<Sequence>,
    /// Whether its numbers were changed since it was sent.
    pub is_renumbered: bool,
    /// Whether an attempt may have been carried out.
    pub is_in_doubt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// It takes more records. Only the last one does.
    Open,
    /// It waits to be sent.
    Ready,
    /// It was sent, and is not answered.
    InFlight,
}

impl Batch {
    pub fn new(id: BatchId) -> Self {
        Self {
            id,
            records: Vec::new(),
            bytes: 0,
            state: State::Open,
            attempts: 0,
            first: None,
            is_renumbered: false,
            is_in_doubt: false,
        }
    }

    pub fn push(&mut self, record: Ticket, bytes: u32) {
        self.records.push((record, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub fn count(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// The number after its last record's.
    pub fn next(&self) -> Option<Sequence> {
        self.first.map(|first| first.plus(self.count()))
    }

    pub fn tickets(&self) -> Vec<Ticket> {
        self.records.iter().map(|(ticket, _)| *ticket).collect()
    }

    /// `client.producer.split`: two of half as many records, with the same numbers.
    pub fn split(mut self, id: BatchId) -> (Self, Self) {
        let rest = self.records.split_off(self.records.len() / 2);
        let [first, second] = [std::mem::take(&mut self.records), rest].map(|records| {
            let bytes = records.iter().fold(0, |sum: u32, (_, bytes)| sum.saturating_add(*bytes));
            Self { records, bytes, state: State::Ready, ..self.clone() }
        });
        let number = first.next();
        (first, Self { id, first: number, attempts: 0, ..second })
    }
}

impl Queue {
    pub fn position(&self, id: BatchId) -> Option<usize> {
        self.batches.iter().position(|batch| batch.id == id)
    }

    fn in_flight(&self) -> usize {
        self.batches.iter().filter(|batch| batch.state == State::InFlight).count()
    }

    /// Which batch may be sent now.
    pub fn sendable(&self, config: &Config, current: Option<Identity>) -> Option<usize> {
        // `client.producer.in-flight`
        if self.backs_off || self.in_flight() >= config.max_in_flight.max(1) {
            return None;
        }
        let at = self.batches.iter().position(|batch| batch.state == State::Ready)?;
        if !config.idempotent {
            return Some(at);
        }
        let current = current?; // `client.producer.id`
        let may_go = match self.batches[at].first {
            // `client.producer.retry.order`: what is sent again waits until all before it is done.
            Some(_) => at == 0,
            // `client.producer.bump.drain`, `client.producer.expire.wait`
            None => (at == 0 || self.identity == Some(current)) && self.unresolved.is_none(),
        };
        may_go.then_some(at)
    }

    /// `client.producer.number`: a batch is numbered when it is sent first, and keeps its numbers when it is sent again.
    pub fn number(&mut self, at: usize, current: Identity) {
        if self.batches[at].first.is_some() {
            return;
        }
        if self.identity != Some(current) {
            self.begin_anew(current);
        }
        self.batches[at].first = Some(self.next);
        self.next = self.next.plus(self.batches[at].count());
    }

    /// `client.producer.bump`: what has numbers and is not done is numbered anew, from 0.
    pub fn begin_anew(&mut self, identity: Identity) {
        (self.identity, self.acked, self.next, self.unresolved) = (Some(identity), Sequence(0), Sequence(0), None);
        for batch in self.batches.iter_mut().filter(|batch| batch.first.is_some()) {
            batch.first = Some(self.next);
            batch.is_renumbered = true;
            self.next = self.next.plus(batch.count());
        }
    }

    /// `client.producer.exhausted`: what has numbers and is not done has none until there is another id.
    pub fn forget_numbers(&mut self) {
        (self.identity, self.unresolved) = (None, None);
        for batch in self.batches.iter_mut().filter(|batch| batch.first.is_some()) {
            batch.first = None;
            batch.is_renumbered = true;
        }
    }

    /// A batch was acknowledged, perhaps before one that was sent earlier.
    pub fn acknowledge(&mut self, batch: &Batch) {
        self.acked = batch.next().map_or(self.acked, |next| later(self.acked, next));
    }

    /// `client.producer.expire.wait`: as long as nobody knows whether numbers were used, no further ones are.
    pub fn leave_unresolved(&mut self, batch: &Batch) {
        let Some(next) = batch.next() else { return };
        self.unresolved = Some(self.unresolved.map_or(next, |earlier| later(earlier, next)));
    }

    /// Once nothing is under way: whether what followed has shown that nothing is missing; `None` if there is nothing to
    /// find out, or not yet.
    pub fn resolve(&mut self) -> Option<bool> {
        let is_under_way = self.batches.iter().any(|batch| batch.first.is_some() || batch.state == State::InFlight);
        if self.unresolved.is_none() || is_under_way {
            return None;
        }
        self.unresolved = None;
        Some(self.acked == self.next)
    }
}

fn later(one: Sequence, other: Sequence) -> Sequence {
    let ahead = (i64::from(other.0) - i64::from(one.0)).rem_euclid(2 * HALF);
    if ahead < HALF { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_numbers_is_the_one_a_little_ahead() {
        assert_eq!(later(Sequence(3), Sequence(7)), Sequence(7));
        assert_eq!(later(Sequence(7), Sequence(3)), Sequence(7));
        assert_eq!(later(Sequence(i32::MAX), Sequence(1)), Sequence(1), "numbers begin again");
        assert_eq!(later(Sequence(1), Sequence(i32::MAX)), Sequence(1));
    }
}
