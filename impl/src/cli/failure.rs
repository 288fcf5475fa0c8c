//! Why a command failed, in one line that says what to do.

use super::{cluster, server};
use highwater::client::ClientError;
use highwater::config::ConfigError;
use highwater::node::NodeError;
use std::io;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something else than the cases below, in words.
    #[error("{0}")]
    Said(String),
    /// A server was not asked, or did not give what was wanted.
    #[error("{error}{}", hint(error))]
    Client {
        /// What the client says.
        #[from]
        error: ClientError,
    },
    /// The settings of a node.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A node.
    #[error("{0}")]
    Node(#[from] NodeError),
    /// Standard output is closed, or full.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

impl Failure {
    /// A failure in these words.
    pub fn said(words: impl Into<String>) -> Self {
        Self::Said(words.into())
    }

    /// The program cannot run at all.
    pub fn runtime(error: io::Error) -> Self {
        Self::Said(format!("cannot start threads: {error}"))
    }
}

fn hint(error: &ClientError) -> String {
    match error {
        ClientError::UnknownTopic(topic) => {
            format!("; `highwater topic list` shows those that do, `highwater topic create --topic {topic}` creates it")
        }
        ClientError::UnknownPartition { topic, .. } => format!("; see `highwater topic describe --topic {topic}`"),
        // Nobody said where, and nobody is there.
        ClientError::Unreachable { address, .. } if address == server::DEFAULT => {
            format!(" (a `highwater cluster` listens elsewhere: --bootstrap-server localhost:{})", cluster::BASE_PORT)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_where_nobody_is_hears_where_a_cluster_of_ours_would_be() {
        let refused = |address: &str| {
            let error = io::ErrorKind::ConnectionRefused.into();
            Failure::from(ClientError::Unreachable { address: address.to_owned(), error }).to_string()
        };
        let elsewhere = refused("127.0.0.1:9093");
        assert_eq!(elsewhere, "cannot reach 127.0.0.1:9093: connection refused; is a broker running there?");
        let hint = "(a `highwater cluster` listens elsewhere: --bootstrap-server localhost:19092)";
        assert_eq!(refused(server::DEFAULT), format!("{} {hint}", elsewhere.replace("9093", "9092")));
    }
}
