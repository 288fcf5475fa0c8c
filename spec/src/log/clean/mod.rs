//! Cleaning a compacted log: what of it may be cleaned, which records stay, and into which segments they go.
//!
//! Of each key the last record stays, where it is, with the offset that it has. A cleaner goes in rounds. In each it
//! looks for the last offset of every key in the part that no round has seen ([`DirtyPart`], [`Latest`]), and then
//! writes all segments up to there anew without the records that a later one outdates ([`Round`]).
//!
//! Not here: reading and writing batches, and putting new segments in the place of old ones (the shell). Rules:
//! `log.clean.*`. Source: Kafka's `LogCleaner`, `LogCleanerManager`; KIP-58, KIP-354, KIP-534.

mod dirty;
mod latest;
mod regroup;
mod round;

pub use dirty::{Cleaning, CleaningLimits, DirtyPart, Ratio, SealedSegment};
pub use latest::Latest;
pub use regroup::{GroupLimits, grouped};
pub use round::{Fate, Found, Kind, Round, kept_of_producers};
