//! What consumers tell each other through their coordinator: which topics they want, and who reads which partitions.
//!
//! Each stands behind its version in two bytes. The coordinator hands it on; it looks inside only to know which topics a
//! group reads.

use crate::wire::error::{DecodeError, EncodeError};
use crate::wire::reader::Reader;
use crate::wire::table::{Message, message};
use crate::wire::writer::Writer;
use bytes::Bytes;

message! {
    /// What a member wants: the metadata of its JoinGroup.
    ConsumerProtocolSubscription, versions 0-3, flexible never {
        topics: Vec<String>, versions 0+;
        user_data: Option<Bytes>, versions 0+, nullable 0+, default None;
        owned_partitions: Vec<TopicPartition>, versions 1+;
        generation_id: i32, versions 2+, default -1;
        rack_id: Option<String>, versions 3+, nullable 3+, default None;
    }
    /// Partitions of one topic.
    TopicPartition {
        topic: String, versions 0+;
        partitions: Vec<i32>, versions 0+;
    }
}

message! {
    /// What a member gets: the assignment of its SyncGroup.
    ConsumerProtocolAssignment, versions 0-3, flexible never {
        assigned_partitions: Vec<TopicPartition>, versions 0+;
        user_data: Option<Bytes>, versions 0+, nullable 0+, default None;
    }
}

/// Reads what stands behind its version. A version to come has what is known here at its beginning, as in Kafka.
///
/// # Errors
/// If it is anything else.
pub fn read<M: Message>(bytes: &Bytes) -> Result<M, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.array().map(i16::from_be_bytes).map_err(|error| error.in_message(M::SCHEMA.name))?;
    M::decode_from(&mut reader, version.min(M::VERSIONS.max))
}

/// Writes the version, and what stands behind it.
///
/// # Errors
/// If a string has more than 32767 bytes.
pub fn write<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::default();
    writer.put(&version.to_be_bytes());
    message.encode(&mut writer, version)?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_read_in_every_version_and_in_those_to_come() {
        let wants = ConsumerProtocolSubscription { topics: vec!["a".into(), "b".into()], ..Default::default() };
        for version in ConsumerProtocolSubscription::VERSIONS.iter() {
            let bytes = write(&wants, version).expect("it fits");
            assert_eq!(read::<ConsumerProtocolSubscription>(&bytes), Ok(wants.clone()), "version {version}");
        }
        let mut later = write(&wants, 3).expect("it fits").to_vec();
        later[1] = 9;
        later.push(7);
        assert_eq!(read(&later.into()), Ok(wants));
        assert!(read::<ConsumerProtocolSubscription>(&Bytes::from_static(&[0, 0, 0, 0, 0, 2])).is_err());
        assert!(read::<ConsumerProtocolSubscription>(&Bytes::from_static(&[0xff, 0xff, 0, 0, 0, 0])).is_err());
    }
}
