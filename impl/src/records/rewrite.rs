//! What a cleaner leaves of a batch. Its place in the log, its producer and its epoch stay as they are.
//!
//! Source: Kafka's `MemoryRecords.buildRetainedRecordsInto`, `DefaultRecordBatch.writeEmptyHeader`; KIP-534.

use super::builder::{assembled, put_record};
use super::{BatchHeader, Compression, NONE, Record, RecordError, TimestampType, codec};
use bytes::Bytes;

/// A batch with this header and these of its records, compressed as it was; none is allowed as well. `delete_horizon`
/// in milliseconds since 1970.
///
/// # Errors
/// [`RecordError::Unbuildable`] if it becomes too large for the format, [`RecordError::Compressed`].
pub fn rewritten(header: &BatchHeader, records: &[Record], delete_horizon: Option<i64>) -> Result<Bytes, RecordError> {
    let none = i64::from(NONE);
    let base_timestamp = delete_horizon.or(records.first().map(|record| record.timestamp)).unwrap_or(none);
    let mut contents = Vec::new();
    for record in records {
        let timestamp_delta = match header.attributes.timestamp_type() {
            TimestampType::CreateTime => record.timestamp.wrapping_sub(base_timestamp),
            TimestampType::LogAppendTime => 0,
        };
        let deltas = (timestamp_delta, record.offset.0.saturating_sub(header.base_offset.0));
        put_record(&mut contents, deltas, (record.key.as_deref(), record.value.as_deref()), &record.headers)?;
    }
    let largest = records.iter().map(|record| record.timestamp).max();
    let attributes = header.attributes.with_delete_horizon(delete_horizon.is_some());
    let compression = attributes.compression()?;
    let header = BatchHeader {
        attributes,
        base_timestamp,
        max_timestamp: largest.unwrap_or(header.max_timestamp),
        record_count: i32::try_from(records.len()).map_err(|_| RecordError::Unbuildable("more than 2³¹ records"))?,
        ..*header
    };
    assembled(header, &codec::compress(compression, &contents)?)
}

/// The batch of this header without records: 61 bytes that still say what it took, and whose it was.
///
/// # Errors
/// None that a header can cause.
pub fn emptied(header: &BatchHeader) -> Result<Bytes, RecordError> {
    let attributes = header.attributes.with_compression(Compression::None).with_delete_horizon(false);
    let header = BatchHeader { attributes, base_timestamp: i64::from(NONE), record_count: 0, ..*header };
    assembled(header, &[])
}

#[cfg(test)]
mod tests {
    use super::super::{BatchBuilder, RecordHeader, check_copied, records, stamped};
    use super::*;
    use highwater_spec::values::{LeaderEpoch, Offset};

    const LIMIT: usize = 1 << 20;

    fn batch(compression: Compression) -> Bytes {
        let mut builder = BatchBuilder::new().producer(7, 2, 40).compression(compression);
        let header = RecordHeader { key: "h".into(), value: None };
        builder.push(100, Some(b"a"), Some(b"1"), &[header]).expect("a record that fits");
        builder.push(300, Some(b"b"), Some(b"2"), &[]).expect("a record that fits");
        builder.push(200, Some(b"c"), None, &[]).expect("a record that fits");
        let built = builder.build().expect("a batch that fits");
        let header = stamped(&built, Offset(50), LeaderEpoch(4)).expect("a header");
        [&header, &built[header.len()..]].concat().into()
    }

    fn read(batch: &Bytes) -> (BatchHeader, Vec<Record>) {
        let header = check_copied(batch).expect("a sound batch");
        (header, records(batch, LIMIT).expect("records").map(|record| record.expect("a record")).collect())
    }

    // Verifies: log.clean.place, log.clean.horizon
    #[test]
    fn records_that_stay_are_as_they_were() {
        for compression in [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd] {
            let (header, all) = read(&batch(compression));
            for horizon in [None, Some(9000)] {
                let again = rewritten(&header, &all[1..], horizon).expect("a batch");
                let (now, left) = read(&again);
                assert_eq!(left, all[1..], "{compression}, {horizon:?}");
                assert_eq!((now.base_offset, now.last_offset_delta), (Offset(50), 2));
                assert_eq!((now.delete_horizon(), now.max_timestamp), (horizon, 300));
                assert_eq!(now.sequenced().map(|sequenced| sequenced.first), header.sequenced().map(|it| it.first));
                assert_eq!((now.leader_epoch, now.attributes.compression()), (header.leader_epoch, Ok(compression)));
            }
        }
    }

    // Verifies: log.clean.place, log.clean.producer
    #[test]
    fn an_emptied_batch_says_what_it_took_and_whose_it_was() {
        let (header, all) = read(&batch(Compression::Gzip));
        let with_horizon = read(&rewritten(&header, &all, Some(5)).expect("a batch")).0;
        let (empty, none) = read(&emptied(&with_horizon).expect("a batch"));
        assert!(none.is_empty());
        assert_eq!((empty.base_offset, empty.next_offset(), empty.size()), (Offset(50), Offset(53), 61));
        assert_eq!((empty.sequenced(), empty.delete_horizon()), (header.sequenced(), None));
    }

    #[test]
    fn the_broker_s_time_stays_the_time_of_every_record() {
        let stamped = super::super::with_timestamps(batch(Compression::None), TimestampType::LogAppendTime, 77);
        let (header, all) = read(&stamped.expect("a batch"));
        let left = read(&rewritten(&header, &all[..1], Some(9000)).expect("a batch")).1;
        assert_eq!(left, all[..1]);
    }
}
