//! What threads share: three small cells, and nothing else in the broker is shared and mutable.
//!
//! * [`Inbox`]: many threads send, one shard receives.
//! * [`Published`]: one shard replaces a value, everyone reads the latest.
//! * [`Parked`]: who waits for the next publication.
//!
//! Each cell is written once against [`sync`], and compiled twice: with the standard library's locks, and in tests with
//! loom's, which tries every order in which threads can meet (`proof`). Not here: what is sent or published, and who
//! decides that.

mod inbox;
mod parked;
#[cfg(test)]
mod proof;
mod published;
#[cfg(test)]
mod tests;

pub use inbox::{Closed, Drained, Inbox};
pub use parked::{Parked, Registration, Wake};
pub use published::Published;

/// The locks that the cells are made of.
mod sync {
    pub use std::sync::{Condvar, Mutex, MutexGuard, RwLock};
}
