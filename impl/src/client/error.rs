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
    #[error("{address} does not speak {api} in versions {ours}{}", theirs.map_or_else(String::new, |theirs| format!(", only {theirs}")))]
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
    #[error("{0}")]
    Refused(#[from] ErrorCode),
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

    /// Whether the request certainly had no effect.
    #[must_use]
    pub fn had_no_effect(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unsupported { .. } | Self::Unfit(_) | Self::UnknownBroker(_) => true,
            Self::Refused(code) => !matches!(
                *code,
                ErrorCode::REQUEST_TIMED_OUT | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND | ErrorCode(-1)
            ),
            Self::Broken { .. } | Self::TimedOut { .. } | Self::Malformed { .. } | Self::BadFrame { .. } => false,
        }
    }
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
