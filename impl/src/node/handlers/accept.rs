//! Whether a client's batch may go to its topic's logs, as the topic is configured.
//!
//! The broker looks at the header. Only where the configuration demands it does it look at the records: compacted topics
//! need keys. Source: Kafka's `LogValidator`.

use super::errors;
use crate::node::log_configs::ProducedTo;
use crate::records::{BatchHeader, Compression, TimestampType, check_produced, records, with_timestamps};
use bytes::Bytes;
use std::time::{SystemTime, UNIX_EPOCH};

/// From this version on, batches may be compressed with zstd.
const WITH_ZSTD: i16 = 7;
/// How far a batch may grow when it is looked into, in bytes.
const MOST_DECOMPRESSED: usize = 256 << 20;

/// Why a batch never reached its replica.
#[derive(Debug)]
pub struct Rejected {
    /// Kafka's code.
    pub code: i16,
    /// What is wrong.
    pub message: Option<String>,
}

impl Rejected {
    fn new(code: i16, message: &str) -> Self {
        Self { code, message: Some(message.to_owned()) }
    }
}

impl From<i16> for Rejected {
    fn from(code: i16) -> Self {
        Self { code, message: None }
    }
}

/// A batch as it is appended.
#[derive(Debug)]
pub struct Accepted {
    /// Its bytes.
    pub bytes: Bytes,
    /// How many offsets it takes.
    pub count: u32,
    /// The broker's time that was stamped on it, in milliseconds since 1970.
    pub append_time: Option<i64>,
}

/// Checks a batch, and stamps the broker's time on it where the topic says so.
pub fn accept(bytes: Bytes, version: i16, topic: &ProducedTo) -> Result<Accepted, Rejected> {
    let header = check_produced(&bytes, topic.max_message_bytes)
        .map_err(|error| Rejected { code: error.code(), message: Some(error.to_string()) })?;
    if header.attributes.compression().is_ok_and(|codec| codec == Compression::Zstd) && version < WITH_ZSTD {
        return Err(errors::UNSUPPORTED_COMPRESSION_TYPE.into());
    }
    if header.has_producer() || header.attributes.is_transactional() {
        return Err(Rejected::new(
            errors::INVALID_REQUEST,
            "idempotent and transactional producers are not served yet",
        ));
    }
    if topic.compacted {
        need_keys(&bytes)?;
    }
    let now = now();
    if topic.timestamps == TimestampType::CreateTime {
        in_time(&header, now, topic)?;
    }
    let stamped = with_timestamps(bytes, topic.timestamps, now)
        .map_err(|error| Rejected { code: error.code(), message: Some(error.to_string()) })?;
    let append_time = (topic.timestamps == TimestampType::LogAppendTime).then_some(now);
    Ok(Accepted { bytes: stamped, count: header.offset_count(), append_time })
}

fn need_keys(bytes: &Bytes) -> Result<(), Rejected> {
    let unreadable = |error: crate::records::RecordError| Rejected {
        code: errors::INVALID_RECORD,
        message: Some(error.to_string()),
    };
    for record in records(bytes, MOST_DECOMPRESSED).map_err(unreadable)? {
        if record.map_err(unreadable)?.key.is_none() {
            let message = "Compacted topic cannot accept message without key";
            return Err(Rejected::new(errors::INVALID_RECORD, message));
        }
    }
    Ok(())
}

/// `message.timestamp.after.max.ms`, of the largest timestamp. (Kafka also looks at the others, for the lower bound.)
fn in_time(header: &BatchHeader, now: i64, topic: &ProducedTo) -> Result<(), Rejected> {
    if header.max_timestamp.saturating_sub(now) > topic.timestamp_after_max {
        let message = "a timestamp lies further in the future than message.timestamp.after.max.ms allows";
        return Err(Rejected::new(errors::INVALID_TIMESTAMP, message));
    }
    Ok(())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
