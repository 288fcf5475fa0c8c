//! What is inside a record of `__consumer_offsets`: a key that begins with its kind, a value that begins with its version.
//!
//! Not here: the batches around it (`records`), what a record changes (`spec`). Of KIP-848's groups the topics as Kafka
//! 4.0 kept them (4) and regular expressions (16) are not known. Source: Kafka's `GroupCoordinatorRecordSerde`, `GroupCoordinatorRecordHelpers`.

use super::error::{DecodeError, EncodeError, Fault};
use super::messages::consumer_group_records::*;
use super::messages::group_records::{GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue};
use super::reader::Reader;
use super::table::Message;
use super::writer::Writer;
use bytes::Bytes;

/// What errors name where no kind is known yet.
const NAME: &str = "GroupRecord";
/// The version of the key with which Kafka writes an offset. (The number is the kind as well: 0 is the same kind.)
const OFFSET_COMMIT: i16 = 1;
/// The version of the key of a classic group, which is its kind.
const GROUP_METADATA: i16 = 2;
/// The kinds of KIP-848's groups.
const CONSUMER_GROUP: i16 = 3;
const CONSUMER_MEMBER: i16 = 5;
const TARGET_METADATA: i16 = 6;
const TARGET_MEMBER: i16 = 7;
const CURRENT_MEMBER: i16 = 8;
/// The only version of their values.
const CONSUMER_VALUE: i16 = 0;
/// The version of values that Kafka 4.1 writes: the last that is not flexible.
const VALUE: i16 = 3;
/// The version of an offset that says by itself when it expires.
const WITH_EXPIRY: i16 = 1;

/// A record of a group coordinator's log. No value: what the key names is gone.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupRecord {
    /// A group has committed an offset.
    OffsetCommit(OffsetCommitKey, Option<OffsetCommitValue>),
    /// A classic group is like this.
    GroupMetadata(GroupMetadataKey, Option<GroupMetadataValue>),
    /// A group of the consumer protocol is like this.
    ConsumerGroup(ConsumerGroupMetadataKey, Option<ConsumerGroupMetadataValue>),
    /// A member of it says this of itself.
    ConsumerMember(ConsumerGroupMemberMetadataKey, Option<ConsumerGroupMemberMetadataValue>),
    /// Its target assignment has this epoch.
    TargetMetadata(ConsumerGroupTargetAssignmentMetadataKey, Option<ConsumerGroupTargetAssignmentMetadataValue>),
    /// A member of it is to read this.
    TargetMember(ConsumerGroupTargetAssignmentMemberKey, Option<ConsumerGroupTargetAssignmentMemberValue>),
    /// A member of it is so far.
    CurrentMember(ConsumerGroupCurrentMemberAssignmentKey, Option<ConsumerGroupCurrentMemberAssignmentValue>),
}

impl GroupRecord {
    /// Reads a record's key and value.
    ///
    /// # Errors
    /// If the kind or a version is unknown, or key or value is anything else than one such message.
    pub fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Self, DecodeError> {
        let (kind, fields) = versioned(key)?;
        match kind {
            0 | OFFSET_COMMIT => Ok(Self::OffsetCommit(OffsetCommitKey::decode(&fields, kind)?, read(value)?)),
            GROUP_METADATA => Ok(Self::GroupMetadata(Message::decode(&fields, kind)?, read(value)?)),
            CONSUMER_GROUP => Ok(Self::ConsumerGroup(Message::decode(&fields, kind)?, read(value)?)),
            CONSUMER_MEMBER => Ok(Self::ConsumerMember(Message::decode(&fields, kind)?, read(value)?)),
            TARGET_METADATA => Ok(Self::TargetMetadata(Message::decode(&fields, kind)?, read(value)?)),
            TARGET_MEMBER => Ok(Self::TargetMember(Message::decode(&fields, kind)?, read(value)?)),
            CURRENT_MEMBER => Ok(Self::CurrentMember(Message::decode(&fields, kind)?, read(value)?)),
            other => {
                let fault = u32::try_from(other).map_or(Fault::Version(other), Fault::RecordKey);
                Err(DecodeError::new(0, fault).in_message(NAME))
            }
        }
    }

    /// Writes a record's key and value, in the versions that Kafka 4.1 writes.
    ///
    /// # Errors
    /// If a string has more than 32767 bytes.
    pub fn encode(&self) -> Result<(Bytes, Option<Bytes>), EncodeError> {
        match self {
            Self::OffsetCommit(key, value) => {
                let expires = value.as_ref().is_some_and(|value| value.expire_timestamp != -1);
                let version = if expires { WITH_EXPIRY } else { VALUE };
                both(key, OFFSET_COMMIT, value.as_ref(), version)
            }
            Self::GroupMetadata(key, value) => both(key, GROUP_METADATA, value.as_ref(), VALUE),
            Self::ConsumerGroup(key, value) => both(key, CONSUMER_GROUP, value.as_ref(), CONSUMER_VALUE),
            Self::ConsumerMember(key, value) => both(key, CONSUMER_MEMBER, value.as_ref(), CONSUMER_VALUE),
            Self::TargetMetadata(key, value) => both(key, TARGET_METADATA, value.as_ref(), CONSUMER_VALUE),
            Self::TargetMember(key, value) => both(key, TARGET_MEMBER, value.as_ref(), CONSUMER_VALUE),
            Self::CurrentMember(key, value) => both(key, CURRENT_MEMBER, value.as_ref(), CONSUMER_VALUE),
        }
    }
}

/// The version at the beginning, and what follows it.
fn versioned(bytes: &Bytes) -> Result<(i16, Bytes), DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.array().map(i16::from_be_bytes).map_err(|error| error.in_message(NAME))?;
    Ok((version, bytes.slice(reader.position()..)))
}

fn read<M: Message>(value: Option<&Bytes>) -> Result<Option<M>, DecodeError> {
    let Some(value) = value else { return Ok(None) };
    let (version, fields) = versioned(value)?;
    M::decode(&fields, version).map(Some)
}

fn both(
    key: &impl Message,
    kind: i16,
    value: Option<&impl Message>,
    version: i16,
) -> Result<(Bytes, Option<Bytes>), EncodeError> {
    Ok((written(key, kind)?, value.map(|value| written(value, version)).transpose()?))
}

fn written(message: &impl Message, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::default();
    writer.put(&version.to_be_bytes());
    message.encode(&mut writer, version)?;
    Ok(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::group_records::MemberMetadata;
    use crate::wire::sample::{Dice, message};

    fn commit() -> (OffsetCommitKey, OffsetCommitValue) {
        let key = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 5 };
        let value = OffsetCommitValue {
            offset: 7,
            leader_epoch: 2,
            metadata: "m".into(),
            commit_timestamp: 9,
            ..Default::default()
        };
        (key, value)
    }

    fn fault(key: &'static [u8], value: Option<&'static [u8]>) -> Fault {
        let value = value.map(Bytes::from_static);
        GroupRecord::decode(&Bytes::from_static(key), value.as_ref()).unwrap_err().fault
    }

    #[test]
    fn an_offset_is_written_as_kafka_writes_it() {
        let (key, value) = commit();
        let (written_key, written_value) = GroupRecord::OffsetCommit(key.clone(), Some(value)).encode().unwrap();
        assert_eq!(written_key, [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 5][..]);
        let expected = [0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 1, b'm', 0, 0, 0, 0, 0, 0, 0, 9];
        assert_eq!(written_value.as_deref(), Some(&expected[..]));
        let (tombstone_key, none) = GroupRecord::OffsetCommit(key, None).encode().unwrap();
        assert_eq!((tombstone_key, none), (written_key, None));
    }

    #[test]
    fn an_offset_that_expires_by_itself_is_written_in_the_only_version_that_can_say_so() {
        let (key, value) = commit();
        let expires = OffsetCommitValue { expire_timestamp: 11, leader_epoch: -1, ..value };
        let record = GroupRecord::OffsetCommit(key, Some(expires));
        let (key, value) = record.encode().unwrap();
        assert_eq!(value.as_ref().map(|value| value[..2].to_vec()), Some(vec![0, 1]));
        assert_eq!(GroupRecord::decode(&key, value.as_ref()), Ok(record));
    }

    #[test]
    fn a_group_comes_back() {
        let key = GroupMetadataKey { group: "g".into() };
        let member = MemberMetadata {
            member_id: "a-1".into(),
            group_instance_id: Some("a".into()),
            rebalance_timeout: 300_000,
            session_timeout: 45_000,
            subscription: Bytes::from_static(&[0, 1]),
            ..Default::default()
        };
        let value = GroupMetadataValue {
            protocol_type: "consumer".into(),
            generation: 3,
            protocol: Some("range".into()),
            leader: Some("a-1".into()),
            current_state_timestamp: 4,
            members: vec![member],
        };
        for value in [Some(value), None] {
            let record = GroupRecord::GroupMetadata(key.clone(), value);
            let (key, value) = record.encode().unwrap();
            assert_eq!(key, [0, 2, 0, 1, b'g'][..]);
            assert!(value.as_ref().is_none_or(|value| value[..2] == [0, 3]));
            assert_eq!(GroupRecord::decode(&key, value.as_ref()), Ok(record));
        }
    }

    #[test]
    fn every_version_is_read() {
        fn all<M: Message>(kind: &[u8], record: impl Fn(&GroupRecord) -> Option<M>) {
            let key = Bytes::copy_from_slice(kind);
            for version in M::VERSIONS.iter() {
                let body = message(M::SCHEMA, version, &mut Dice::new(7)).unwrap();
                let value = Bytes::from([&version.to_be_bytes()[..], &body].concat());
                let read = GroupRecord::decode(&key, Some(&value)).unwrap();
                assert_eq!(record(&read), Some(M::decode(&body, version).unwrap()), "version {version}");
            }
        }
        for version in [0, 1] {
            all(&[0, version, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 5], |read| match read {
                GroupRecord::OffsetCommit(_, value) => value.clone(),
                _ => None,
            });
        }
        all(&[0, 2, 0, 1, b'g'], |read| match read {
            GroupRecord::GroupMetadata(_, value) => value.clone(),
            _ => None,
        });
    }

    #[test]
    fn what_is_no_such_record_is_refused() {
        assert_eq!(fault(&[0], None), Fault::Short { needed: 2, left: 1 });
        assert_eq!(fault(&[0, 4, 0, 1, b'g'], None), Fault::RecordKey(4));
        assert_eq!(fault(&[0xff, 0xff], None), Fault::Version(-1));
        assert_eq!(fault(&[0, 2, 0, 1, b'g', 0], None), Fault::Trailing(1));
        assert_eq!(fault(&[0, 2, 0, 2, b'g'], None), Fault::Short { needed: 2, left: 1 });
        assert_eq!(fault(&[0, 2, 0, 1, b'g'], Some(&[])), Fault::Short { needed: 2, left: 0 });
        assert_eq!(fault(&[0, 2, 0, 1, b'g'], Some(&[0, 5])), Fault::Version(5));
    }
}
