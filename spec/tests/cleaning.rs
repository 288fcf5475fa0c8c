//! Logs that are written, rolled and cleaned at random: whatever happens, what counts of them stays.

use highwater_spec::log::clean::{
    Cleaning, CleaningLimits, Fate, Found, Kind, Latest, Ratio, Round, SealedSegment, kept_of_producers,
};
use highwater_spec::producer::{Producers, Sequence, Sequenced};
use highwater_spec::property::cleaning::{CleaningView, KeyValue, OF_CLEANING};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

const EAGER: CleaningLimits = CleaningLimits { min_dirty_ratio: Ratio(0), min_lag_ms: 0, max_lag_ms: i64::MAX };
const DELETE_RETENTION_MS: i64 = 10;

#[derive(Clone, Debug)]
struct Batch {
    base: Offset,
    count: u32,
    producer: Option<Sequenced>,
    delete_horizon: Option<i64>,
    records: Vec<(Offset, KeyValue)>,
}

impl Batch {
    fn end(&self) -> Offset {
        self.base.plus(self.count)
    }
}

/// Segments, of which the last one is written to.
#[derive(Clone, Debug)]
struct Log {
    segments: Vec<(Offset, Vec<Batch>)>,
    end: Offset,
    cleaned: Option<Offset>,
    written: Vec<KeyValue>,
    producers: Producers,
    now: i64,
}

impl Default for Log {
    fn default() -> Self {
        let segments = vec![(Offset(0), Vec::new())];
        let (written, producers) = (Vec::new(), Producers::default());
        Self { segments, end: Offset(0), cleaned: None, written, producers, now: 0 }
    }
}

#[derive(Clone, Debug)]
enum Move {
    /// A batch, of a producer with an id or without.
    Write(Option<i64>, Vec<KeyValue>),
    Roll,
    /// A round with so much room for keys, of what lies below the end less so much.
    Clean(u64, i64),
    /// Time passes.
    Wait(i64),
    /// A crash: what was cleaned is not known any more, and the log is read again.
    Crash,
}

fn moves() -> impl Strategy<Value = Move> {
    let record = (0..3_u8, prop::option::weighted(0.7, 0..100_u8)).prop_map(|(key, value)| KeyValue { key, value });
    let producer = prop::option::of(0..2_i64);
    prop_oneof![
        6 => (producer, vec(record, 1..4)).prop_map(|(producer, records)| Move::Write(producer, records)),
        3 => Just(Move::Roll),
        4 => (prop_oneof![Just(1), Just(130), Just(u64::MAX)], prop_oneof![3 => Just(0), 1 => 0..9_i64])
            .prop_map(|(room, unstable)| Move::Clean(room, unstable)),
        2 => (1..20_i64).prop_map(Move::Wait),
        1 => Just(Move::Crash),
    ]
}

impl Log {
    fn happens(&mut self, rules: &Rules, what: Move) {
        match what {
            Move::Write(producer, records) => self.write(producer, records),
            Move::Roll => {
                if self.segments.last().is_some_and(|(base, _)| *base < self.end) {
                    self.segments.push((self.end, Vec::new()));
                }
            }
            Move::Clean(room, unstable) => self.clean(rules, room, Offset(self.end.0 - unstable)),
            Move::Wait(time) => self.now += time,
            Move::Crash => {
                self.cleaned = None;
                self.producers = self.read_producers();
            }
        }
    }

    fn write(&mut self, producer: Option<i64>, records: Vec<KeyValue>) {
        let count = records.len() as u32;
        let producer = producer.map(|id| {
            let known = self.producers.get(ProducerId(id)).and_then(|known| known.last());
            let first = known.map_or(Sequence(0), |last| last.next);
            let (producer, epoch) = (ProducerId(id), ProducerEpoch(0));
            Sequenced { producer, epoch, first, timestamp: Timestamp(self.now) }
        });
        let base = self.end;
        if let Some(sequenced) = &producer {
            self.producers.appended(sequenced, base, count);
        }
        self.written.extend(&records);
        let records = (base.0..).map(Offset).zip(records).collect();
        let batch = Batch { base, count, producer, delete_horizon: None, records };
        self.end = batch.end();
        self.segments.last_mut().expect("a segment").1.push(batch);
    }

    fn clean(&mut self, rules: &Rules, room: u64, stable: Offset) {
        let sealed: Vec<_> = self.segments[..self.segments.len() - 1].iter().map(summary).collect();
        let cleaning = Cleaning {
            sealed: &sealed,
            active_base: self.segments.last().expect("a segment").0,
            log_start: Offset(0),
            log_end: self.end,
            stable,
            durable: self.end,
            cleaned: self.cleaned,
        };
        let part = cleaning.dirty_part(&EAGER, self.now);
        if !part.is_due(&EAGER, self.now) {
            return;
        }
        let mut latest = Latest::new(part.from, room);
        for batch in self.segments.iter().flat_map(|(_, batches)| batches) {
            if batch.end() > part.from && batch.base < part.upto && !latest.is_full() {
                latest.note(batch.end(), batch.records.iter().map(|(offset, record)| (*offset, record.key, 1)));
            }
        }
        if !latest.is_full() {
            latest.reach(part.upto);
        }
        let kept = kept_of_producers(&self.producers, stable);
        let (now, delete_retention_ms) = (self.now, DELETE_RETENTION_MS);
        let round = Round { rules, latest: &latest, kept: &kept, now, delete_retention_ms };
        for (base, batches) in &mut self.segments {
            if *base < latest.upto() {
                let last = batches.len();
                let numbered = (1..).zip(std::mem::take(batches));
                *batches = numbered.filter_map(|(index, batch)| cleaned(&round, batch, index == last)).collect();
            }
        }
        self.cleaned = Some(latest.upto());
    }

    fn read_producers(&self) -> Producers {
        let mut producers = Producers::default();
        for batch in self.segments.iter().flat_map(|(_, batches)| batches) {
            if let Some(sequenced) = &batch.producer {
                producers.appended(sequenced, batch.base, batch.count);
            }
        }
        producers
    }

    /// Where a copy of this log would end.
    fn copied_end(&self) -> Offset {
        self.segments.iter().flat_map(|(_, batches)| batches).last().map_or(Offset(0), Batch::end)
    }

    fn judge(&self) -> Result<(), TestCaseError> {
        let batches = self.segments.iter().flat_map(|(_, batches)| batches);
        let view = CleaningView {
            written: &self.written,
            left: batches.flat_map(|batch| batch.records.clone()).collect(),
            end: self.copied_end(),
            known: &self.producers,
            read: self.read_producers(),
        };
        for property in OF_CLEANING {
            if let Err(reason) = (property.check)(&view) {
                return Err(TestCaseError::fail(format!("{}: {reason}", property.name)));
            }
        }
        Ok(())
    }
}

fn summary((base, batches): &(Offset, Vec<Batch>)) -> SealedSegment {
    let bytes = batches.len() as u64;
    SealedSegment { base: *base, bytes, first_timestamp: None, largest_timestamp: None }
}

fn cleaned(round: &Round<'_, u8>, mut batch: Batch, is_last: bool) -> Option<Batch> {
    let producer = batch.producer.map(|sequenced| sequenced.producer);
    let found = Found { end: batch.end(), kind: Kind::Data, producer, delete_horizon: batch.delete_horizon, is_last };
    let records = batch.records.iter().map(|(offset, record)| (*offset, Some(&record.key), record.value.is_none()));
    match round.fate(&found, records) {
        Fate::Stays => {}
        Fate::Rewritten { stays, delete_horizon } => {
            let mut stays = stays.into_iter();
            batch.records.retain(|_| stays.next() == Some(true));
            batch.delete_horizon = delete_horizon;
        }
        Fate::Emptied => batch.records.clear(),
        Fate::Goes => return None,
    }
    Some(batch)
}

proptest! {
    // Verifies: log.clean.latest, log.clean.tombstone, log.clean.beyond, log.clean.place, log.clean.producer
    // Verifies: log.clean.end, log.clean.room, log.clean.upto
    #[test]
    fn what_counts_of_a_log_stays(moves in vec(moves(), 1..40)) {
        let mut log = Log::default();
        for what in moves {
            log.happens(&Rules::KAFKA, what);
            log.judge()?;
        }
    }

    // Verifies: log.clean.horizon, log.clean.tombstone
    #[test]
    fn who_reads_faster_than_tombstones_go_misses_none(before in vec(moves(), 1..30), after in vec(moves(), 1..10)) {
        let mut log = Log::default();
        before.into_iter().for_each(|what| log.happens(&Rules::KAFKA, what));
        // A reader that has come to the end knows these; then it is away for less than the retention.
        let (read, end, left) = (log.written.clone(), log.end, log.now + DELETE_RETENTION_MS);
        for what in after {
            if !matches!(&what, Move::Wait(time) if log.now + time >= left) {
                log.happens(&Rules::KAFKA, what);
            }
        }
        let fold = |records: &mut dyn Iterator<Item = KeyValue>| {
            records.map(|record| (record.key, record.value)).collect::<std::collections::BTreeMap<_, _>>()
        };
        let batches = log.segments.iter().flat_map(|(_, batches)| batches);
        let later = batches.flat_map(|batch| batch.records.clone()).filter(|(offset, _)| *offset >= end);
        let believes = fold(&mut read.iter().copied().chain(later.map(|(_, record)| record)));
        prop_assert_eq!(believes, fold(&mut log.written.iter().copied()));
    }
}

fn round_of<'a>(rules: &'a Rules, latest: &'a Latest<u8>, now: i64, kept: &'a Kept) -> Round<'a, u8> {
    Round { rules, latest, kept, now, delete_retention_ms: DELETE_RETENTION_MS }
}

type Kept = std::collections::BTreeSet<(ProducerId, Offset)>;

const DATA: Found = Found { end: Offset(2), kind: Kind::Data, producer: None, delete_horizon: None, is_last: false };

fn latest(keys: &[(i64, u8)], upto: i64) -> Latest<u8> {
    let mut latest = Latest::new(Offset(0), u64::MAX);
    latest.note(Offset(upto), keys.iter().map(|(offset, key)| (Offset(*offset), *key, 1)));
    latest
}

// Verifies: log.clean.latest, log.clean.keyless, log.clean.beyond
#[test]
fn a_record_stays_unless_a_later_one_has_its_key() {
    let (latest, kept) = (latest(&[(0, 1), (1, 2), (4, 1)], 5), Kept::new());
    let round = round_of(&Rules::KAFKA, &latest, 0, &kept);
    let fate = |records: &[(i64, Option<u8>)]| {
        round.fate(&DATA, records.iter().map(|(offset, key)| (Offset(*offset), key.as_ref(), false)))
    };
    let some = |stays: [bool; 2]| Fate::Rewritten { stays: stays.to_vec(), delete_horizon: None };
    assert_eq!(fate(&[(0, Some(1)), (1, Some(2))]), some([false, true]));
    assert_eq!(fate(&[(1, Some(2)), (4, Some(1))]), Fate::Stays);
    assert_eq!(fate(&[(0, Some(1))]), Fate::Goes);
    assert_eq!(fate(&[(0, None), (1, Some(2))]), some([false, true]), "without a key");
    assert_eq!(fate(&[(0, Some(3)), (5, None)]), Fate::Stays, "a key that is not in the dirty part, and further on");
}

// Verifies: log.clean.horizon, log.clean.tombstone
#[test]
fn a_tombstone_stays_until_its_horizon() {
    let (latest, kept) = (latest(&[(0, 1), (1, 2)], 2), Kept::new());
    let at = |now, delete_horizon| {
        let records = [(Offset(0), Some(&1), true), (Offset(1), Some(&2), false)];
        round_of(&Rules::KAFKA, &latest, now, &kept).fate(&Found { delete_horizon, ..DATA }, records)
    };
    let both = Fate::Rewritten { stays: vec![true, true], delete_horizon: Some(15) };
    assert_eq!(at(5, None), both, "the first round says when");
    assert_eq!(at(14, Some(15)), Fate::Stays);
    let one = Fate::Rewritten { stays: vec![false, true], delete_horizon: Some(15) };
    assert_eq!(at(15, Some(15)), one);
}

// Verifies: log.clean.untouched
#[test]
fn markers_and_transactions_stay_as_they_are() {
    let (latest, kept) = (latest(&[(4, 1)], 5), Kept::new());
    let round = round_of(&Rules::KAFKA, &latest, 0, &kept);
    assert_eq!(round.fate(&Found { kind: Kind::Untouched, ..DATA }, [(Offset(0), Some(&1), false)]), Fate::Stays);
}

// Verifies: log.clean.producer
#[test]
fn what_a_producer_wrote_last_stays_known() {
    let (latest, id) = (latest(&[(4, 1)], 5), ProducerId(7));
    let mut producers = Producers::default();
    for base in [0, 2, 8] {
        let epoch = ProducerEpoch(0);
        let written = Sequenced { producer: id, epoch, first: Sequence(base), timestamp: Timestamp(0) };
        producers.appended(&written, Offset(i64::from(base)), 2);
    }
    let kept = kept_of_producers(&producers, Offset(4));
    assert_eq!(kept, Kept::from([(id, Offset(4)), (id, Offset(10))]), "what lies above may be cut");
    let round = round_of(&Rules::KAFKA, &latest, 0, &kept);
    let fate = |end, records: &[(Offset, Option<&u8>, bool)]| {
        round.fate(&Found { end: Offset(end), producer: Some(id), ..DATA }, records.iter().copied())
    };
    assert_eq!(fate(4, &[(Offset(2), Some(&1), false)]), Fate::Emptied);
    assert_eq!(fate(4, &[]), Fate::Stays, "it was emptied before");
    assert_eq!(fate(2, &[(Offset(0), Some(&1), false)]), Fate::Goes);
}

// Verifies: log.clean.end
#[test]
fn the_last_batch_says_how_far_the_log_goes() {
    let (latest, kept) = (latest(&[(4, 1)], 5), Kept::new());
    let last = Found { is_last: true, ..DATA };
    let fate = |rules| round_of(rules, &latest, 0, &kept).fate(&last, [(Offset(0), Some(&1), false)]);
    assert_eq!(fate(&Rules::KAFKA), Fate::Emptied);
    let old = Rules { cleaned_end: highwater_spec::rules::CleanedEnd::Lost, ..Rules::KAFKA };
    assert_eq!(fate(&old), Fate::Goes);
}

// Verifies: log.clean.room
#[test]
fn a_round_ends_where_there_is_no_room_for_more_keys() {
    let mut latest = Latest::new(Offset(1), 100);
    latest.note(Offset(2), [(Offset(0), 1_u8, 10), (Offset(1), 2, 10)]);
    assert_eq!((latest.of(&1), latest.of(&2), latest.upto()), (None, Some(Offset(1)), Offset(2)));
    assert!(!latest.is_full(), "one key with 10 bytes");
    latest.note(Offset(3), [(Offset(2), 2, 10)]);
    assert!(!latest.is_full(), "the same key again");
    latest.note(Offset(4), [(Offset(3), 3, 10)]);
    assert!(latest.is_full());
}
