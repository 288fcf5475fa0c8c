//! Judges real clusters: a cluster of ours, or any that speaks Kafka's protocol, Apache Kafka first.
//!
//! [`apache_kafka`] brings up a cluster of Apache's own brokers, the oracle. [`clients`] lets real clients use a cluster
//! ([`target`]). [`requests`] sends raw requests and compares what two clusters make of them. [`failures`] kills, stops
//! and cuts off processes of ours. [`histories`] judges what clients of any cluster recorded, such as [`programs`].
//! [`stops`] measures how much of a group stops. [`walks`] are runs of small
//! worlds that take every edge. [`matrix`] breaks the project on purpose, and tells which method notices.

pub mod apache_kafka;
pub mod clients;
pub mod command;
pub mod failures;
pub mod histories;
pub mod librdkafka;
pub mod lockstep;
pub mod matrix;
pub mod programs;
pub mod requests;
pub mod stops;
pub mod target;
pub mod walks;

use std::env;
use std::path::PathBuf;

/// The user's cache directory for this suite: `$XDG_CACHE_HOME/highwater`, else `~/.cache/highwater`.
pub fn cache_dir() -> Option<PathBuf> {
    let of_home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(of_home)?;
    Some(base.join("highwater"))
}
