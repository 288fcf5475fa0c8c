//! A compacted log that is written, cleaned and copied, by one broker after another.
//!
//! What is cleaned and what stays is decided by the specification; how far records are replicated is another world's
//! concern, so that all of them are committed here. A producer with an id writes in order and once.

mod bounds;
mod event;
mod log;

pub use bounds::Bounds;
pub use event::Event;
pub use log::{Batch, Log, Segment};

use crate::engine::{Explorable, Verdict};
use crate::narrated::Narrated;
use crate::shared::digest;
use highwater_spec::producer::{Producers, Sequence, Sequenced};
use highwater_spec::property::cleaning::{CleaningProperty, CleaningView, KeyValue, OF_CLEANING};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Numbered, ParseError};
use highwater_spec::values::{ProducerEpoch, ProducerId, Timestamp};

/// The one producer that has an id.
const PRODUCER: ProducerId = ProducerId(1);

/// A compacted log to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<CleaningProperty>,
    names: Vec<&'static str>,
}

/// The log, and what was written to it.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct State {
    log: Log,
    written: Vec<KeyValue>,
    /// What the leader knows of the producer.
    known: Producers,
    /// How often `delete.retention.ms` have passed.
    now: i64,
    budget: Bounds,
}

impl World {
    /// A log of which every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        Self::judged_by(rules, bounds, OF_CLEANING)
    }

    /// A log judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[CleaningProperty]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        Self { rules, bounds, properties: properties.to_vec(), names }
    }

    fn perform(&self, state: &State, event: Event) -> Result<(State, Vec<String>), &'static str> {
        let mut after = state.clone();
        event::spend(&mut after.budget, event)?;
        let mut told = Vec::new();
        match event {
            Event::Writes(key) => self.write(&mut after, key, false, &mut told),
            Event::Deletes(key) => self.write(&mut after, key, true, &mut told),
            Event::Rolls => after.log.roll(),
            Event::Cleans => {
                let room = if self.bounds.crowded == 1 { 1 } else { u64::MAX };
                after.log.clean(&self.rules, &state.known, state.now, room);
            }
            Event::RetentionPasses => after.now += 1,
            Event::Crashes => {
                after.log.cleaned = None;
                after.known = after.log.producers();
            }
            Event::CopyLeads => {
                after.log = state.log.copy();
                after.known = after.log.producers();
            }
        }
        let same = after.log == state.log && after.known == state.known && after.now == state.now;
        if same { Err("nothing would come of it") } else { Ok((after, told)) }
    }

    fn write(&self, state: &mut State, key: u8, deletes: bool, told: &mut Vec<String>) {
        let offset = state.log.end;
        let record = KeyValue { key, value: (!deletes).then_some(offset.0 as u8) };
        let producer = (self.bounds.idempotent == 1).then(|| {
            let last = state.known.get(PRODUCER).and_then(|known| known.last());
            let (epoch, first) = (ProducerEpoch(0), last.map_or(Sequence(0), |last| last.next));
            Sequenced { producer: PRODUCER, epoch, first, timestamp: Timestamp(0) }
        });
        if let Some(sequenced) = &producer {
            state.known.appended(sequenced, offset, 1);
        }
        state.written.push(record);
        state.log.append(record, producer);
        told.push(format!("leader appends {} at {offset}", in_words(record)));
    }

    fn reason_for(&self, state: &State, property: &CleaningProperty) -> Option<String> {
        let left = state.log.batches().filter_map(|batch| Some((batch.offset, batch.record?))).collect();
        let (written, end, known) = (&state.written[..], state.log.end, &state.known);
        (property.check)(&CleaningView { written, left, end, known, read: state.log.producers() }).err()
    }
}

fn in_words(record: KeyValue) -> String {
    let value = record.value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    format!("k{}={value}", record.key)
}

fn batch_in_words(batch: &Batch) -> String {
    let offset = batch.offset;
    let record = batch.record.map_or_else(|| "empty".to_owned(), in_words);
    let number = batch.producer.map(|sequenced| format!(" number {}", sequenced.first.0)).unwrap_or_default();
    let horizon = batch.delete_horizon.map(|horizon| format!(" until {horizon}")).unwrap_or_default();
    format!("{offset}:{record}{number}{horizon}")
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        let (log, written, known) = (Log::default(), Vec::new(), Producers::default());
        State { log, written, known, now: 0, budget: self.bounds }
    }

    fn candidates(&self, _state: &State, out: &mut Vec<Event>) {
        event::candidates(self.bounds.keys, out);
    }

    fn apply(&self, state: &State, event: &Event) -> Option<State> {
        self.perform(state, *event).ok().map(|(after, _)| after)
    }

    fn fingerprint(&self, state: &State) -> u64 {
        digest(state)
    }

    fn properties(&self) -> &[&'static str] {
        &self.names
    }

    fn judge(&self, state: &State, verdicts: &mut Vec<Verdict>) {
        verdicts.extend(self.properties.iter().map(|property| match self.reason_for(state, property) {
            None => Verdict::Holds,
            Some(_) => Verdict::Violated,
        }));
    }

    fn describe(&self, state: &State) -> String {
        self.lines(state).join("\n")
    }
}

impl Narrated for World {
    const KIND: &'static str = "cleaning";

    fn rules(&self) -> Rules {
        self.rules
    }

    fn bounds(&self) -> Vec<(String, u64)> {
        self.bounds.named()
    }

    fn narrate(&self, state: &State, event: &Event) -> Result<(State, Vec<String>), &'static str> {
        self.perform(state, *event)
    }

    fn lines(&self, state: &State) -> Vec<String> {
        let segments = state.log.segments.iter().map(|segment| {
            let batches: Vec<_> = segment.batches.iter().map(batch_in_words).collect();
            format!("from {} [{}]", segment.base, batches.join(" "))
        });
        let cleaned = state.log.cleaned.map_or_else(|| "unknown".to_owned(), |cleaned| cleaned.to_string());
        vec![
            format!("log {}", segments.collect::<Vec<_>>().join(" ")),
            format!("end {}, cleaned to {cleaned}, time {}", state.log.end, state.now),
        ]
    }

    fn reason(&self, state: &State, property: &str) -> Option<String> {
        let property = self.properties.iter().find(|known| known.name == property)?;
        self.reason_for(state, property)
    }

    fn read_event(line: &Numbered<'_>) -> Result<Event, ParseError> {
        event::read(line)
    }
}
