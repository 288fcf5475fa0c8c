//! What may be asked of the controller, as people write it.

use super::Bounds;
use highwater_spec::controller::{Election, Image, Reply};
use highwater_spec::scenario::{Numbered, ParseError};
use highwater_spec::values::{BrokerId, TopicPartition};
use std::fmt;

/// One thing that is asked, or that happens to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A new process of a broker registers.
    Registers {
        /// Which.
        broker: BrokerId,
        /// Whether its last process shut down cleanly.
        clean: bool,
    },
    /// A broker's heartbeat.
    Beats {
        /// Which.
        broker: BrokerId,
        /// It wants to be fenced.
        want_fence: bool,
        /// It wants to stop.
        want_shutdown: bool,
    },
    /// A broker has not been heard from.
    SessionExpires(BrokerId),
    /// A broker proposes an ISR.
    Proposes {
        /// Which.
        broker: BrokerId,
        /// The members: bit *n* is the broker with id *n*.
        members: u8,
        /// Whether it was made from the partition epoch before the present one.
        behind: bool,
        /// Whether it names the members' registrations.
        vouched: bool,
    },
    /// Someone asks for an election.
    Elects(Election),
    /// Someone creates the topic.
    Creates,
    /// Someone deletes the topic.
    Deletes,
    /// Someone sets `min.insync.replicas`.
    SetsMinIsr(u8),
    /// A broker is unregistered.
    Unregisters(BrokerId),
    /// Everything appended is committed.
    Commits,
    /// What is not committed is lost.
    Reverts,
}

/// Takes an event from its budget.
pub(super) fn spend(budget: &mut Bounds, event: &Event) -> Result<(), &'static str> {
    let left = match event {
        Event::Registers { .. } => &mut budget.registrations,
        Event::Beats { .. } => &mut budget.beats,
        Event::SessionExpires(_) => &mut budget.fences,
        Event::Proposes { .. } => &mut budget.proposals,
        Event::Elects(_) => &mut budget.elections,
        Event::Creates | Event::Deletes => &mut budget.topics,
        Event::SetsMinIsr(_) => &mut budget.configs,
        Event::Unregisters(_) => &mut budget.departures,
        Event::Reverts => &mut budget.reverts,
        Event::Commits => return Ok(()),
    };
    *left = left.checked_sub(1).ok_or("its budget is spent")?;
    Ok(())
}

/// Every event that the budget allows.
pub(super) fn candidates(budget: &Bounds, out: &mut Vec<Event>) {
    out.extend([Event::Commits, Event::Reverts, Event::Creates, Event::Deletes]);
    out.extend([Election::Preferred, Election::Unclean].map(Event::Elects));
    out.extend([1, 2].map(Event::SetsMinIsr));
    for broker in (1..=i32::from(budget.brokers)).map(BrokerId) {
        out.extend([Event::SessionExpires(broker), Event::Unregisters(broker)]);
        for (first, second) in [(false, false), (false, true), (true, false), (true, true)] {
            out.push(Event::Beats { broker, want_fence: first, want_shutdown: second });
            for members in 1..1_u8 << budget.brokers {
                out.push(Event::Proposes { broker, members: members << 1, behind: first, vouched: second });
            }
        }
        out.extend([false, true].map(|clean| Event::Registers { broker, clean }));
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |name: &'static str, on: bool| if on { name } else { "" };
        match *self {
            Self::Registers { broker, clean } => write!(f, "{broker} registers{}", flag(" clean", clean)),
            Self::Beats { broker, want_fence, want_shutdown } => {
                write!(f, "{broker} beats{}{}", flag(" want-fence", want_fence), flag(" want-shutdown", want_shutdown))
            }
            Self::SessionExpires(broker) => write!(f, "session of {broker} expires"),
            Self::Proposes { broker, members, behind, vouched } => {
                let ids: Vec<_> = (1..8).filter(|id| members >> id & 1 == 1).map(|id| format!("b{id}")).collect();
                let (behind, vouched) = (flag(" behind", behind), flag(" vouched", vouched));
                write!(f, "{broker} proposes isr={}{behind}{vouched}", ids.join(","))
            }
            Self::Elects(Election::Preferred) => f.write_str("operator elects the preferred replica"),
            Self::Elects(_) => f.write_str("operator elects any replica"),
            Self::Creates => f.write_str("operator creates the topic"),
            Self::Deletes => f.write_str("operator deletes the topic"),
            Self::SetsMinIsr(min_isr) => write!(f, "operator sets min-isr={min_isr}"),
            Self::Unregisters(broker) => write!(f, "operator unregisters {broker}"),
            Self::Commits => f.write_str("log commits"),
            Self::Reverts => f.write_str("log reverts"),
        }
    }
}

/// Reads an event as its `Display` writes it.
pub(super) fn read(line: &Numbered<'_>) -> Result<Event, ParseError> {
    // There are few events: whatever one of them prints is what may stand here.
    let full = Bounds { brokers: 4, ..Bounds::QUIET };
    let mut known = Vec::new();
    candidates(&full, &mut known);
    known.extend((0..10).map(Event::SetsMinIsr));
    let wanted = line.line.text();
    known.into_iter().find(|event| event.to_string() == wanted).ok_or_else(|| {
        let mut words = line.words();
        words.word();
        words.error(format!(
            "`{wanted}` is no event of a controller; they are like `b1 registers clean`, `b1 beats want-shutdown`, \
             `session of b1 expires`, `b1 proposes isr=b1,b2 behind vouched`, `operator elects the preferred replica`, \
             `operator elects any replica`, `operator creates the topic`, `operator deletes the topic`, \
             `operator sets min-isr=2`, `operator unregisters b1`, `log commits`, `log reverts`"
        ))
    })
}

/// An answer, in words.
pub(super) fn reply_in_words(reply: &Reply) -> String {
    match reply {
        Reply::Registered(epoch) => format!("registered as {epoch}"),
        Reply::Heartbeat(reply) => {
            let state = if reply.is_fenced { "fenced" } else { "active" };
            format!("heartbeat {state}{}", if reply.should_shut_down { " may stop" } else { "" })
        }
        Reply::AlteredPartitions(answers) => {
            let answers = answers.iter().map(|(_, answer)| match answer {
                Ok(state) => format!("isr {} in {}", state.isr, state.partition_epoch),
                Err(refusal) => refusal.to_string(),
            });
            format!("proposal {}", answers.collect::<Vec<_>>().join(" "))
        }
        Reply::ProducerIds { first, count } => format!("{count} producer ids from {first} on"),
        Reply::Elected => "elected".to_owned(),
        Reply::Created(_) => "created".to_owned(),
        Reply::Deleted => "deleted".to_owned(),
        Reply::Configured => "configured".to_owned(),
        Reply::Unregistered => "unregistered".to_owned(),
        Reply::Refused(refusal) => refusal.to_string(),
    }
}

/// What an image says of one partition and of the brokers, in words.
pub(super) fn image_in_words(image: &Image, of: TopicPartition) -> String {
    let name = |broker: Option<BrokerId>| broker.map_or_else(|| "none".to_owned(), |broker| broker.to_string());
    let mut words = Vec::new();
    match image.partition(of) {
        None => words.push("no topic".to_owned()),
        Some(found) => {
            words.push(format!("leader {} {} {}", name(found.leader), found.leader_epoch, found.partition_epoch));
            words.push(format!("isr {} elr {} min-isr {}", found.isr, found.elr, image.min_insync_replicas(of.topic)));
            words.extend(found.last_known_leader.map(|leader| format!("last-leader {leader}")));
        }
    }
    words.extend(image.brokers.iter().map(|(broker, known)| {
        let fence = match (known.fenced, known.in_controlled_shutdown) {
            (true, _) => "fenced",
            (false, true) => "stopping",
            (false, false) => "active",
        };
        format!("{broker}/{} {fence}", known.epoch)
    }));
    words.join("; ")
}
