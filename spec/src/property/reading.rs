//! What must hold of what a consumer reads of a partition whose log is cut.
//!
//! A [`ReadingProperty`] is a statement about a [`ReadingView`]: each leader's log, and what the application has read.
//!
//! Source: KIP-320.
//! Verifies: client.consumer.truncation.check, client.consumer.truncation.leader, client.consumer.truncation.resume, client.consumer.truncation.fence, client.consumer.truncation.stale
//! Can fail: exhibits silent-cut, hidden-cut.

use super::ensure;
use crate::values::Offset;
use crate::view::Entry;

/// What was written, and what was read of it.
#[derive(Clone, Debug)]
pub struct ReadingView<'a> {
    /// The log of each leader, as it is, or as it was when it led no more; oldest first.
    pub logs: &'a [Vec<Entry>],
    /// What the application has, less what it was told to be cut, and less what it was given anew.
    pub read: &'a [(Offset, Entry)],
    /// Whether the consumer knows of the last leader, and fetches from it.
    pub is_current: bool,
}

/// Something that must hold of what a consumer reads.
#[derive(Clone, Copy, Debug)]
pub struct ReadingProperty {
    /// Its name, as reports and scenarios have it.
    pub name: &'static str,
    /// Its number in the list of invariants.
    pub number: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// Whether it holds; if not, what is wrong.
    pub check: fn(&ReadingView<'_>) -> Result<(), String>,
}

///
pub const READ_OF_ONE_LOG: ReadingProperty = ReadingProperty {
    name: "read-of-one-log",
    number: "R-1",
    statement: "what an application has read, but for what it was told to be cut, is the beginning of some leader's log",
    check: |view| {
        let parts = view.logs.iter().filter_map(|log| parting(log, view.read));
        match (parts.clone().count() < view.logs.len(), parts.max()) {
            (false, Some(offset)) => Err(format!("nobody's log goes on at {offset} as it was read")),
            _ => Ok(()),
        }
    },
};

///
pub const READ_OF_THE_LEADER: ReadingProperty = ReadingProperty {
    name: "read-of-the-leader",
    number: "R-2",
    statement: "an application whose consumer fetches from the present leader has read the beginning of that one's log",
    check: |view| {
        let parts = view.logs.last().filter(|_| view.is_current).and_then(|log| parting(log, view.read));
        ensure(parts.is_none(), || {
            format!("the leader has something else at {} than was read", parts.unwrap_or_default())
        })
    },
};

/// The first offset at which what was read is not what a log has.
fn parting(log: &[Entry], read: &[(Offset, Entry)]) -> Option<Offset> {
    let same = |at: usize, (offset, entry): &(Offset, Entry)| {
        usize::try_from(offset.0) == Ok(at) && log.get(at) == Some(entry)
    };
    read.iter().enumerate().find(|(at, read)| !same(*at, read)).map(|(at, _)| Offset(at as i64))
}

/// Every property of what a consumer reads.
pub const OF_READING: &[ReadingProperty] = &[READ_OF_ONE_LOG, READ_OF_THE_LEADER];
