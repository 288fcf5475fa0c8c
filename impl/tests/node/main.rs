//! Nodes in this process, broker and controller, and what clients ask of them on sockets.

mod compaction;
mod connection;
mod consumer_truncation;
mod elections;
mod group_offsets;
mod groups;
mod idempotence;
mod one_node;
mod support;
