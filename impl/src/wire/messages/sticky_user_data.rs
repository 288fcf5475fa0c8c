//! What the assignor `sticky` has its members tell their leader, in the user data of their subscription: what they were
//! given last, and in which generation.
//!
//! No version stands before it. Source: KIP-54, KIP-341; Kafka's `StickyAssignor`.

use super::consumer_protocol::TopicPartition;
use crate::wire::error::EncodeError;
use crate::wire::reader::Reader;
use crate::wire::table::{Message, message};
use crate::wire::writer::Writer;
use bytes::Bytes;

message! {
    /// What a member was given last.
    StickyUserData, versions 0-1, flexible never {
        previous_assignment: Vec<TopicPartition>, versions 0+;
        generation: i32, versions 1+, default -1;
    }
}

/// Reads it as of the newest version that it can be of; what is of none says nothing, as in Kafka.
#[must_use]
pub fn read(bytes: &Bytes) -> StickyUserData {
    let versions = [StickyUserData::VERSIONS.max, StickyUserData::VERSIONS.min];
    let read = versions.iter().find_map(|version| StickyUserData::decode_from(&mut Reader::new(bytes), *version).ok());
    read.unwrap_or_default()
}

/// Writes it, as of the newest version.
///
/// # Errors
/// If a topic's name has more than 32767 bytes.
pub fn write(data: &StickyUserData) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::default();
    data.encode(&mut writer, StickyUserData::VERSIONS.max)?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partitions 1 and 2 of `t`, in generation 7.
    const BYTES: [u8; 23] = [0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7];

    fn data(generation: i32) -> StickyUserData {
        let topic = TopicPartition { topic: "t".into(), partitions: vec![1, 2] };
        StickyUserData { previous_assignment: vec![topic], generation }
    }

    #[test]
    fn its_bytes_are_kafka_s() {
        assert_eq!(write(&data(7)).expect("it fits"), BYTES[..]);
        assert_eq!(read(&Bytes::from_static(&BYTES)), data(7));
    }

    #[test]
    fn an_earlier_one_has_no_generation() {
        assert_eq!(read(&Bytes::from_static(&BYTES).slice(..19)), data(-1));
    }

    #[test]
    fn what_is_no_such_data_says_nothing() {
        let cut = (1..19).map(|end| Bytes::from_static(&BYTES).slice(..end));
        let huge = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff, 0, 1, b't']);
        let negative = Bytes::from_static(&[0, 0, 0, 1, 0xff, 0xfe, b't', 0, 0, 0, 0]);
        // As kafka-python 3.0 has it.
        let behind_a_version = [&[0, 1], &BYTES[..]].concat().into();
        for bytes in cut.chain([Bytes::new(), huge, negative, behind_a_version]) {
            assert_eq!(read(&bytes), StickyUserData::default(), "{bytes:?}");
        }
    }
}
