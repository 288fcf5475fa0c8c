//! Kafka's design as small, pure state machines.
//!
//! A [`machine::Machine`] turns facts (its inputs) into instructions (its outputs) and does nothing else: no I/O,
//! no clock, no randomness. The model checker explores these very machines, and a broker runs them on sockets and
//! disks.
//!
//! Where to begin: [`replica`] (one copy of one partition), [`controller`] (who leads), [`broker`] (a server's
//! life), [`group`] (who reads what), [`property`] (what must hold of them together), [`rules`] (how Kafka decided in
//! which release).

pub mod assignor;
pub mod broker;
pub mod controller;
pub mod group;
pub mod log;
pub mod machine;
pub mod marks;
pub mod property;
pub mod refusal;
pub mod replica;
pub mod replicated;
pub mod rules;
pub mod scenario;
pub mod symmetry;
pub mod values;
pub mod view;
