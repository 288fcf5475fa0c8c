//! What may happen to a cluster, as people write it: the `> ` lines of a scenario.
//!
//! The model explores these events, a conductor carries them out on real nodes, a reader follows them in the book.

use super::{ParseError, Words};
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
    /// The view that the step leads to is published later; readers see the one before until then.
    pub publish_late: bool,
}

impl From<What> for Event {
    fn from(what: What) -> Self {
        Self { what, choice: None, cut_short: None, publish_late: false }
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
        self.cut_short.iter().try_for_each(|count| write!(f, " killed-after={count}"))?;
        if self.publish_late { f.write_str(" publishes-late") } else { Ok(()) }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Produce { value, to, acks } => {
                write!(f, "client produces m{value} to {to} acks={}", acks_word(*acks))
            }
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

impl Event {
    /// Reads an event as its `Display` writes it.
    ///
    /// # Errors
    /// Says where the words go wrong, and what was expected there.
    pub fn read(mut words: Words<'_>) -> Result<Self, ParseError> {
        let what = read_what(&mut words)?;
        let mut event = Self::from(what);
        while let Some(word) = words.clone().word() {
            if word.starts_with("choose=") {
                event.choice = Some(named_broker(&mut words, "choose")?);
            } else if word.starts_with("killed-after=") {
                event.cut_short = Some(small(&mut words, "killed-after")?);
            } else if word == "publishes-late" {
                words.expect("publishes-late")?;
                event.publish_late = true;
            } else {
                break;
            }
        }
        words.end()?;
        Ok(event)
    }
}

fn read_what(words: &mut Words<'_>) -> Result<What, ParseError> {
    let first = words.clone().word().unwrap_or_default();
    match first {
        "client" => read_client(words),
        "fetch" | "proposal" => read_link(words),
        "answer" => {
            all(words, &["answer", "arrives", "at"])?;
            Ok(What::AnswerArrives(broker(words)?))
        }
        "delayed" => {
            all(words, &["delayed", "fetch", "of"])?;
            let of = broker(words)?;
            words.expect("arrives")?;
            Ok(What::DelayedFetchArrives(of))
        }
        "session" => {
            all(words, &["session", "of"])?;
            let of = broker(words)?;
            words.expect("expires")?;
            Ok(What::SessionExpires(of))
        }
        "disk" => {
            all(words, &["disk", "of"])?;
            let of = broker(words)?;
            words.expect("fails")?;
            Ok(What::DiskFails(of))
        }
        "controller" => read_controller(words),
        _ if first.starts_with('b') => read_broker(words),
        _ => {
            let found = words.word().map_or_else(|| "nothing".to_owned(), |word| format!("`{word}`"));
            let subjects =
                "client, fetch, answer, delayed, proposal, session, disk, controller, or a broker such as b1";
            Err(words.error(format!("an event begins with one of {subjects}; found {found}")))
        }
    }
}

fn read_client(words: &mut Words<'_>) -> Result<What, ParseError> {
    words.expect("client")?;
    match one_of(words, &["produces", "stops"])? {
        "produces" => {
            let value = value(words)?;
            words.expect("to")?;
            let to = broker(words)?;
            let acks = match words.keyed("acks")? {
                "0" => Acks::None,
                "1" => Acks::Leader,
                "all" => Acks::All,
                other => return Err(words.error(format!("acks is 0, 1 or all, not `{other}`"))),
            };
            Ok(What::Produce { value, to, acks })
        }
        _ => {
            all(words, &["waiting", "for"])?;
            let value = value(words)?;
            words.expect("at")?;
            Ok(What::ProduceTimesOut { value, at: broker(words)? })
        }
    }
}

fn read_link(words: &mut Words<'_>) -> Result<What, ParseError> {
    let is_fetch = one_of(words, &["fetch", "proposal"])? == "fetch";
    words.expect("of")?;
    let of = broker(words)?;
    if one_of(words, &["arrives", "is"])? == "arrives" {
        return Ok(if is_fetch { What::FetchArrives(of) } else { What::ProposalArrives(of) });
    }
    match is_fetch {
        false => words.expect("answered").map(|()| What::ProposalAnswered(of)),
        true => Ok(match one_of(words, &["answered", "delayed"])? {
            "answered" => What::FetchAnswered(of),
            _ => What::FetchDelayed(of),
        }),
    }
}

fn read_controller(words: &mut Words<'_>) -> Result<What, ParseError> {
    all(words, &["controller", "elects"])?;
    match one_of(words, &["the", "for"])? {
        "the" => all(words, &["preferred", "replica"]).map(|()| What::ElectsPreferred),
        _ => all(words, &["the", "leaderless"]).map(|()| What::ElectsForLeaderless),
    }
}

fn read_broker(words: &mut Words<'_>) -> Result<What, ParseError> {
    let subject = broker(words)?;
    let verbs = ["fetches", "finds", "learns", "publishes", "beats", "starts", "is", "loses"];
    Ok(match one_of(words, &verbs)? {
        "fetches" => What::Fetches(subject),
        "finds" => {
            let follower = broker(words)?;
            words.expect("lagging")?;
            What::Lags { leader: subject, follower }
        }
        "learns" => {
            all(words, &["metadata", "below"])?;
            What::Learns { broker: subject, upto: offset(words, "")? }
        }
        "publishes" => What::Publishes(subject),
        "beats" => What::Beats(subject),
        "starts" => What::Starts(subject),
        "is" => match one_of(words, &["killed", "asked"])? {
            "killed" => What::Killed { broker: subject, checkpoint: offset(words, "checkpoint=")? },
            _ => {
                all(words, &["to", "stop"])?;
                What::Stops(subject)
            }
        },
        _ => match one_of(words, &["power", "its"])? {
            "power" => {
                let keeps = offset(words, "keeps=")?;
                What::LosesPower { broker: subject, keeps, checkpoint: offset(words, "checkpoint=")? }
            }
            _ => {
                words.expect("disk")?;
                What::LosesDisk(subject)
            }
        },
    })
}

fn all(words: &mut Words<'_>, wanted: &[&str]) -> Result<(), ParseError> {
    wanted.iter().try_for_each(|word| words.expect(word))
}

fn one_of<'a>(words: &mut Words<'a>, wanted: &[&str]) -> Result<&'a str, ParseError> {
    let what = wanted.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
    words.wanted(&what, |word| wanted.contains(&word).then_some(word))
}

fn broker(words: &mut Words<'_>) -> Result<BrokerId, ParseError> {
    let number = words.prefixed("b")?;
    let id = i32::try_from(number)
        .map_err(|_| words.error(format!("b{number} is no broker id: {} is the limit", i32::MAX)))?;
    Ok(BrokerId(id))
}

fn named_broker(words: &mut Words<'_>, key: &str) -> Result<BrokerId, ParseError> {
    let value = words.keyed(key)?;
    let id = value.strip_prefix('b').and_then(|digits| digits.parse().ok());
    id.map(BrokerId).ok_or_else(|| words.error(format!("`{value}` is no broker such as b1")))
}

fn value(words: &mut Words<'_>) -> Result<u8, ParseError> {
    let number = words.prefixed("m")?;
    u8::try_from(number).map_err(|_| words.error(format!("m{number} is no record: m{} is the limit", u8::MAX)))
}

fn small(words: &mut Words<'_>, key: &str) -> Result<u8, ParseError> {
    let value = words.keyed(key)?;
    value.parse().map_err(|_| words.error(format!("`{value}` is not a number from 0 to {}", u8::MAX)))
}

fn offset(words: &mut Words<'_>, prefix: &str) -> Result<Offset, ParseError> {
    let number = words.prefixed(prefix)?;
    let offset =
        i64::try_from(number).map_err(|_| words.error(format!("{number} is no offset: {} is the limit", i64::MAX)))?;
    Ok(Offset(offset))
}
