//! How much a coordinator may write at once.
//!
//! What a turn writes goes into the log together, as one batch, and the log takes none that is larger than
//! `max.message.bytes`: a follower could not fetch it, and nothing would ever be committed again. How large records are
//! only the shell can tell; what follows is decided here. Rules: `group.coordinator.batch`. Source: Kafka's
//! `CoordinatorRuntime.append`, which counts the header of the batch twice.

use super::turn::Turn;
use super::{Coordinator, Output, Record, Reply};
use crate::machine::Carrier;
use crate::marks::guard;
use crate::values::Ticket;

/// A carrier of which it is known how large the records of a coordinator are.
pub trait Measured: Carrier {
    /// The size of these records as one batch, in bytes. In a model, how many there are.
    fn batch_size(records: &[Record<Self>]) -> u64;
}

impl<C: Measured> Turn<'_, C> {
    /// Whether the log takes `more` beside what this turn has written so far.
    pub(super) fn has_room_for(&self, more: &Record<C>) -> bool {
        let written: Vec<_> = self.written().iter().chain([more]).cloned().collect();
        C::batch_size(&written) <= self.config.max_batch
    }

    /// Writes as many of `records` as the log takes, if not all: half of them, or half of that. True if all.
    pub(super) fn write_what_fits(&mut self, mut records: Vec<Record<C>>) -> bool {
        let all = records.len();
        while C::batch_size(&records) > self.config.max_batch && !records.is_empty() {
            records.truncate(records.len() / 2);
        }
        let is_all = records.len() == all;
        records.into_iter().for_each(|record| self.write(record));
        is_all
    }

    pub(super) fn is_too_large(&self) -> bool {
        !self.written().is_empty() && C::batch_size(self.written()) > self.config.max_batch
    }

    /// Whoever asked gets `answer`, and no other.
    fn answer_instead(&mut self, ticket: Ticket, answer: Reply<C>) {
        self.out.retain(|output| !matches!(output, Output::Reply { ticket: other, .. } if *other == ticket));
        self.reply(ticket, answer);
    }
}

impl<C: Measured> Coordinator<C> {
    /// `group.coordinator.batch`: a turn that would write more than the log takes at once writes nothing, and whoever
    /// asked is refused. A group that it made is gone. Timers that it set stay set.
    pub(super) fn stay_within_limit(
        &mut self,
        asked: Option<(Ticket, Reply<C>)>,
        is_new: bool,
        turn: &mut Turn<'_, C>,
    ) {
        if !guard!("group.coordinator.batch", turn.is_too_large()) {
            return;
        }
        turn.write_nothing();
        if is_new {
            self.classic.remove(turn.group);
        }
        if self.consumer_group(turn.group).is_some() {
            self.unseen.insert(turn.group.clone());
        }
        if let Some((ticket, refused)) = asked {
            turn.answer_instead(ticket, refused);
        }
    }
}
