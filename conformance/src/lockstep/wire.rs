//! What a conductor and a node in another process say to each other: one JSON value a line.

use super::board::{Entry, Note};
use highwater::door::{Place, What};
use highwater_spec::values::{BrokerId, Offset, TopicId, TopicPartition};
use serde::{Deserialize, Serialize};

/// What a conductor orders.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Let through what waits under this number.
    Pass(u64),
    /// Drop it.
    Discard(u64),
    /// Stop after so many more outputs that outlive the process.
    StopAfter(u8),
    /// Stop cleanly.
    Stop,
    /// Let the disk fail under a partition's log; done under `number`.
    FailDisk {
        /// The topic.
        topic: [u8; 16],
        /// The partition.
        index: i32,
        /// The number.
        number: u64,
    },
}

/// What a node tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It listens.
    Started,
    /// It can't start, or go on.
    Failed(String),
    /// Something waits.
    Arrived {
        /// Under which number.
        number: u64,
        /// Before what.
        at: At,
        /// What.
        what: Told,
    },
    /// Something has gone by itself.
    Gone(u64),
    /// What passed has been carried out.
    Done(u64),
    /// It has stopped between two outputs.
    Stopped,
    /// Its broker has ended by itself.
    Ended,
}

/// [`Place`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// The controller machine.
    Controller,
    /// The broker machine.
    Broker,
    /// A replica.
    Replica([u8; 16], i32),
    /// What a replica has published.
    Reader([u8; 16], i32),
    /// A coordinator.
    Group([u8; 16], i32),
}

/// [`What`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// A machine's input.
    Input(String),
    /// Metadata below an offset.
    Metadata(i64, String),
    /// A timer.
    Timer(String),
    /// A fetch that is about to read.
    Look(String),
    /// An answer to a producer.
    Reply(String),
    /// Someone waits until the replica has heard what it was told.
    Sync,
    /// Logs that are about to be closed.
    Close,
}

impl From<Place> for At {
    fn from(place: Place) -> Self {
        match place {
            Place::Controller => Self::Controller,
            Place::Broker => Self::Broker,
            Place::Replica(partition) => Self::Replica(partition.topic.0, partition.index),
            Place::Reader(partition) => Self::Reader(partition.topic.0, partition.index),
            Place::Group(partition) => Self::Group(partition.topic.0, partition.index),
        }
    }
}

impl From<At> for Place {
    fn from(at: At) -> Self {
        let partition = |topic, index| TopicPartition { topic: TopicId(topic), index };
        match at {
            At::Controller => Self::Controller,
            At::Broker => Self::Broker,
            At::Replica(topic, index) => Self::Replica(partition(topic, index)),
            At::Reader(topic, index) => Self::Reader(partition(topic, index)),
            At::Group(topic, index) => Self::Group(partition(topic, index)),
        }
    }
}

impl From<What> for Told {
    fn from(what: What) -> Self {
        match what {
            What::Input(text) => Self::Input(text),
            What::Metadata { upto, text } => Self::Metadata(upto.0, text),
            What::Timer(text) => Self::Timer(text),
            What::Look(text) => Self::Look(text),
            What::Reply(text) => Self::Reply(text),
            What::Sync => Self::Sync,
            What::Close => Self::Close,
        }
    }
}

impl From<Told> for What {
    fn from(told: Told) -> Self {
        match told {
            Told::Input(text) => Self::Input(text),
            Told::Metadata(upto, text) => Self::Metadata { upto: Offset(upto), text },
            Told::Timer(text) => Self::Timer(text),
            Told::Look(text) => Self::Look(text),
            Told::Reply(text) => Self::Reply(text),
            Told::Sync => Self::Sync,
            Told::Close => Self::Close,
        }
    }
}

impl From<Note> for Word {
    fn from(note: Note) -> Self {
        match note {
            Note::Arrived(entry) => {
                Self::Arrived { number: entry.number, at: entry.at.into(), what: entry.what.into() }
            }
            Note::Gone(_, number) => Self::Gone(number),
            Note::Done(_, number) => Self::Done(number),
            Note::Stopped(_) => Self::Stopped,
            Note::Ended(_) => Self::Ended,
        }
    }
}

impl Word {
    /// The note that it is, when `node` says it.
    pub fn said_by(self, node: BrokerId) -> Option<Note> {
        match self {
            Self::Started | Self::Failed(_) => None,
            Self::Arrived { number, at, what } => {
                Some(Note::Arrived(Entry { node, number, at: at.into(), what: what.into() }))
            }
            Self::Gone(number) => Some(Note::Gone(node, number)),
            Self::Done(number) => Some(Note::Done(node, number)),
            Self::Stopped => Some(Note::Stopped(node)),
            Self::Ended => Some(Note::Ended(node)),
        }
    }
}
