//! Lockstep: a real cluster of ours does, step by step, what the model does, and nothing else.
//!
//! A [`conductor`] starts real nodes, with sockets and files, whose doors it keeps ([`gate`]). For every event of a
//! scenario it asks the checker's world which machines hear what, and in which order; waits until exactly that has come
//! to the doors of the cluster, decoded from real bytes; and lets it through. Then it compares what waits, the timers
//! that are armed, the files, the answers on clients' sockets and what a consumer can read, and judges the properties.
//!
//! Groups have a conductor of their own ([`group`]), which keeps only the doors of their coordinator.
//!
//! Both sides run the same machines: what is judged is the shell around them. No step waits for time to pass.
//!
//! What the cluster does and the model leaves out, and is let through ("excused"): a fetch that lost its connection is
//! refused and asked again; what a follower has given up asking is answered all the same, and ignored; a fetch that has
//! waited for its time is answered without records.

mod board;
mod client;
mod compare;
pub mod conducted;
mod conductor;
mod disk;
mod divergence;
mod ending;
mod ensemble;
mod excuse;
mod expected;
mod fetches;
mod gate;
mod group;
mod names;
mod nodes;
mod plain;
mod playable;
mod processes;
pub mod scenarios;
mod script;
mod setup;
mod wire;

pub use divergence::Divergence;
pub use ensemble::Ensemble;
pub use playable::Playable;
pub use script::Script;
