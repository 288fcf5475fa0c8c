//! What may happen to a log and its reader, as people write it.

use super::Bounds;
use highwater_spec::scenario::{Numbered, ParseError};
use std::fmt;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The leader appends a record.
    Writes,
    /// A replica leads that has so many records of the log of the leader in this epoch, the last one if none is named.
    Leads(Option<u8>, u8),
    /// The consumer hears who led in this epoch, as the last it knows of, from metadata that may be late.
    Hears(u8),
    /// The consumer fetches.
    Fetches,
    /// The leader in this epoch answers the nth question, whether or not somebody else leads by now.
    Answers(u8, u8),
    /// The answer to the nth question reaches the consumer.
    Arrives(u8),
    /// The application has processed what it has, and asks for more.
    Polls,
    /// The application commits what it has processed.
    Commits,
    /// The consumer dies, and another one begins from what was committed.
    Restarts,
}

/// Every event that may be worth trying while so many questions are under way.
pub(super) fn candidates(bounds: &Bounds, epochs: u8, questions: u8, out: &mut Vec<Event>) {
    // The reader's own come first: of stories of one length that is told in which it reads as soon as it can.
    out.extend((0..epochs).map(Event::Hears));
    out.push(Event::Fetches);
    for nth in 0..questions {
        out.extend((0..epochs).map(|epoch| Event::Answers(nth, epoch)));
        out.push(Event::Arrives(nth));
    }
    out.extend([Event::Polls, Event::Commits, Event::Restarts, Event::Writes]);
    out.extend((0..=bounds.records).map(|keeps| Event::Leads(None, keeps)));
    if bounds.returns == 1 {
        let earlier = (0..epochs).flat_map(|of| (0..=bounds.records).map(move |keeps| (of, keeps)));
        out.extend(earlier.map(|(of, keeps)| Event::Leads(Some(of), keeps)));
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writes => f.write_str("leader appends a record"),
            Self::Leads(None, keeps) => write!(f, "another replica leads with {keeps}"),
            Self::Leads(Some(of), keeps) => write!(f, "another replica leads with {keeps} of e{of}"),
            Self::Hears(epoch) => write!(f, "consumer hears of e{epoch}"),
            Self::Fetches => f.write_str("consumer fetches"),
            Self::Answers(nth, epoch) => write!(f, "leader of e{epoch} answers question {nth}"),
            Self::Arrives(nth) => write!(f, "answer {nth} arrives"),
            Self::Polls => f.write_str("application asks for more"),
            Self::Commits => f.write_str("application commits"),
            Self::Restarts => f.write_str("consumer starts anew"),
        }
    }
}

/// Reads an event as its `Display` writes it.
pub(super) fn read(line: &Numbered<'_>) -> Result<Event, ParseError> {
    // There are few events: whatever one of them prints is what may stand here.
    let mut known = Vec::new();
    candidates(&Bounds { records: 9, returns: 1, ..Bounds::QUIET }, 9, 9, &mut known);
    let wanted = line.line.text();
    known.into_iter().find(|event| event.to_string() == wanted).ok_or_else(|| {
        let mut words = line.words();
        words.word();
        words.error(format!(
            "`{wanted}` is no event of a log that is read; they are like `leader appends a record`, \
             `another replica leads with 1`, `another replica leads with 1 of e0`, `consumer hears of e1`, \
             `consumer fetches`, `leader of e1 answers question 0`, `answer 0 arrives`, `application asks for more`, \
             `application commits`, `consumer starts anew`"
        ))
    })
}
