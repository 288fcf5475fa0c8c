//! One input's worth of deciding: what it may look at, and where it says what.

use super::{CommittedOffset, Config, Coordinator, GroupId, GroupMetadata, Millis, NamedPartition};
use super::{Output, Record, Reply, Timer};
use crate::machine::Carrier;
use crate::replicated::Decision;
use crate::values::Ticket;
use std::sync::Arc;

/// Deciding about one group.
pub(super) struct Turn<'a, C: Carrier> {
    pub(super) config: &'a Config,
    /// When the input came.
    pub(super) at: C::Stamp,
    pub(super) group: &'a GroupId,
    records: &'a mut Vec<Record<C>>,
    pub(super) out: &'a mut Vec<Output<C>>,
}

impl<'a, C: Carrier> Turn<'a, C> {
    pub(super) fn new(
        config: &'a Config,
        at: C::Stamp,
        group: &'a GroupId,
        decision: &'a mut Decision<Coordinator<C>>,
    ) -> Self {
        Self { config, at, group, records: &mut decision.records, out: &mut decision.outputs }
    }

    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply<C>) {
        self.out.push(Output::Reply { ticket, reply });
    }

    pub(super) fn set_timer(&mut self, timer: Timer, after: Millis) {
        self.out.push(Output::SetTimer { group: self.group.clone(), timer, after });
    }

    pub(super) fn cancel_timer(&mut self, timer: Timer) {
        self.out.push(Output::CancelTimer { group: self.group.clone(), timer });
    }

    /// The group from now on; `None` deletes it.
    pub(super) fn write_group(&mut self, metadata: Option<GroupMetadata<C>>) {
        self.records.push(Record::Group { group: self.group.clone(), metadata: metadata.map(Arc::new) });
    }

    /// The offset from now on; `None` deletes it.
    pub(super) fn write_offset(&mut self, partition: NamedPartition, committed: Option<CommittedOffset<C>>) {
        self.records.push(Record::Offset { group: self.group.clone(), partition, committed });
    }

    /// Whether something is written in this turn.
    pub(super) fn has_written(&self) -> bool {
        !self.records.is_empty()
    }
}
