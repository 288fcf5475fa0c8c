//! What may happen to a group, as people write it.

use super::Bounds;
use super::arrival::{BY_ARRIVAL, called};
use highwater_spec::client::consumer::Timer;
use highwater_spec::scenario::{Numbered, ParseError};
use std::fmt;

/// One thing that happens. Consumers are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A process of a consumer starts.
    Starts(u8),
    /// It crashes.
    Crashes(u8),
    /// Its application asks for records.
    Polls(u8),
    /// Its application has processed what it took too soon.
    Processes(u8),
    /// Its application is done.
    Closes(u8),
    /// Its oldest request reaches the coordinator.
    Arrives(u8),
    /// One that it has sent on a connection that is gone reaches the coordinator.
    ArrivesLate(u8),
    /// The answer that it waits for longest reaches it.
    Answered(u8),
    /// Its connection to the coordinator breaks.
    Breaks(u8),
    /// The next record of a partition reaches it.
    Fetches(u8, u8),
    /// A timer of it fires.
    Fires(u8, Timer),
    /// The coordinator has not heard of it, in the life of the id that it was given as its nth. 0 and n is whoever was
    /// given the nth of all ids, where they are given by arrival.
    Expires(u8, u8),
    /// The coordinator waits no longer for members to join.
    JoinEnds,
    /// The coordinator waits no longer for members to ask for their share.
    SyncEnds,
    /// What the coordinator has written is committed.
    Commits,
    /// Another broker coordinates from now on, and what was not committed never was.
    Moves,
    /// Its broker loses the leadership and has it again.
    Returns,
    /// The broker looks again at who leads, and finds what it knows.
    LooksAgain,
    /// The broker acts on what it has lost.
    Unloads,
    /// The broker acts on what it has won.
    Loads,
}

const TIMERS: [(Timer, &str); 4] =
    [(Timer::Heartbeat, "heartbeat"), (Timer::Poll, "poll"), (Timer::Commit, "commit"), (Timer::Retry, "retry")];

/// Every event that may be worth trying.
pub(super) fn candidates(bounds: &Bounds, ids: u8, out: &mut Vec<Event>) {
    out.extend([Event::JoinEnds, Event::SyncEnds, Event::Commits, Event::Moves]);
    out.extend([Event::Returns, Event::LooksAgain, Event::Unloads, Event::Loads]);
    for member in 1..=bounds.members {
        out.extend([Event::Starts, Event::Polls, Event::Arrives, Event::Answered].map(|event| event(member)));
        out.extend([Event::Crashes, Event::Closes, Event::Breaks, Event::Processes].map(|event| event(member)));
        out.extend((0..bounds.partitions).map(|partition| Event::Fetches(member, partition)));
        out.extend(TIMERS.map(|(timer, _)| Event::Fires(member, timer)));
        out.extend((bounds.late_requests > 0).then_some(Event::ArrivesLate(member)));
        let its_own = if bounds.by_arrival == 1 { 0 } else { ids };
        out.extend((0..its_own).map(|id| Event::Expires(member, id)));
    }
    if bounds.by_arrival == 1 {
        out.extend((0..ids).map(|id| Event::Expires(BY_ARRIVAL, id)));
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starts(member) => write!(f, "c{member} starts"),
            Self::Crashes(member) => write!(f, "c{member} crashes"),
            Self::Polls(member) => write!(f, "c{member} polls"),
            Self::Processes(member) => write!(f, "c{member} processes"),
            Self::Closes(member) => write!(f, "c{member} closes"),
            Self::Arrives(member) => write!(f, "request of c{member} arrives"),
            Self::ArrivesLate(member) => write!(f, "late request of c{member} arrives"),
            Self::Answered(member) => write!(f, "answer arrives at c{member}"),
            Self::Breaks(member) => write!(f, "connection of c{member} breaks"),
            Self::Fetches(member, partition) => write!(f, "record of p{partition} arrives at c{member}"),
            Self::Fires(member, timer) => {
                let name = TIMERS.iter().find(|(known, _)| known == timer).map_or("", |(_, name)| name);
                write!(f, "{name} timer of c{member} fires")
            }
            Self::Expires(member, id) => write!(f, "session of {} expires", called(*member, *id)),
            Self::JoinEnds => f.write_str("coordinator waits no longer for joins"),
            Self::SyncEnds => f.write_str("coordinator waits no longer for syncs"),
            Self::Commits => f.write_str("log commits"),
            Self::Moves => f.write_str("coordinator moves"),
            Self::Returns => f.write_str("leadership goes and comes back"),
            Self::LooksAgain => f.write_str("leadership is heard of again"),
            Self::Unloads => f.write_str("coordinator unloads"),
            Self::Loads => f.write_str("coordinator loads"),
        }
    }
}

/// Reads an event as its `Display` writes it.
pub(super) fn read(line: &Numbered<'_>) -> Result<Event, ParseError> {
    // There are few events: whatever one of them prints is what may stand here.
    let mut known = Vec::new();
    for by_arrival in [0, 1] {
        let bounds = Bounds { members: 4, partitions: 4, late_requests: 1, by_arrival, ..Bounds::QUIET };
        candidates(&bounds, 20, &mut known);
    }
    let wanted = line.line.text();
    known.into_iter().find(|event| event.to_string() == wanted).ok_or_else(|| {
        let mut words = line.words();
        words.word();
        words.error(format!(
            "`{wanted}` is no event of a group; they are like `c1 starts`, `c1 polls`, `c1 processes`, `c1 crashes`, \
             `c1 closes`, `request of c1 arrives`, `late request of c1 arrives`, `answer arrives at c1`, \
             `connection of c1 breaks`, `record of p0 arrives at c1`, `heartbeat timer of c1 fires`, `session of c1.0 expires`, \
             `coordinator waits no longer for joins`, `coordinator waits no longer for syncs`, `coordinator moves`, \
             `log commits`, `leadership goes and comes back`, `leadership is heard of again`, `coordinator unloads`, \
             `coordinator loads`"
        ))
    })
}
