//! Logs on disks, in Kafka's files.
//!
//! A [`LogDir`] is what `log.dirs` names: a folder with a lock, an identity, checkpoints, and one folder per partition.
//! In that lies a log: segments of record batches with an offset index and a time index each. A [`PartitionLog`] writes
//! it, from one thread; [`LogReader`]s read it from any.
//!
//! Not here: what is to be appended, cut or flushed, and when (`highwater_spec::replica`), when a segment ends and what
//! survives a crash or a cleaning (`highwater_spec::log`), retention (to come). Source: Kafka's
//! `LogManager`, `UnifiedLog`, `LocalLog`, `LogSegment`, `LogLoader`.

mod active;
mod clean;
mod clean_shutdown;
mod config;
mod durable;
mod epoch_checkpoint;
mod error;
mod flush;
mod index;
mod log_dir;
mod meta_properties;
mod names;
mod offset_checkpoint;
mod partition_log;
mod partition_metadata;
mod power_cut;
mod producers;
mod published;
mod reader;
mod recovery;
mod scan;
mod segment;
mod swap;
mod timestamps;
mod watch;
#[cfg(test)]
mod watch_tests;

pub use clean::{CleanAsk, CleanJob, Cleaned};
pub use config::LogConfig;
pub use error::StorageError;
pub use flush::{FlushJob, Flushed};
pub use log_dir::{LogDir, PartitionFolder};
pub use meta_properties::MetaProperties;
pub use names::PartitionName;
pub use partition_log::PartitionLog;
pub use power_cut::power_cut;
pub use reader::LogReader;
pub use timestamps::TimestampOffset;
