//! What may happen to a group of the consumer protocol, as people write it.

use super::Bounds;
use crate::group::arrival::{BY_ARRIVAL, called};
use highwater_spec::scenario::{Numbered, ParseError};
use std::fmt;

/// One thing that happens. Consumers are numbered from 1, partitions from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A process of a consumer starts.
    Starts(u8),
    /// It crashes.
    Crashes(u8),
    /// Its application is done.
    Leaves(u8),
    /// It sends a heartbeat.
    Beats(u8),
    /// Its heartbeat reaches the coordinator.
    Arrives(u8),
    /// One that it has sent on a connection that is gone reaches the coordinator.
    ArrivesLate(u8),
    /// The answer reaches it.
    Answered(u8),
    /// Its request, or the answer, is lost.
    Breaks(u8),
    /// It has given up what it is to.
    GivesUp(u8),
    /// Its application takes the next record of a partition and has yet to process it.
    Takes(u8, u8),
    /// Its application processes the next record of a partition.
    Processes(u8, u8),
    /// It commits how far it is.
    CommitsOffsets(u8),
    /// Its commit reaches the coordinator.
    CommitArrives(u8),
    /// One that it has sent on a connection that is gone reaches the coordinator.
    CommitArrivesLate(u8),
    /// The coordinator has not heard of it, in the life of the id that was its nth. 0 and n is whoever has the nth of all
    /// ids, where they are given by arrival.
    Expires(u8, u8),
    /// The coordinator has waited long enough for it to give up partitions; whose it is, is said in the same way.
    RunsOut(u8, u8),
    /// The topic gets another partition.
    Grows,
    /// What the coordinator has written is committed.
    Commits,
    /// Another broker coordinates from now on, and what was not committed never was.
    Moves,
}

/// Every event that may be worth trying.
pub(super) fn candidates(bounds: &Bounds, ids: u8, out: &mut Vec<Event>) {
    out.extend([Event::Grows, Event::Commits, Event::Moves]);
    for member in 1..=bounds.members {
        out.extend([Event::Starts, Event::Beats, Event::Arrives, Event::Answered].map(|event| event(member)));
        out.extend([Event::Crashes, Event::Leaves, Event::Breaks, Event::GivesUp].map(|event| event(member)));
        out.extend((bounds.late_requests > 0).then_some(Event::ArrivesLate(member)));
        let its_own = if bounds.by_arrival == 1 { 0 } else { ids };
        out.extend((0..its_own).flat_map(|id| [Event::Expires(member, id), Event::RunsOut(member, id)]));
        if bounds.records > 0 {
            out.extend([Event::CommitsOffsets, Event::CommitArrives].map(|event| event(member)));
            out.extend((bounds.late_requests > 0).then_some(Event::CommitArrivesLate(member)));
            let partitions = 0..bounds.partitions + bounds.grows;
            out.extend(partitions.flat_map(|at| [Event::Takes, Event::Processes].map(|event| event(member, at))));
        }
    }
    if bounds.by_arrival == 1 {
        out.extend((0..ids).flat_map(|id| [Event::Expires, Event::RunsOut].map(|event| event(BY_ARRIVAL, id))));
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starts(member) => write!(f, "c{member} starts"),
            Self::Crashes(member) => write!(f, "c{member} crashes"),
            Self::Leaves(member) => write!(f, "c{member} leaves"),
            Self::Beats(member) => write!(f, "c{member} beats"),
            Self::Arrives(member) => write!(f, "heartbeat of c{member} arrives"),
            Self::ArrivesLate(member) => write!(f, "late heartbeat of c{member} arrives"),
            Self::Answered(member) => write!(f, "answer arrives at c{member}"),
            Self::Breaks(member) => write!(f, "connection of c{member} breaks"),
            Self::GivesUp(member) => write!(f, "c{member} gives up what it is to"),
            Self::Takes(member, partition) => write!(f, "c{member} takes a record of p{partition}"),
            Self::Processes(member, partition) => write!(f, "c{member} processes a record of p{partition}"),
            Self::CommitsOffsets(member) => write!(f, "c{member} commits"),
            Self::CommitArrives(member) => write!(f, "commit of c{member} arrives"),
            Self::CommitArrivesLate(member) => write!(f, "late commit of c{member} arrives"),
            Self::Expires(member, id) => write!(f, "session of {} expires", called(*member, *id)),
            Self::RunsOut(member, id) => write!(f, "{} takes too long to give up", called(*member, *id)),
            Self::Grows => f.write_str("topic grows"),
            Self::Commits => f.write_str("log commits"),
            Self::Moves => f.write_str("coordinator moves"),
        }
    }
}

/// Reads an event as its `Display` writes it.
pub(super) fn read(line: &Numbered<'_>) -> Result<Event, ParseError> {
    // There are few events: whatever one of them prints is what may stand here.
    let mut known = Vec::new();
    for by_arrival in [0, 1] {
        let bounds = Bounds { members: 4, partitions: 9, records: 1, late_requests: 1, by_arrival, ..Bounds::QUIET };
        candidates(&bounds, 20, &mut known);
    }
    let wanted = line.line.text();
    known.into_iter().find(|event| event.to_string() == wanted).ok_or_else(|| {
        let mut words = line.words();
        words.word();
        words.error(format!(
            "`{wanted}` is no event of a group of the consumer protocol; they are like `c1 starts`, `c1 beats`, \
             `heartbeat of c1 arrives`, `late heartbeat of c1 arrives`, `late commit of c1 arrives`, `answer arrives at c1`, `c1 gives up what it is to`, `c1 crashes`, \
             `c1 leaves`, `connection of c1 breaks`, `session of c1.0 expires`, `c1.0 takes too long to give up`, \
             `c1 takes a record of p0`, `c1 processes a record of p0`, `c1 commits`, `commit of c1 arrives`, \
             `topic grows`, `log commits`, `coordinator moves`"
        ))
    })
}
