//! A small client: what the command line asks a cluster with, and brokers each other.
//!
//! [`Connection`] is one TCP connection, one request at a time. [`Client`] knows the cluster: it finds a partition's
//! leader, and asks again where that is safe. [`producer`] runs the machine of a producer on top of both.

mod cluster;
#[cfg(test)]
mod cluster_tests;
mod connection;
#[cfg(test)]
mod connection_tests;
pub mod consumer;
mod elections;
mod error;
mod error_code;
mod groups;
mod partitions;
pub mod producer;
mod timers;
mod topics;

pub use cluster::{Client, Patience};
pub use connection::Connection;
pub use elections::{ElectionResult, ElectionType};
pub use error::ClientError;
pub use error_code::ErrorCode;
pub use groups::{GroupDescription, GroupListing, GroupMember};
pub use partitions::{Acks, EARLIEST, Fetched, LATEST, Partition};
pub use topics::NewTopic;
