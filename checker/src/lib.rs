//! Explores every state that a small cluster of Highwater's machines can reach.
//!
//! A *world* is a cluster and everything that may go wrong with it ([`replication`]); an *engine* explores it
//! ([`engine`]).

pub mod bounds;
pub mod catalog;
pub mod cleaning;
pub mod controller;
pub mod engine;
pub mod group;
mod history;
pub mod kind;
pub mod museum;
pub mod narrated;
pub mod producing;
pub mod reading;
pub mod replication;
pub mod shared;
pub mod stops;
pub mod story;
