//! A log against a list of batches, through everything that may be done to it and every way to lose a process.

use crate::support::{batch, everything, files, numbered, small, stored};
use highwater::carrier::Net;
use highwater::records::{BatchHeader, split};
use highwater::storage::{PartitionLog, TimestampOffset, power_cut};
use highwater_spec::log::{Batch, Found, LastRun, LogEnds, recover};
use highwater_spec::producer::Producers;
use highwater_spec::values::{LeaderEpoch, Offset, ProducerId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
enum Step {
    /// Batches of records with these timestamps, in this many epochs further, with values of this size.
    Append(Vec<(Vec<i64>, i32, usize)>),
    /// To the end of some batch, or to the log's start.
    Truncate(Index),
    TruncateFully(i64),
    Flush(Index),
    Close,
    /// The recovery point that was written down is this part of the true one.
    Kill(Index),
    /// The same, and so many of the bytes that weren't flushed stay.
    PowerCut(Index, Vec<Index>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let timestamps = vec(prop_oneof![4 => 0..1000i64, 1 => Just(-1)], 1..4);
    let appended = vec((timestamps, prop_oneof![4 => Just(0), 1 => 1..3], 0..300usize), 1..6);
    let step = prop_oneof![
        8 => appended.prop_map(Step::Append),
        2 => any::<Index>().prop_map(Step::Truncate),
        1 => (0..100i64).prop_map(Step::TruncateFully),
        2 => any::<Index>().prop_map(Step::Flush),
        1 => Just(Step::Close),
        1 => any::<Index>().prop_map(Step::Kill),
        2 => (any::<Index>(), vec(any::<Index>(), 8)).prop_map(|(point, kept)| Step::PowerCut(point, kept)),
    ];
    vec(step, 1..25)
}

struct Run {
    dir: tempfile::TempDir,
    log: Option<PartitionLog>,
    /// What it should hold.
    batches: Vec<Batch<Net>>,
    ends: LogEnds,
    /// Everything below was flushed.
    flushed: Offset,
}

impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (log, found) = PartitionLog::open(&folder(dir.path()), small(), &LastRun::UNKNOWN).unwrap();
        let ends = recover(found).log;
        Self { dir, log: Some(log), batches: Vec::new(), ends, flushed: Offset(0) }
    }

    fn log(&mut self) -> &mut PartitionLog {
        self.log.as_mut().unwrap()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Append(batches) => self.append(&batches),
            Step::Truncate(index) => {
                let bounds: Vec<_> = [self.ends.start].into_iter().chain(self.batches.iter().map(Batch::end)).collect();
                let to = *index.get(&bounds);
                self.log().truncate(to).unwrap();
                self.batches.retain(|batch| batch.end() <= to);
                self.ends.truncated(to);
                self.cut(to);
            }
            Step::TruncateFully(at) => {
                let at = Offset(at);
                self.log().truncate_fully(at).unwrap();
                self.batches.clear();
                self.ends = LogEnds { start: at, end: at, epochs: Default::default() };
                self.cut(at);
            }
            Step::Flush(index) => {
                let upto = self.part(self.ends.end, index);
                self.log().flush(upto).unwrap();
                self.flushed = self.flushed.max(upto);
            }
            Step::Close => {
                self.log.take().unwrap().close().unwrap();
                self.check_indexes();
                self.flushed = self.ends.end;
                self.reopen(LastRun { clean: true, ..LastRun::UNKNOWN });
            }
            Step::Kill(index) => {
                let recovery_point = self.forget(index);
                self.reopen(LastRun { recovery_point, ..LastRun::UNKNOWN });
            }
            Step::PowerCut(index, kept) => {
                let recovery_point = self.forget(index);
                let mut kept = kept.into_iter().cycle();
                power_cut(self.dir.path(), |bytes| kept.next().unwrap().index(bytes as usize + 1) as u64).unwrap();
                let last = LastRun { recovery_point, ..LastRun::UNKNOWN };
                self.lose(&last);
                self.reopen(last);
            }
        }
        assert!(self.log().recovery_point() <= self.flushed, "what wasn't flushed isn't durable");
    }

    fn append(&mut self, batches: &[(Vec<i64>, i32, usize)]) {
        let mut new = Vec::new();
        for (timestamps, later, size) in batches {
            let epoch = self.ends.epochs.latest().map_or(0, |epoch| epoch.0) + later;
            // Two producers with ids, and one without.
            let id = (size % 3) as i64;
            let known = fold(self.batches.iter().chain(&new));
            let first = known.get(ProducerId(id)).and_then(|known| known.last()).map_or(0, |last| last.next.0);
            let next = match id {
                0 => batch(self.ends.end, epoch, timestamps, *size),
                id => numbered((id, first), self.ends.end, epoch, timestamps, *size),
            };
            self.ends.appended(LeaderEpoch(epoch), next.count);
            new.push(next);
        }
        let epochs = self.ends.epochs.clone();
        self.log().store_epochs(&epochs).unwrap();
        self.log().append(&new).unwrap();
        self.batches.extend(new);
    }

    fn cut(&mut self, to: Offset) {
        let epochs = self.ends.epochs.clone();
        self.log().store_epochs(&epochs).unwrap();
        self.flushed = self.flushed.min(to);
    }

    /// The process is gone; what it had written down of its recovery point may be old.
    fn forget(&mut self, index: Index) -> Offset {
        let point = self.log().recovery_point();
        self.log = None;
        self.part(point, index)
    }

    fn part(&self, of: Offset, index: Index) -> Offset {
        Offset(index.index(of.0 as usize + 1) as i64)
    }

    /// What was flushed is there, and perhaps some batches more; nothing else.
    fn lose(&mut self, last: &LastRun) {
        let (log, _) = PartitionLog::open(&folder(self.dir.path()), small(), last).unwrap();
        let end = log.end();
        let known = self.batches.iter().map(Batch::end).chain([self.ends.start]);
        assert!(known.into_iter().any(|known| known == end), "{end} is not where a batch ended");
        let flushed = self.batches.iter().map(Batch::end).filter(|end| *end <= self.flushed).max();
        assert!(flushed <= Some(end), "flushed to {flushed:?}, and {end} is left");
        self.batches.retain(|batch| batch.end() <= end);
        self.ends.truncated(end);
        self.flushed = self.flushed.min(end); // a flush up to within a batch keeps nothing of that batch
    }

    fn reopen(&mut self, last: LastRun) {
        let folder = folder(self.dir.path());
        let (log, found) = PartitionLog::open(&folder, small(), &last).unwrap();
        drop(log);
        let (log, again) = PartitionLog::open(&folder, small(), &LastRun { clean: false, ..last }).unwrap();
        self.check_producers(&found.producers);
        let without = |found: Found| Found { producers: Producers::default(), ..found };
        let (found, again) = (without(found), without(again));
        assert_eq!(found, again, "to recover once more changes nothing");
        assert_eq!(recover(found).log, self.ends);
        self.log = Some(log);
    }

    /// Of each producer the last batch is known, and of those before it some without a gap.
    fn check_producers(&self, known: &Producers) {
        let all = fold(&self.batches);
        let last = |producers: &Producers| {
            let last = producers.iter().map(|(id, producer)| (id, producer.epoch(), producer.last().copied()));
            last.collect::<Vec<_>>()
        };
        assert_eq!(last(known), last(&all));
        for (id, producer) in known.iter() {
            let all = all.get(id).unwrap().batches().rev().take(producer.batches().len());
            assert!(producer.batches().rev().eq(all), "{id} wrote other batches");
        }
    }

    /// The index files of a log that was closed: entries ascend, and name batches.
    fn check_indexes(&self) {
        let folder = folder(self.dir.path());
        let logs = files(&folder, ".log");
        let last = |relative: &[u8], base: i64| Offset(base + i64::from(number(relative)));
        for (which, log) in logs.iter().enumerate() {
            let base = base_of(log);
            let next = logs.get(which + 1).map_or(i64::MAX, |log| base_of(log));
            let batches = || self.batches.iter().filter(|batch| (base..next).contains(&batch.base.0));
            let starts = batches().scan(0, |size, batch| {
                *size += batch.bytes.len() as u32;
                Some((Offset(batch.end().0 - 1), *size - batch.bytes.len() as u32))
            });
            let starts: Vec<_> = starts.collect();
            let index = entries(&log.with_extension("index"), 8);
            let index: Vec<_> = index.iter().map(|entry| (last(&entry[..4], base), number(&entry[4..]))).collect();
            assert!(index.is_sorted_by(|one, other| one < other) && index.iter().all(|entry| starts.contains(entry)));

            let mut largest = -1;
            let times = batches().filter_map(|batch| {
                let time = BatchHeader::parse(&batch.bytes).unwrap().max_timestamp;
                let larger = time > largest;
                largest = largest.max(time);
                larger.then_some((time as u32, Offset(batch.end().0 - 1)))
            });
            let times: Vec<_> = times.collect();
            let index = entries(&log.with_extension("timeindex"), 12);
            let index: Vec<_> = index.iter().map(|entry| (number(&entry[4..8]), last(&entry[8..], base))).collect();
            assert!(index.is_sorted_by(|one, other| one < other) && index.iter().all(|entry| times.contains(entry)));
            assert_eq!(index.last(), times.last(), "the last entry has the largest timestamp");
        }
    }

    /// Everything that a reader can ask.
    fn check(&mut self, (from, upto, size): (Index, Index, usize), at: i64) {
        assert_eq!(self.log().end(), self.ends.end);
        self.check_producers(self.log.as_ref().unwrap().producers());
        let (start, end) = (self.ends.start, self.ends.end);
        let reader = self.log().reader();
        let all: Vec<_> = everything(&reader, start).into_iter().map(|(_, bytes)| bytes).collect();
        let expected: Vec<_> = self.batches.iter().map(stored).collect();
        assert_eq!(all, expected);
        assert_eq!(reader.size(), expected.iter().map(|bytes| bytes.len() as u64).sum::<u64>());

        let pick = |index: Index| Offset(start.0 + index.index((end.0 - start.0) as usize + 1) as i64);
        let (from, upto) = (pick(from), pick(upto));
        for at_least_one in [false, true] {
            let read = split(reader.read(from, upto, size, at_least_one).unwrap()).map(|batch| batch.unwrap().1);
            self.check_read(&read.collect::<Vec<_>>(), (from, upto), size, at_least_one);
        }
        assert_eq!(reader.offset_for_timestamp(at, from, upto).unwrap(), self.first(from, upto, |time| time >= at));
        let largest = self.records(from, upto).map(|(found, _)| found.timestamp).max().filter(|largest| *largest >= 0);
        let expected = largest.and_then(|largest| self.first(from, upto, |time| time == largest));
        assert_eq!(reader.offset_of_max_timestamp(from, upto).unwrap(), expected);
    }

    fn check_read(&self, read: &[bytes::Bytes], (from, upto): (Offset, Offset), size: usize, at_least_one: bool) {
        let due = self.batches.iter().filter(|batch| batch.end() > from && batch.end() <= upto && from < upto);
        let due: Vec<_> = due.map(stored).collect();
        assert!(due.starts_with(read), "{from} to {upto}: not what was written");
        let total: usize = read.iter().map(bytes::Bytes::len).sum();
        assert!(total <= size || (at_least_one && read.len() == 1), "{total} bytes of {size}");
        let some = due.first().is_some_and(|first| at_least_one || first.len() <= size);
        assert_eq!(some, !read.is_empty(), "from {from} to {upto}, {size} bytes");
    }

    fn first(&self, from: Offset, upto: Offset, wanted: impl Fn(i64) -> bool) -> Option<TimestampOffset> {
        self.records(from, upto).find(|(found, _)| wanted(found.timestamp)).map(|(found, _)| found)
    }

    fn records(&self, from: Offset, upto: Offset) -> impl Iterator<Item = (TimestampOffset, usize)> {
        let all = self.batches.iter().flat_map(|batch| {
            let records = highwater::records::records(&batch.bytes, usize::MAX).unwrap().map(Result::unwrap);
            records.map(|record| TimestampOffset {
                offset: Offset(batch.base.0 + record.offset.0),
                timestamp: record.timestamp,
                leader_epoch: Some(batch.epoch),
            })
        });
        all.filter(move |found| found.offset >= from && found.offset < upto).zip(0..)
    }
}

/// What some batches say of their producers.
fn fold<'a>(batches: impl IntoIterator<Item = &'a Batch<Net>>) -> Producers {
    let mut producers = Producers::default();
    for batch in batches {
        batch.producer.iter().for_each(|sequenced| producers.appended(sequenced, batch.base, batch.count));
    }
    producers
}

fn folder(dir: &Path) -> PathBuf {
    dir.join("topic-0")
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

fn base_of(log: &Path) -> i64 {
    log.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

fn entries(path: &Path, size: usize) -> Vec<Vec<u8>> {
    fs::read(path).unwrap().chunks(size).map(<[u8]>::to_vec).collect()
}

fn cases() -> ProptestConfig {
    let given = ProptestConfig::default();
    let hunting = std::env::var_os("PROPTEST_CASES").is_some();
    let (cases, rng_seed) = if hunting { (given.cases, given.rng_seed) } else { (96, RngSeed::Fixed(966)) };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 2000, ..given }
}

proptest! {
    #![proptest_config(cases())]

    /// Whatever is done, a log holds what was written and not cut; whatever is lost, it holds what was flushed.
    #[test]
    fn a_log_is_a_list_of_batches(
        steps in steps(),
        asks in vec((any::<Index>(), any::<Index>(), 0..1500usize), 25),
        at in -1..1001i64,
    ) {
        let mut run = Run::new();
        for (step, ask) in steps.into_iter().zip(asks) {
            run.step(step);
            run.check(ask, at);
        }
    }
}
