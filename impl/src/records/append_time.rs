//! Whose clock a batch's timestamps are: the broker stamps its own where the topic says so, and takes back a client's
//! claim that it did.
//!
//! Source: Kafka's `LogValidator`, `DefaultRecordBatch.setMaxTimestamp`.

use super::header::CHECKED_FROM;
use super::{BatchHeader, HEADER_SIZE, RecordError, TimestampType};
use bytes::{Bytes, BytesMut};

/// The batch with timestamps of `kind`; `now` in milliseconds since 1970 for [`TimestampType::LogAppendTime`]. One that
/// has them already comes back as it is; any other is copied, because its CRC covers them.
///
/// # Errors
/// What [`BatchHeader::parse`] says.
pub fn with_timestamps(batch: Bytes, kind: TimestampType, now: i64) -> Result<Bytes, RecordError> {
    let mut header = BatchHeader::parse(&batch)?;
    match (kind, header.attributes.timestamp_type()) {
        (TimestampType::CreateTime, TimestampType::CreateTime) => return Ok(batch),
        (TimestampType::CreateTime, TimestampType::LogAppendTime) => {
            header.attributes = header.attributes.create_time();
        }
        (TimestampType::LogAppendTime, _) => {
            header.attributes = header.attributes.log_append_time();
            header.max_timestamp = now;
        }
    }
    let mut stamped = BytesMut::from(&batch[..]);
    stamped[..HEADER_SIZE].copy_from_slice(&header.encode());
    header.crc = crc32c::crc32c(&stamped[CHECKED_FROM..]);
    stamped[..HEADER_SIZE].copy_from_slice(&header.encode());
    Ok(stamped.freeze())
}

#[cfg(test)]
mod tests {
    use super::super::{BatchBuilder, check_copied, records};
    use super::*;

    #[test]
    fn the_broker_s_clock_replaces_every_timestamp_and_the_crc_is_right() {
        let mut builder = BatchBuilder::new();
        builder.push(5, None, Some(b"a"), &[]).expect("a record that fits");
        builder.push(9, None, Some(b"b"), &[]).expect("a record that fits");
        let batch = builder.build().expect("a batch that fits");
        let times = |batch: &Bytes| -> Vec<i64> {
            let read = records(batch, 1000).expect("records");
            read.map(|record| record.expect("a record").timestamp).collect()
        };
        let same = with_timestamps(batch.clone(), TimestampType::CreateTime, 70).expect("a batch");
        assert_eq!(same, batch);
        let stamped = with_timestamps(batch.clone(), TimestampType::LogAppendTime, 70).expect("a batch");
        check_copied(&stamped).expect("a right CRC");
        assert_eq!(times(&stamped), [70, 70]);
        let back = with_timestamps(stamped, TimestampType::CreateTime, 0).expect("a batch");
        check_copied(&back).expect("a right CRC");
        assert_eq!(times(&back), [5, 9]);
    }
}
