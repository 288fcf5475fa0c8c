//! A small client: what the command line asks a cluster with, and brokers each other.
//!
//! [`Connection`] is one TCP connection, one request at a time. Not here: batching, consumer groups, idempotence; Kafka's
//! own clients have those, and work with this broker.

mod connection;
#[cfg(test)]
mod connection_tests;
mod error;
mod error_code;

pub use connection::Connection;
pub use error::ClientError;
pub use error_code::ErrorCode;
