//! One input's worth of deciding: what it may look at, and where it says what.

use super::{
    CommittedOffset, Config, ConsumerRecord, Coordinator, GroupId, GroupMetadata, Measured, MemberId, Millis,
    NamedPartition,
};
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

/// How far a turn was.
pub(super) struct SoFar {
    records: usize,
    outputs: usize,
}

impl<'a, C: Measured> Turn<'a, C> {
    pub(super) fn new(
        config: &'a Config,
        at: C::Stamp,
        group: &'a GroupId,
        decision: &'a mut Decision<Coordinator<C>>,
    ) -> Self {
        Self { config, at, group, records: &mut decision.records, out: &mut decision.outputs }
    }
}

impl<C: Carrier> Turn<'_, C> {
    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply<C>) {
        self.out.push(Output::Reply { ticket, reply });
    }

    pub(super) fn set_timer(&mut self, timer: Timer, after: Millis) {
        self.out.push(Output::SetTimer { group: self.group.clone(), timer, after });
    }

    pub(super) fn cancel_timer(&mut self, timer: Timer) {
        self.out.push(Output::CancelTimer { group: self.group.clone(), timer });
    }

    pub(super) fn write(&mut self, record: Record<C>) {
        self.records.push(record);
    }

    /// What this turn has written so far.
    pub(super) fn written(&self) -> &[Record<C>] {
        self.records
    }

    /// How far it is, for [`Turn::back_to`].
    pub(super) fn so_far(&self) -> SoFar {
        SoFar { records: self.records.len(), outputs: self.out.len() }
    }

    /// As if what came after `then` had never been.
    pub(super) fn back_to(&mut self, then: SoFar) {
        self.records.truncate(then.records);
        self.out.truncate(then.outputs);
    }

    /// Takes back what it has written, and nothing else.
    pub(super) fn write_nothing(&mut self) {
        self.records.clear();
    }

    /// The group from now on; `None` deletes it.
    pub(super) fn write_group(&mut self, metadata: Option<GroupMetadata<C>>) {
        let record = self.group_record(metadata);
        self.write(record);
    }

    /// What [`Turn::write_group`] writes.
    pub(super) fn group_record(&self, metadata: Option<GroupMetadata<C>>) -> Record<C> {
        Record::Group { group: self.group.clone(), metadata: metadata.map(Arc::new) }
    }

    /// The offset from now on; `None` deletes it.
    pub(super) fn write_offset(&mut self, partition: NamedPartition, committed: Option<CommittedOffset<C>>) {
        let record = self.offset_record(partition, committed);
        self.write(record);
    }

    /// What [`Turn::write_offset`] writes.
    pub(super) fn offset_record(&self, partition: NamedPartition, committed: Option<CommittedOffset<C>>) -> Record<C> {
        Record::Offset { group: self.group.clone(), partition, committed }
    }

    /// Something about the group, which is one of the consumer protocol.
    pub(super) fn write_consumer(&mut self, record: ConsumerRecord) {
        self.write(Record::Consumer { group: self.group.clone(), record });
    }

    /// A consumer group has no such member any more.
    pub(super) fn write_consumer_gone(&mut self, member: &MemberId) {
        self.write_consumer(ConsumerRecord::Current(member.clone(), None));
        self.write_consumer(ConsumerRecord::Target(member.clone(), None));
        self.write_consumer(ConsumerRecord::Member(member.clone(), None));
    }

    /// Whether it is written in this turn that the group is, or is not, a classic one.
    pub(super) fn has_written_group(&self) -> bool {
        self.records.iter().any(|record| matches!(record, Record::Group { .. }))
    }
}
