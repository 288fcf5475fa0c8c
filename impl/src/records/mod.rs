//! Record batches, version 2: what a log and a Produce or Fetch request are made of.
//!
//! A broker reads a batch's 61-byte [header](BatchHeader), checks its CRC-32C and stamps offset and leader epoch on it,
//! which the CRC leaves out for that very reason; the records inside stay as the producer wrote them, compressed or
//! not. Who must look inside (a consumer, a lookup by timestamp) asks for [`records`].
//!
//! Not here: messages of versions 0 and 1 (refused), who may append what (`highwater_spec::replica`), files
//! ([`crate::storage`]). Source: KIP-98; Kafka's `DefaultRecordBatch`, `DefaultRecord`, `LogValidator`.

mod append_time;
mod attributes;
mod builder;
mod check;
mod codec;
mod control;
mod error;
mod header;
mod record;
mod rewrite;
mod split;
mod varint;

pub use append_time::with_timestamps;
pub use attributes::{Attributes, Compression, TimestampType};
pub use builder::BatchBuilder;
pub use check::{check_copied, check_produced};
pub use control::{ControlType, control_key};
pub use error::RecordError;
pub use header::{BatchHeader, HEADER_SIZE, stamped};
pub use record::{Record, RecordHeader, Records, records};
pub use rewrite::{emptied, rewritten};
pub use split::{Batches, split};

/// "No producer", "no producer epoch", "no sequence", "no timestamp" in the fields of a batch.
const NONE: i8 = -1;
