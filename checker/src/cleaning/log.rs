//! The log of this world: batches of one record each, in segments.

use highwater_spec::log::clean::{
    Cleaning, CleaningLimits, Fate, Found, Kind, Latest, Ratio, Round, SealedSegment, kept_of_producers,
};
use highwater_spec::producer::{Producers, Sequenced};
use highwater_spec::property::cleaning::KeyValue;
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerId};

/// Whatever is dirty is cleaned.
const EAGER: CleaningLimits = CleaningLimits { min_dirty_ratio: Ratio(0), min_lag_ms: 0, max_lag_ms: i64::MAX };

/// A batch of one record, or of none any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The offset that it takes.
    pub offset: Offset,
    /// Whose it is, if its producer has an id.
    pub producer: Option<Sequenced>,
    /// From when on its tombstone may go.
    pub delete_horizon: Option<i64>,
    /// The record.
    pub record: Option<KeyValue>,
}

/// Batches that lie together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The offset that it begins at (inclusive).
    pub base: Offset,
    /// What it holds.
    pub batches: Vec<Batch>,
}

/// Segments, of which the last one is written to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    /// The segments, never none.
    pub segments: Vec<Segment>,
    /// The log end offset (exclusive).
    pub end: Offset,
    /// Up to where it was cleaned (exclusive), as far as that is known.
    pub cleaned: Option<Offset>,
}

impl Default for Log {
    fn default() -> Self {
        Self { segments: vec![Segment::default()], end: Offset(0), cleaned: None }
    }
}

impl Log {
    /// Its batches, in order.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &Batch> {
        self.segments.iter().flat_map(|segment| &segment.batches)
    }

    /// What it says of its producers.
    pub fn producers(&self) -> Producers {
        let mut producers = Producers::default();
        for batch in self.batches() {
            if let Some(sequenced) = &batch.producer {
                producers.appended(sequenced, batch.offset, 1);
            }
        }
        producers
    }

    /// Adds a record at the end.
    pub fn append(&mut self, record: KeyValue, producer: Option<Sequenced>) {
        let batch = Batch { offset: self.end, producer, delete_horizon: None, record: Some(record) };
        self.end = self.end.next();
        if let Some(active) = self.segments.last_mut() {
            active.batches.push(batch);
        }
    }

    /// Begins another segment at the end, unless the newest one begins there.
    pub fn roll(&mut self) {
        if self.segments.last().is_none_or(|active| active.base < self.end) {
            self.segments.push(Segment { base: self.end, batches: Vec::new() });
        }
    }

    /// What a replica has that copies it from the start: whole batches, one after another.
    pub fn copy(&self) -> Self {
        let batches: Vec<_> = self.batches().cloned().collect();
        let end = batches.last().map_or(Offset(0), |last| last.offset.next());
        Self { segments: vec![Segment { base: Offset(0), batches }], end, cleaned: None }
    }

    /// One round of cleaning, if one is due.
    pub fn clean(&mut self, rules: &Rules, known: &Producers, now: i64, room: u64) {
        let Some((active, sealed)) = self.segments.split_last() else { return };
        let sealed: Vec<_> = sealed.iter().map(summary).collect();
        let cleaning = Cleaning {
            sealed: &sealed,
            active_base: active.base,
            log_start: Offset(0),
            log_end: self.end,
            stable: self.end,
            durable: self.end,
            cleaned: self.cleaned,
        };
        let part = cleaning.dirty_part(&EAGER, now);
        if !part.is_due(&EAGER, now) {
            return;
        }
        let mut latest = Latest::new(part.from, room);
        for batch in self.batches().filter(|batch| batch.offset >= part.from && batch.offset < part.upto) {
            if !latest.is_full() {
                latest.note(batch.offset.next(), batch.record.map(|record| (batch.offset, record.key, 1)));
            }
        }
        if !latest.is_full() {
            latest.reach(part.upto);
        }
        let kept = kept_of_producers(known, self.end);
        let round = Round { rules, latest: &latest, kept: &kept, now, delete_retention_ms: 1 };
        for segment in self.segments.iter_mut().filter(|segment| segment.base < latest.upto()) {
            let last = segment.batches.len();
            let numbered = (1..).zip(std::mem::take(&mut segment.batches));
            segment.batches = numbered.filter_map(|(index, batch)| left_of(&round, batch, index == last)).collect();
        }
        self.cleaned = Some(latest.upto());
    }
}

fn summary(segment: &Segment) -> SealedSegment {
    let bytes = segment.batches.len() as u64;
    SealedSegment { base: segment.base, bytes, first_timestamp: None, largest_timestamp: None }
}

fn left_of(round: &Round<'_, u8>, mut batch: Batch, is_last: bool) -> Option<Batch> {
    let producer: Option<ProducerId> = batch.producer.map(|sequenced| sequenced.producer);
    let (end, kind, delete_horizon) = (batch.offset.next(), Kind::Data, batch.delete_horizon);
    let found = Found { end, kind, producer, delete_horizon, is_last };
    let records = batch.record.iter().map(|record| (batch.offset, Some(&record.key), record.value.is_none()));
    match round.fate(&found, records) {
        Fate::Stays => {}
        Fate::Rewritten { delete_horizon, .. } => batch.delete_horizon = delete_horizon,
        Fate::Emptied => batch.record = None,
        Fate::Goes => return None,
    }
    Some(batch)
}
