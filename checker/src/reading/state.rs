//! The state of a reader's world: the logs of its partition's leaders, the consumer, and what is under way.

use super::Bounds;
use highwater_spec::client::consumer::{Consumer, Input, Place};
use highwater_spec::log::{EpochCache, EpochEntry};
use highwater_spec::replica::{ReadRole, ReadView};
use highwater_spec::values::{Brokers, LeaderEpoch, Offset};
use highwater_spec::view::Entry;

/// Everything.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct State {
    /// The log of each leader, as it is, or as it was when it led no more; its place is its leader epoch.
    pub(super) logs: Vec<Vec<Entry>>,
    /// The records that were ever written.
    pub(super) written: u64,
    pub(super) consumer: Consumer,
    /// Of which leader the consumer has heard last, by its epoch; the first one's stands for all where the consumer itself
    /// knows epochs.
    pub(super) heard: Option<u8>,
    /// What it has asked, and has not heard of, sorted.
    pub(super) questions: Vec<Question>,
    /// What the application has.
    pub(super) read: Vec<(Offset, Entry)>,
    /// What the coordinator has.
    pub(super) committed: Option<Place>,
    /// What the application had when that was committed.
    pub(super) kept: Vec<(Offset, Entry)>,
    pub(super) budget: Bounds,
}

/// Something that the consumer asks a leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    pub(super) asked: Asked,
    /// What it will hear, and the records that come with it.
    pub(super) answer: Option<(Input, Vec<(Offset, Entry)>)>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// Records from this offset on (inclusive), of a leader in this epoch.
    Records(Offset, Option<LeaderEpoch>),
    /// Where the epoch of this place ends, of a leader in this epoch.
    EpochEnd(Place, LeaderEpoch),
}

impl State {
    /// The leader epoch in force.
    pub(super) fn epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.logs.len() as i32 - 1)
    }

    /// What the leader in an epoch shows to readers, if there was one. How far a log is committed is another world's
    /// concern: all of it is.
    pub(super) fn view(&self, epoch: u8) -> Option<ReadView> {
        let log = self.logs.get(usize::from(epoch))?;
        let (epoch, end) = (LeaderEpoch(epoch.into()), Offset(log.len() as i64));
        let written = (0..).zip(log).map(|(at, entry)| EpochEntry { epoch: entry.epoch, start: Offset(at) });
        let mut epochs: EpochCache = written.collect();
        epochs.assign(epoch, end);
        let role = ReadRole::Leader { assigned: Brokers::default(), epoch_start: Offset(0) };
        let (leader_epoch, log_start) = (Some(epoch), Offset(0));
        Some(ReadView { role, leader_epoch, epochs, log_start, high_watermark: end, log_end: end })
    }
}
