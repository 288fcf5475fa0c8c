//! Why a server was not asked, or did not answer, said so that something can be done about it.

use super::ErrorCode;
use crate::wire::{DecodeError, EncodeError, Versions};
use std::io;

/// Why there is no answer, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection could be made: nothing was asked.
    #[error("cannot reach {address}: {}{}", reason(.error), hint(.error))]
    Unreachable {
        /// The server, `host:port`.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The connection broke. The server may have carried out the request all the same.
    #[error("the connection to {address} broke: {}", reason(.error))]
    Broken {
        /// The server, `host:port`.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// No answer came in time. The server may have carried out the request all the same.
    #[error("{address} did not answer in time")]
    TimedOut {
        /// The server, `host:port`.
        address: String,
    },
    /// The server has no version of the request in common with this client: nothing was asked.
    #[error("{address} does not speak {api} in versions {ours}{}", only(theirs.as_ref()))]
    Unsupported {
        /// The server, `host:port`.
        address: String,
        /// Kafka's name for the request.
        api: &'static str,
        /// The versions that this client speaks.
        ours: Versions,
        /// The versions that the server speaks, if any.
        theirs: Option<Versions>,
    },
    /// The request cannot be expressed: nothing was asked.
    #[error("{0}")]
    Unfit(#[from] EncodeError),
    /// The server's bytes are no answer to the request.
    #[error("{address} sent what is no answer: {error}")]
    Malformed {
        /// The server, `host:port`.
        address: String,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// The server's bytes are no answer to the request, already by their frame.
    #[error("{address} sent what is no answer: {problem}")]
    BadFrame {
        /// The server, `host:port`.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server answered with an error.
    #[error("{subject}: {code}{}", details(message.as_deref()))]
    Refused {
        /// What was refused: a topic, a partition, a request.
        subject: String,
        /// The error.
        code: ErrorCode,
        /// What the server said about it.
        message: Option<String>,
    },
    /// The broker does not lead the partition, or no more: it may have appended a batch and been deposed while it waited
    /// for the others, and says the same in both cases.
    #[error("the broker does not lead partition {partition}, or was deposed before the batch was committed")]
    Deposed {
        /// The partition, `topic-index`.
        partition: String,
    },
    /// No server is named to begin with.
    #[error("no server is named: give at least one as host:port")]
    NoServer,
    /// There is no such topic.
    #[error("topic {0} does not exist")]
    UnknownTopic(String),
    /// The topic has no such partition.
    #[error("topic {topic} has no partition {partition}; its partitions are 0 to {}", partitions - 1)]
    UnknownPartition {
        /// The topic.
        topic: String,
        /// The partition asked for.
        partition: i32,
        /// How many it has.
        partitions: usize,
    },
    /// The answer lacks what was asked for.
    #[error("{address} answered without {subject}")]
    Incomplete {
        /// The server, `host:port`.
        address: String,
        /// What is not there.
        subject: String,
    },
    /// No such broker is known: nothing was asked.
    #[error("broker {0} is not known, or not alive")]
    UnknownBroker(i32),
}

impl ClientError {
    /// No answer came from `address` in time.
    #[must_use]
    pub fn timed_out(address: &str) -> Self {
        Self::TimedOut { address: address.to_owned() }
    }

    /// Broker `id` is not known.
    #[must_use]
    pub fn unknown_broker(id: i32) -> Self {
        Self::UnknownBroker(id)
    }

    /// The server refused `subject` with `code`.
    #[must_use]
    pub fn refused(subject: impl Into<String>, code: ErrorCode) -> Self {
        Self::Refused { subject: subject.into(), code, message: None }
    }

    /// Whether the request certainly had no effect.
    #[must_use]
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Unsupported { .. }
            | Self::Unfit(_)
            | Self::UnknownBroker(_)
            | Self::NoServer
            | Self::UnknownTopic(_)
            | Self::UnknownPartition { .. } => true,
            Self::Refused { code, .. } => !code.leaves_doubt(),
            Self::Broken { .. }
            | Self::TimedOut { .. }
            | Self::Malformed { .. }
            | Self::BadFrame { .. }
            | Self::Deposed { .. }
            | Self::Incomplete { .. } => false,
        }
    }

    /// Whether the same may succeed a little later, of somebody else perhaps.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } | Self::UnknownBroker(_) => true,
            Self::Refused { code, .. } => code.passes(),
            _ => false,
        }
    }
}

fn only(theirs: Option<&Versions>) -> String {
    theirs.map_or_else(String::new, |theirs| format!(", only {theirs}"))
}

fn details(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| format!(": {message}"))
}

/// The operating system's words without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "reset by the other side".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => "closed by the other side".to_owned(),
        io::ErrorKind::TimedOut => "timed out".to_owned(),
        _ => error.to_string(),
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "; is a broker running there?",
        io::ErrorKind::TimedOut
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset => "; does something else listen there?",
        _ => "",
    }
}
