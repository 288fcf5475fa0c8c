//! The same cells with loom's locks: each proof runs every order in which its threads can meet.
//!
//! Beside each proof stands a twin with one step done wrongly, which loom must catch. A proof that can't tell the cell
//! from its twin proves nothing. The standard library's `Arc` stays: nothing here depends on when a count is changed.

#![allow(clippy::duplicate_mod, reason = "the point: one text, two kinds of lock")]

#[path = "../inbox.rs"]
mod inbox;
#[path = "../parked.rs"]
mod parked;
#[path = "../published.rs"]
mod published;

mod inbox_proof;
mod parked_proof;
mod published_proof;

/// The locks that the cells are made of, here.
mod sync {
    pub use loom::sync::{Condvar, Mutex, MutexGuard, RwLock};
}
