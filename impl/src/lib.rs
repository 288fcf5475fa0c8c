//! The broker: Highwater's state machines on sockets and disks.
//!
//! Machines decide, this crate obeys. [`node`] hosts the machines, [`wire`] is Kafka's protocol, [`records`] its record
//! batches, [`storage`] its files; [`cells`] are what threads share. What machines hear passes a [`door`]. [`client`] is the small client that the command
//! line uses.

pub mod carrier;
pub mod cells;
pub mod client;
pub mod config;
pub mod door;
pub mod node;
pub mod records;
pub mod storage;
pub mod wire;
