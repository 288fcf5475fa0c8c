//! Clients: what a library that talks to a cluster decides by itself.
//!
//! Not here: connections, metadata of topics, who leads. Those are looked up again and again, and nothing is decided by
//! them.

mod code;
pub mod consumer;
pub mod partitioner;
pub mod producer;

pub use code::Code;
