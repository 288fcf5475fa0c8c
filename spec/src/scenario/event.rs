//! What may happen to a cluster, as people write it: the `> ` lines of a scenario.
//!
//! The model explores these events, a conductor carries them out on real nodes, a reader follows them in the book.

//use super::{ParseError, Words};
use crate::replica::Acks;
use crate::values::{BrokerId, Offset};
use std::fmt;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    /// What happens.
    pub what: What,
    /// Whom the controller elects if several may lead, in a model that does not go by the order of replicas.
    pub choice: Option<BrokerId>,
    /// The broker concerned is killed once it has carried out so many durable outputs of its step.
    pub cut_short: Option<u8>,
}

impl From<What> for Event {
    fn from(what: What) -> Self {
        Self { what, choice: None, cut_short: None }
    }
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A client sends a record to a broker.
    Produce {
        /// The record.
        value: u8,
        /// The broker.
        to: BrokerId,
        /// When the client wants to hear.
        acks: Acks,
    },
    /// A client stops waiting.
    ProduceTimesOut {
        /// The record.
        value: u8,
        /// The broker that was asked.
        at: BrokerId,
    },
    /// A follower's fetch reaches the broker that it takes for its leader.
    FetchArrives(BrokerId),
    /// A fetch that waited at the leader is answered.
    FetchAnswered(BrokerId),
    /// The answer reaches the follower.
    AnswerArrives(BrokerId),
    /// All three at once.
    Fetches(BrokerId),
    /// A follower's connection breaks: it asks again on another, and what it had asked may yet arrive.
    FetchDelayed(BrokerId),
    /// Such a delayed fetch arrives; nobody hears the answer.
    DelayedFetchArrives(BrokerId),
    /// A leader's lag timer for a follower fires.
    Lags {
        /// The leader.
        leader: BrokerId,
        /// The follower.
        follower: BrokerId,
    },
    /// A leader's proposed ISR reaches the controller.
    ProposalArrives(BrokerId),
    /// The controller's answer reaches the leader.
    ProposalAnswered(BrokerId),
    /// A broker hears the metadata log further.
    Learns {
        /// Which.
        broker: BrokerId,
        /// The first offset that it does not hear yet (exclusive).
        upto: Offset,
    },
    /// A broker publishes the view that it had not published yet.
    Publishes(BrokerId),
    /// A broker's heartbeat reaches the controller, and the answer the broker.
    Beats(BrokerId),
    /// The controller has not heard from a broker for the session's time.
    SessionExpires(BrokerId),
    /// A broker's process ends at once. What it had written stays.
    Killed {
        /// Which.
        broker: BrokerId,
        /// The high watermark that it had last written down.
        checkpoint: Offset,
    },
    /// A broker's machine loses power, and with it what was not flushed.
    LosesPower {
        /// Which.
        broker: BrokerId,
        /// The end of what it had flushed, or was lucky enough to keep (exclusive).
        keeps: Offset,
        /// The high watermark that it had last written down.
        checkpoint: Offset,
    },
    /// A broker's disk is replaced by an empty one.
    LosesDisk(BrokerId),
    /// A write or a flush fails on a broker.
    DiskFails(BrokerId),
    /// A broker's process starts, and registers.
    Starts(BrokerId),
    /// A broker is asked to stop cleanly.
    Stops(BrokerId),
    /// The controller puts the preferred replica in charge.
    ElectsPreferred,
    /// The controller looks for partitions without a leader.
    ElectsForLeaderless,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)?;
        self.choice.iter().try_for_each(|choice| write!(f, " choose={choice}"))?;
        self.cut_short.iter().try_for_each(|count| write!(f, " killed-after={count}"))
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Produce { value, to, acks } => write!(f, "client produces m{value} to {to} acks={}", acks_word(*acks)),
            Self::ProduceTimesOut { value, at } => write!(f, "client stops waiting for m{value} at {at}"),
            Self::FetchArrives(of) => write!(f, "fetch of {of} arrives"),
            Self::FetchAnswered(of) => write!(f, "fetch of {of} is answered"),
            Self::AnswerArrives(at) => write!(f, "answer arrives at {at}"),
            Self::Fetches(by) => write!(f, "{by} fetches"),
            Self::FetchDelayed(of) => write!(f, "fetch of {of} is delayed"),
            Self::DelayedFetchArrives(of) => write!(f, "delayed fetch of {of} arrives"),
            Self::Lags { leader, follower } => write!(f, "{leader} finds {follower} lagging"),
            Self::ProposalArrives(of) => write!(f, "proposal of {of} arrives"),
            Self::ProposalAnswered(to) => write!(f, "proposal of {to} is answered"),
            Self::Learns { broker, upto } => write!(f, "{broker} learns metadata below {upto}"),
            Self::Publishes(broker) => write!(f, "{broker} publishes"),
            Self::Beats(broker) => write!(f, "{broker} beats"),
            Self::SessionExpires(of) => write!(f, "session of {of} expires"),
            Self::Killed { broker, checkpoint } => write!(f, "{broker} is killed checkpoint={checkpoint}"),
            Self::LosesPower { broker, keeps, checkpoint } => {
                write!(f, "{broker} loses power keeps={keeps} checkpoint={checkpoint}")
            }
            Self::LosesDisk(broker) => write!(f, "{broker} loses its disk"),
            Self::DiskFails(broker) => write!(f, "disk of {broker} fails"),
            Self::Starts(broker) => write!(f, "{broker} starts"),
            Self::Stops(broker) => write!(f, "{broker} is asked to stop"),
            Self::ElectsPreferred => f.write_str("controller elects the preferred replica"),
            Self::ElectsForLeaderless => f.write_str("controller elects for the leaderless"),
        }
    }
}

/// How `acks` is configured in clients.
#[must_use]
pub fn acks_word(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "0",
        Acks::Leader => "1",
        Acks::All => "all",
    }
}
