//! Whether a client's batch may go to its topic's logs, as the topic is configured.
//!
//! The broker looks at the header. Only where the configuration demands it does it look at the records: compacted topics
//! need keys. Source: Kafka's `LogValidator`.

use super::errors;
use crate::node::log_configs::ProducedTo;
use crate::records::{
    BatchHeader, Compression, RecordError, TimestampType, check_copied, check_produced, records, with_timestamps,
};
use crate::wire::messages::produce::BatchIndexAndErrorMessage;
use bytes::Bytes;
use highwater_spec::producer::Sequenced;
use std::time::{SystemTime, UNIX_EPOCH};

/// From this version on, batches may be compressed with zstd.
const WITH_ZSTD: i16 = 7;
/// How far a batch may grow when it is looked into, in bytes.
const MOST_DECOMPRESSED: usize = 256 << 20;

/// The least that Kafka believes a batch's length field, in bytes: the oldest format's record of nothing.
const LEAST_LENGTH: i32 = 14;
/// The formats that there have been.
const MAGICS: std::ops::RangeInclusive<i8> = 0..=2;

/// Why a batch never reached its replica.
#[derive(Debug)]
pub struct Rejected {
    /// Kafka's code.
    pub code: i16,
    /// What is wrong.
    pub message: Option<String>,
    /// The records for which the batch is refused, if it is for some.
    pub records: Vec<BatchIndexAndErrorMessage>,
    /// Whether the answer tells where the log starts, as Kafka's does when it had the log before it.
    pub tells_log_start: bool,
}

impl Rejected {
    /// Refused for what the log demands.
    fn by_log(code: i16, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()), records: Vec::new(), tells_log_start: true }
    }
}

impl From<i16> for Rejected {
    fn from(code: i16) -> Self {
        Self { code, message: None, records: Vec::new(), tells_log_start: false }
    }
}

/// A batch as it is appended.
#[derive(Debug)]
pub struct Accepted {
    /// Its bytes.
    pub bytes: Bytes,
    /// How many offsets it takes.
    pub count: u32,
    /// Whose it is, if its producer has an id.
    pub producer: Option<Sequenced>,
    /// The broker's time that was stamped on it, in milliseconds since 1970.
    pub append_time: Option<i64>,
}

/// Checks a batch, and stamps the broker's time on it where the topic says so.
pub fn accept(bytes: Bytes, version: i16, topic: &ProducedTo) -> Result<Accepted, Rejected> {
    let header = check_produced(&bytes, topic.max_message_bytes).map_err(|error| refused(&error, &bytes))?;
    if header.attributes.compression().is_ok_and(|codec| codec == Compression::Zstd) && version < WITH_ZSTD {
        return Err(errors::UNSUPPORTED_COMPRESSION_TYPE.into());
    }
    if header.attributes.is_transactional() {
        let message = "transactional producers are not served yet";
        return Err(Rejected { message: Some(message.to_owned()), ..errors::INVALID_REQUEST.into() });
    }
    if topic.compacted {
        need_keys(&bytes)?;
    }
    let now = now();
    if topic.timestamps == TimestampType::CreateTime {
        in_time(&header, &bytes, now.saturating_add(topic.timestamp_after_max))?;
    }
    let stamped = with_timestamps(bytes, topic.timestamps, now).map_err(|error| unreadable(&error))?;
    let append_time = (topic.timestamps == TimestampType::LogAppendTime).then_some(now);
    let max_timestamp = append_time.unwrap_or(header.max_timestamp);
    let producer = BatchHeader { max_timestamp, ..header }.sequenced();
    Ok(Accepted { bytes: stamped, count: header.offset_count(), producer, append_time })
}

/// Kafka looks at what frames the batch, then at its CRC, and only then at what follows it or what it says.
fn refused(error: &RecordError, bytes: &[u8]) -> Rejected {
    let code = match error {
        _ if !is_framed(bytes) => errors::CORRUPT_MESSAGE,
        RecordError::MoreThanOneBatch(more) if check_copied(&bytes[..bytes.len() - more]).is_err() => {
            errors::CORRUPT_MESSAGE
        }
        error => error.code(),
    };
    let tells_log_start = matches!(
        error,
        RecordError::BaseOffset(_)
            | RecordError::Count { .. }
            | RecordError::Control
            | RecordError::UnknownCompression(_)
            | RecordError::Sequence(_)
    );
    Rejected { code, message: Some(error.to_string()), records: Vec::new(), tells_log_start }
}

/// Whether length and magic, as far as they are there, are those of some format.
fn is_framed(bytes: &[u8]) -> bool {
    let length = bytes.get(8..12).and_then(|field| field.first_chunk().copied()).map(i32::from_be_bytes);
    let magic = bytes.get(16).map(|byte| byte.cast_signed());
    length.is_none_or(|length| length >= LEAST_LENGTH) && magic.is_none_or(|magic| MAGICS.contains(&magic))
}

fn unreadable(error: &RecordError) -> Rejected {
    Rejected::by_log(errors::INVALID_RECORD, error.to_string())
}

fn need_keys(bytes: &Bytes) -> Result<(), Rejected> {
    const WHY: &str = "Compacted topic cannot accept message without key";
    let mut without = Vec::new();
    for (index, record) in (0..).zip(records(bytes, MOST_DECOMPRESSED).map_err(|error| unreadable(&error))?) {
        if record.map_err(|error| unreadable(&error))?.key.is_none() {
            without.push(fault(index, WHY.to_owned()));
        }
    }
    match without.is_empty() {
        true => Ok(()),
        false => Err(Rejected { records: without, ..Rejected::by_log(errors::INVALID_RECORD, WHY) }),
    }
}

/// `message.timestamp.after.max.ms`: no timestamp after `latest`, by what the header says is the largest. (Kafka looks
/// at each record's, for the lower bound as well.)
fn in_time(header: &BatchHeader, bytes: &Bytes, latest: i64) -> Result<(), Rejected> {
    if header.max_timestamp <= latest {
        return Ok(());
    }
    let read = (0..).zip(records(bytes, MOST_DECOMPRESSED).into_iter().flatten());
    let late = read.filter_map(|(index, record)| {
        let timestamp = record.ok()?.timestamp;
        (timestamp > latest).then(|| fault(index, format!("timestamp {timestamp} is later than {latest}")))
    });
    let message = "a timestamp lies further in the future than message.timestamp.after.max.ms allows";
    Err(Rejected { records: late.collect(), ..Rejected::by_log(errors::INVALID_TIMESTAMP, message) })
}

fn fault(batch_index: i32, message: String) -> BatchIndexAndErrorMessage {
    BatchIndexAndErrorMessage { batch_index, batch_index_error_message: Some(message) }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::BatchBuilder;

    const TOPIC: ProducedTo = ProducedTo {
        max_message_bytes: 1000,
        timestamps: TimestampType::CreateTime,
        timestamp_after_max: 0,
        compacted: false,
    };

    /// Records with these timestamps; those after the first have a key.
    fn batch(timestamps: &[i64]) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        for (index, timestamp) in timestamps.iter().enumerate() {
            let key = (index > 0).then_some(&b"k"[..]);
            builder.push(*timestamp, key, Some(b"v"), &[]).expect("a record that fits");
        }
        builder.build().expect("a batch that fits").to_vec()
    }

    fn rejected(bytes: Vec<u8>, topic: &ProducedTo) -> Rejected {
        accept(bytes.into(), 12, topic).expect_err("a batch to refuse")
    }

    fn with(at: usize, byte: u8) -> Vec<u8> {
        let mut batch = batch(&[1]);
        batch[at] = byte;
        batch
    }

    #[test]
    fn a_frame_of_no_format_is_corrupt_and_one_of_an_old_format_invalid() {
        let code = |bytes| rejected(bytes, &TOPIC).code;
        assert_eq!(code(with(16, 3)), errors::CORRUPT_MESSAGE, "a magic to come");
        assert_eq!(code(with(16, 255)), errors::CORRUPT_MESSAGE, "a negative magic");
        assert_eq!(code(with(16, 1)), errors::INVALID_RECORD, "an old magic");
        assert_eq!(code(vec![0; 100]), errors::CORRUPT_MESSAGE, "a length of 0");
        assert_eq!(code(vec![0; 10]), errors::INVALID_RECORD, "no length yet");
    }

    #[test]
    fn bytes_that_follow_a_sound_batch_are_refused_and_after_a_damaged_one_the_damage_is() {
        let sound = [batch(&[1]), vec![0; 3]].concat();
        assert_eq!(rejected(sound.clone(), &TOPIC).code, errors::INVALID_RECORD);
        let mut damaged = sound;
        damaged[11] -= 1;
        assert_eq!(rejected(damaged, &TOPIC).code, errors::CORRUPT_MESSAGE, "the length is one too small");
    }

    #[test]
    fn the_log_s_start_is_told_once_the_batch_itself_is_sound() {
        assert!(!rejected(with(16, 1), &TOPIC).tells_log_start);
        assert!(!rejected(with(60, 9), &TOPIC).tells_log_start, "a wrong CRC");
        assert!(rejected(with(7, 9), &TOPIC).tells_log_start, "a base offset of 9");
    }

    #[test]
    fn late_records_are_named() {
        let refused = rejected(batch(&[1, i64::MAX - 1, 2]), &TOPIC);
        assert_eq!(refused.code, errors::INVALID_TIMESTAMP);
        assert_eq!(refused.records.iter().map(|record| record.batch_index).collect::<Vec<_>>(), [1]);
        accept(batch(&[1]).into(), 12, &TOPIC).expect("a batch in time");
    }

    #[test]
    fn records_without_a_key_are_named() {
        let compacted = ProducedTo { compacted: true, ..TOPIC };
        let refused = rejected(batch(&[1, 2]), &compacted);
        assert_eq!(refused.code, errors::INVALID_RECORD);
        assert_eq!(refused.records.iter().map(|record| record.batch_index).collect::<Vec<_>>(), [0]);
    }
}
