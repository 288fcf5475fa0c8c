//! Rules, one decision at a time: what the book states, said once more as an example that can fail.
//!
//! Not here: rules that hold over many steps (`property/`), or whatever comes (`*_random.rs`); tables (`matrices.rs`). Of
//! groups both are here, since they share their world with the examples.

mod acks;
mod broker;
#[path = "../support/carrier.rs"]
mod carrier;
#[path = "../support/cases.rs"]
mod cases;
mod client_producer;
mod cluster;
mod consumer;
mod consumer_matrix;
mod consumer_truncation;
#[path = "../support/coordinator.rs"]
mod coordinator;
mod elections;
mod follower;
mod group_consumer;
mod group_join;
mod group_kinds;
mod group_limit;
mod group_log;
mod group_matrix;
mod group_offsets;
mod group_random;
mod group_rebalance;
mod isr;
mod leader;
mod lives;
#[path = "../support/members.rs"]
mod members;
mod producer_ids;
mod producers;
mod replica;
#[path = "../support/table.rs"]
mod table;
mod topics;
