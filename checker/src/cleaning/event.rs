//! What may happen to a compacted log, as people write it.

use super::Bounds;
use highwater_spec::scenario::{Numbered, ParseError};
use std::fmt;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A client writes a key: its value is the offset.
    Writes(u8),
    /// A client deletes a key: it writes a tombstone.
    Deletes(u8),
    /// The newest segment ends, and an empty one begins.
    Rolls,
    /// The cleaner goes over the log.
    Cleans,
    /// `delete.retention.ms` pass.
    RetentionPasses,
    /// The broker crashes before it has noted how far the log was cleaned, and reads it again.
    Crashes,
    /// Another replica copies the log and leads.
    CopyLeads,
}

/// Takes an event from its budget.
pub(super) fn spend(budget: &mut Bounds, event: Event) -> Result<(), &'static str> {
    let left = match event {
        Event::Writes(_) | Event::Deletes(_) => &mut budget.records,
        Event::Rolls => &mut budget.rolls,
        Event::Cleans => &mut budget.cleanings,
        Event::RetentionPasses => &mut budget.retentions,
        Event::Crashes => &mut budget.crashes,
        Event::CopyLeads => &mut budget.copies,
    };
    *left = left.checked_sub(1).ok_or("its budget is spent")?;
    Ok(())
}

/// Every event.
pub(super) fn candidates(keys: u8, out: &mut Vec<Event>) {
    out.extend((1..=keys).flat_map(|key| [Event::Writes(key), Event::Deletes(key)]));
    out.extend([Event::Rolls, Event::Cleans, Event::RetentionPasses, Event::Crashes, Event::CopyLeads]);
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writes(key) => write!(f, "client writes k{key}"),
            Self::Deletes(key) => write!(f, "client deletes k{key}"),
            Self::Rolls => f.write_str("segment ends"),
            Self::Cleans => f.write_str("cleaner runs"),
            Self::RetentionPasses => f.write_str("retention passes"),
            Self::Crashes => f.write_str("broker crashes"),
            Self::CopyLeads => f.write_str("copy leads"),
        }
    }
}

/// Reads an event as its `Display` writes it.
pub(super) fn read(line: &Numbered<'_>) -> Result<Event, ParseError> {
    // There are few events: whatever one of them prints is what may stand here.
    let mut known = Vec::new();
    candidates(9, &mut known);
    let wanted = line.line.text();
    known.into_iter().find(|event| event.to_string() == wanted).ok_or_else(|| {
        let mut words = line.words();
        words.word();
        words.error(format!(
            "`{wanted}` is no event of a compacted log; they are `client writes k1`, `client deletes k1`, \
             `segment ends`, `cleaner runs`, `retention passes`, `broker crashes`, `copy leads`"
        ))
    })
}
