//! What may happen to a producer, as people write it.

use super::Bounds;
use highwater_spec::scenario::{Numbered, ParseError};
use std::fmt;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The application gives the next record.
    Gives,
    /// The leader takes the next request from the connection.
    Handles,
    /// The leader refuses it for the moment.
    Refuses,
    /// All that is in the leader's log is committed.
    Commits,
    /// The next answer reaches the producer.
    Answered,
    /// The connection breaks.
    Breaks,
    /// The leader takes the next request from the nth connection that broke.
    Late(u8),
    /// Another replica leads; so many records are in its log.
    FailsOver(u8),
    /// The producer has waited long enough to send again.
    Retries,
    /// A batch has taken too long.
    Expires(u8),
}

/// Every event that may be worth trying.
pub(super) fn candidates(bounds: &Bounds, out: &mut Vec<Event>) {
    out.extend([Event::Gives, Event::Handles, Event::Commits, Event::Answered, Event::Retries]);
    out.extend([Event::Refuses, Event::Breaks]);
    if bounds.delays == 1 {
        out.extend((0..bounds.breaks).map(Event::Late));
    }
    if bounds.failovers > 0 {
        // What is written twice is in the log twice.
        out.extend((0..=2 * bounds.records).map(Event::FailsOver));
    }
    if bounds.expiries > 0 {
        out.extend((1..=bounds.records).map(Event::Expires));
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gives => f.write_str("application gives a record"),
            Self::Handles => f.write_str("leader takes a request"),
            Self::Refuses => f.write_str("leader refuses a request"),
            Self::Commits => f.write_str("log commits"),
            Self::Answered => f.write_str("answer arrives"),
            Self::Breaks => f.write_str("connection breaks"),
            Self::Late(connection) => write!(f, "leader takes a request from broken connection {connection}"),
            Self::FailsOver(records) => write!(f, "another replica leads with {records}"),
            Self::Retries => f.write_str("producer has waited"),
            Self::Expires(batch) => write!(f, "batch {batch} has taken too long"),
        }
    }
}

/// Reads an event as its `Display` writes it.
pub(super) fn read(line: &Numbered<'_>) -> Result<Event, ParseError> {
    // There are few events: whatever one of them prints is what may stand here.
    let mut known = Vec::new();
    let all = Bounds { records: 9, breaks: 9, delays: 1, failovers: 1, expiries: 1, ..Bounds::QUIET };
    candidates(&all, &mut known);
    let wanted = line.line.text();
    known.into_iter().find(|event| event.to_string() == wanted).ok_or_else(|| {
        let mut words = line.words();
        words.word();
        words.error(format!(
            "`{wanted}` is no event of a producer; they are like `application gives a record`, \
             `leader takes a request`, `leader refuses a request`, `log commits`, `answer arrives`, \
             `connection breaks`, `leader takes a request from broken connection 0`, `another replica leads with 1`, \
             `producer has waited`, `batch 1 has taken too long`"
        ))
    })
}
