//! Histories of clients: what they did, what they were told and what they saw, and whether a cluster that keeps Kafka's
//! promises can have been behind it.
//!
//! A history is a file of events, one JSON object a line ([`event`]), recorded by clients of any language at any cluster;
//! each event has the moments between which it happened, by one clock. [`judge()`] is a pure function that names the
//! [anomalies](anomaly) in it, by Jepsen's names where Jepsen has one.
//!
//! What is judged: no partition has two owners, in the coordinator's view, in a generation, or among members in good
//! standing; whoever is fenced commits nothing; a committed offset stays what it is until someone commits another; what
//! was acknowledged is delivered, once where that is promised, in its sender's order, and nothing else is. A member that
//! doesn't know yet that it was fenced may go on reading: nobody promises that it doesn't.
//!
//! Not here: how a history is recorded. A group is taken to read its topics from their beginning.

pub mod anomaly;
pub mod event;
mod holds;
mod judge;

pub use anomaly::{Anomaly, Kind};
pub use event::{Answer, Deed, Event, Fate, HistoryError, Partition, Share, read, text};
pub use judge::{Verdict, judge};
