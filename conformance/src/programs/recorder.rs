//! A history that grows while it happens, by the clock that every process of this machine shares.

use crate::histories::{self, Deed, Event, Fate, Verdict};
use highwater::client::{GroupDescription, Partition};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NANOS: u64 = 1_000_000_000;
/// How much of what a client said is kept.
const LAST_LINES: usize = 6;

/// Takes down what clients tell. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    events: Vec<Event>,
    /// Lines that were no events, with who wrote them.
    strange: Vec<String>,
    /// What clients wrote to their standard error before they ended.
    said: Vec<String>,
}

impl Recorder {
    /// The moment, in nanoseconds of the machine's monotonic clock.
    #[must_use]
    pub fn now() -> u64 {
        let at = clock_gettime(ClockId::Monotonic);
        u64::try_from(at.tv_sec).unwrap_or(0) * NANOS + u64::try_from(at.tv_nsec).unwrap_or(0)
    }

    /// Notes an event that began at a moment and has happened by now.
    pub fn note(&self, who: &str, group: Option<&str>, began: u64, deed: Deed) {
        let ended = Self::now().max(began);
        let event = Event { who: who.to_owned(), group: group.map(str::to_owned), began, ended, deed };
        self.lock().events.push(event);
    }

    /// Notes what a client has written, if it is an event.
    pub fn note_line(&self, who: &str, line: &str) {
        match histories::read(line) {
            Ok(events) => self.lock().events.extend(events),
            Err(error) => self.lock().strange.push(format!("{who} told no event ({error}): {line}")),
        }
    }

    /// Notes what a client has written to its standard error.
    pub fn note_said(&self, who: &str, said: &str) {
        let lines: Vec<_> = said.trim_end().lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");
        if !last.is_empty() {
            self.lock().said.push(format!("{who} said last:\n    {last}"));
        }
    }

    /// What clients that have ended said last.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.lock().said.clone()
    }

    /// Notes a coordinator's view of a group, for which it was asked at `began`.
    pub fn note_description(&self, group: &str, began: u64, described: &GroupDescription) {
        let share = |member: &highwater::client::GroupMember| histories::Share {
            member: member.id.clone(),
            partitions: member.partitions.iter().map(partition).collect(),
        };
        let members = described.members.iter().map(share).collect();
        self.note("coordinator", Some(group), began, Deed::Described { state: described.state.clone(), members });
    }

    /// The events so far, in the order in which they ended.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let mut events = self.lock().events.clone();
        events.sort_by_key(|event| event.ended);
        events
    }

    /// The values that were acknowledged to whomever `is_sender` names.
    #[must_use]
    pub fn acknowledged(&self, is_sender: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let taken = self.lock();
        let of_these = taken.events.iter().filter(|event| is_sender(&event.who));
        let acknowledged = of_these.filter_map(|event| match &event.deed {
            Deed::Sent { value, fate: Fate::Acknowledged(_), .. } => Some(value.clone()),
            _ => None,
        });
        acknowledged.collect()
    }

    /// Which of these values nobody has read yet.
    #[must_use]
    pub fn undelivered(&self, mut values: BTreeSet<String>) -> BTreeSet<String> {
        for event in &self.lock().events {
            if let Deed::Polled { value, .. } = &event.deed {
                values.remove(value);
            }
        }
        values
    }

    /// The judge's verdict so far, and the lines that were no events.
    #[must_use]
    pub fn verdict(&self) -> (Verdict, Vec<String>) {
        (histories::judge(&self.events()), self.lock().strange.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn partition(of: &Partition) -> histories::Partition {
    histories::Partition(of.topic.clone(), of.index)
}
