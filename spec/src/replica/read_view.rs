//! What may be read, as of the last publication.
//!
//! A fetch is answered from a published view without the machine's thread, so a view may be stale: the broker may
//! have stopped leading since. That is harmless as long as a read that reaches past a later cut is broken off
//! (`replica.read.cut`), which the shell sees to.
//!
//! Rules: `replica.read.*`, `replica.fetch.*`. Source: Kafka's `Partition.fetchRecords`, `UnifiedLog.read`.

use crate::log::{EpochCache, EpochEnd};
use crate::marks::guard;
use crate::refusal::Refusal;
use crate::rules::{FetchFencing, Rules, Truncation};
use crate::values::{BrokerId, Brokers, LeaderEpoch, Offset};

/// A replica as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadView {
    /// Whether it serves readers.
    pub role: ReadRole,
    /// The leader epoch in force; `None` before the first assignment.
    pub leader_epoch: Option<LeaderEpoch>,
    /// Where each epoch began.
    pub epochs: EpochCache,
    /// The first offset that can be read (inclusive).
    pub log_start: Offset,
    /// The first offset not known to be committed (exclusive).
    pub high_watermark: Offset,
    /// The log end offset (exclusive).
    pub log_end: Offset,
}

/// Whether a replica serves readers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReadRole {
    /// It leads, and `assigned` may follow.
    Leader {
        /// The other replicas.
        assigned: Brokers,
        /// The log end offset when this leadership began: everything below it may have been committed.
        epoch_start: Offset,
    },
    /// It does not lead.
    NotLeader,
    /// It is out of order, and says so.
    Offline(Refusal),
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reader {
    /// A client: it sees what is committed.
    Consumer,
    /// A follower: it sees everything.
    Follower(BrokerId),
    /// Someone who looks at one copy, whether or not it leads (Kafka's replica id −2).
    Debugger,
}

/// A request to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// Who reads.
    pub reader: Reader,
    /// The leader epoch that the reader believes in, if it says.
    pub leader_epoch: Option<LeaderEpoch>,
    /// The first offset wanted (inclusive).
    pub offset: Offset,
    /// The epoch of the reader's last record, if it asks where the logs part.
    pub last_fetched_epoch: Option<LeaderEpoch>,
}

/// What a reader gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The records from `from` (inclusive) to `upto` (exclusive); none when they are equal.
    Read {
        /// The first offset (inclusive).
        from: Offset,
        /// The bound (exclusive): the high watermark for clients, the log end for followers.
        upto: Offset,
        /// The high watermark to report (exclusive).
        high_watermark: Offset,
    },
    /// The reader's log parts from this one.
    Diverging(EpochEnd),
    /// Refused.
    Refused(Refusal),
}

impl ReadView {
    /// Answers one request, with Kafka's checks in Kafka's order.
    #[must_use]
    pub fn answer(&self, rules: &Rules, ask: &Ask) -> Answer {
        match self.checked(rules, ask) {
            Err(refusal) => Answer::Refused(refusal),
            Ok(Some(diverging)) => Answer::Diverging(diverging),
            Ok(None) => {
                let upto = self.bound(ask.reader).max(ask.offset);
                Answer::Read { from: ask.offset, upto, high_watermark: self.high_watermark }
            }
        }
    }

    /// `replica.read.latest`: the end of what a reader may read (ListOffsets with timestamp −1), as an offset that the
    /// next record will get (exclusive). A client is not told while the high watermark of a new leader lags: it could
    /// be less than what the client has read from the last one.
    ///
    /// # Errors
    /// Those of a fetch, and [`Refusal::OffsetNotAvailable`].
    pub fn latest(&self, rules: &Rules, reader: Reader, leader_epoch: Option<LeaderEpoch>) -> Result<Offset, Refusal> {
        self.fenced(rules, reader, leader_epoch)?;
        match (&self.role, reader) {
            (ReadRole::Leader { epoch_start, .. }, Reader::Consumer) if self.high_watermark < *epoch_start => {
                Err(Refusal::OffsetNotAvailable)
            }
            _ => Ok(self.bound(reader)),
        }
    }

    /// `replica.read.bound`: clients read below the high watermark, followers to the end.
    fn bound(&self, reader: Reader) -> Offset {
        guard!("replica.read.bound", reader == Reader::Consumer);
        match reader {
            Reader::Consumer => self.high_watermark,
            Reader::Follower(_) | Reader::Debugger => self.log_end,
        }
    }

    fn checked(&self, rules: &Rules, ask: &Ask) -> Result<Option<EpochEnd>, Refusal> {
        self.fenced(rules, ask.reader, ask.leader_epoch)?;
        if let (ReadRole::Leader { assigned, .. }, Reader::Follower(replica)) = (&self.role, ask.reader)
            && !assigned.contains(replica)
        {
            // A newer assignment may name it: the follower tries again.
            return Err(match ask.leader_epoch {
                Some(_) => Refusal::UnknownLeaderEpoch,
                None => Refusal::NotLeaderOrFollower,
            });
        }
        if let Some(diverging) = self.diverging(rules, ask)? {
            return Ok(Some(diverging));
        }
        // `replica.read.range`: between the high watermark and the end a client gets an empty success.
        if guard!("replica.read.range", ask.offset < self.log_start || ask.offset > self.log_end) {
            return Err(Refusal::OffsetOutOfRange);
        }
        Ok(None)
    }

    /// `replica.epoch.end`: where this log ends the largest epoch not above `epoch` (OffsetForLeaderEpoch); `None` when
    /// it can't say.
    ///
    /// # Errors
    /// Those of a fetch.
    pub fn end_of_epoch(
        &self,
        rules: &Rules,
        reader: Reader,
        leader_epoch: Option<LeaderEpoch>,
        epoch: LeaderEpoch,
    ) -> Result<Option<EpochEnd>, Refusal> {
        self.fenced(rules, reader, leader_epoch)?;
        Ok(self.epochs.end_of(epoch, self.log_end))
    }

    /// `replica.read.start`: the first offset that can be read (ListOffsets with timestamp −2, inclusive).
    ///
    /// # Errors
    /// Those of a fetch.
    pub fn earliest(
        &self,
        rules: &Rules,
        reader: Reader,
        leader_epoch: Option<LeaderEpoch>,
    ) -> Result<Offset, Refusal> {
        self.fenced(rules, reader, leader_epoch)?;
        Ok(self.log_start)
    }

    /// `replica.fetch.fence`: a reader of another leader epoch is told so before anything else.
    fn fenced(&self, rules: &Rules, reader: Reader, asked: Option<LeaderEpoch>) -> Result<(), Refusal> {
        if let ReadRole::Offline(refusal) = self.role {
            return Err(refusal);
        }
        if rules.fetch_fencing == FetchFencing::LeaderEpoch && asked.is_some() {
            if asked < self.leader_epoch {
                guard!("replica.fetch.fence/older", true);
                return Err(Refusal::FencedLeaderEpoch);
            }
            guard!("replica.fetch.fence/older", false);
            if guard!("replica.fetch.fence/newer", asked > self.leader_epoch) {
                return Err(Refusal::UnknownLeaderEpoch);
            }
        }
        match (&self.role, reader) {
            (ReadRole::Leader { .. }, _) | (_, Reader::Debugger) => Ok(()),
            _ => Err(Refusal::NotLeaderOrFollower),
        }
    }

    /// `replica.fetch.diverging`: where the reader's last epoch ends here, if that is not where the reader stands.
    fn diverging(&self, rules: &Rules, ask: &Ask) -> Result<Option<EpochEnd>, Refusal> {
        let Some(last) = ask.last_fetched_epoch else {
            return Ok(None);
        };
        let found = match rules.truncation {
            Truncation::EpochOnce => self.epochs.end_of_or_next(last, self.log_end),
            _ => self.epochs.end_of(last, self.log_end),
        };
        let found = found.ok_or(Refusal::OffsetOutOfRange)?;
        if ask.offset < self.log_start {
            return Err(Refusal::OffsetOutOfRange);
        }
        let parted = (found.epoch < last || found.end < ask.offset).then_some(found);
        guard!("replica.fetch.diverging", parted.is_some());
        Ok(parted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leading(high_watermark: i64, epoch_start: i64) -> ReadView {
        ReadView {
            role: ReadRole::Leader { assigned: Brokers::only(BrokerId(2)), epoch_start: Offset(epoch_start) },
            leader_epoch: Some(LeaderEpoch(3)),
            epochs: EpochCache::default(),
            log_start: Offset(0),
            high_watermark: Offset(high_watermark),
            log_end: Offset(9),
        }
    }

    // Verifies: replica.read.latest
    #[test]
    fn a_client_is_not_told_the_latest_offset_while_the_high_watermark_lags() {
        let latest = |view: ReadView, reader| view.latest(&Rules::KAFKA, reader, None);
        assert_eq!(latest(leading(4, 5), Reader::Consumer), Err(Refusal::OffsetNotAvailable));
        assert_eq!(latest(leading(5, 5), Reader::Consumer), Ok(Offset(5)));
        assert_eq!(latest(leading(4, 5), Reader::Follower(BrokerId(2))), Ok(Offset(9)), "a follower reads to the end");
    }

    // Verifies: replica.read.latest, replica.fetch.fence
    #[test]
    fn the_latest_offset_is_fenced_as_a_fetch_is() {
        let latest = |epoch| leading(5, 5).latest(&Rules::KAFKA, Reader::Consumer, Some(LeaderEpoch(epoch)));
        assert_eq!(latest(2), Err(Refusal::FencedLeaderEpoch));
        assert_eq!(latest(4), Err(Refusal::UnknownLeaderEpoch));
        let view = ReadView { role: ReadRole::NotLeader, ..leading(5, 5) };
        assert_eq!(view.latest(&Rules::KAFKA, Reader::Consumer, None), Err(Refusal::NotLeaderOrFollower));
        assert_eq!(view.latest(&Rules::KAFKA, Reader::Debugger, None), Ok(Offset(9)), "who debugs looks anywhere");
    }
}
