//! What is inside a record of the metadata log: a frame version, the kind, its version, the message.
//!
//! Not here: the batches and control records around it (`records`), what a record changes (`spec`).
//! Source: KIP-631; Kafka's `MetadataRecordSerde`.

use super::error::{DecodeError, EncodeError, Fault};
use super::messages::metadata_records::*;
use super::reader::Reader;
use super::schema::Schema;
use super::table::Message;
use super::writer::Writer;
use bytes::Bytes;

/// The only frame version that exists.
const FRAME_VERSION: u32 = 1;

/// What errors name where no kind is known yet.
const NAME: &str = "MetadataRecord";

macro_rules! metadata_records {
    ($($key:literal $name:ident;)*) => {
        /// A change of the cluster.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)] // the names are Kafka's
        pub enum MetadataRecord {
            $($name($name),)*
        }

        /// Every kind of metadata record: its key and its schema.
        pub const METADATA_RECORDS: &[(u32, &Schema)] = &[$(($key, $name::SCHEMA),)*];

        impl MetadataRecord {
            /// Reads a record's value.
            ///
            /// # Errors
            /// If the kind or a version is unknown, or `value` is anything else than one such record.
            pub fn decode(value: &Bytes) -> Result<Self, DecodeError> {
                let mut reader = Reader::new(value);
                let (key, version) = read_kind(&mut reader).map_err(|error| error.in_message(NAME))?;
                let body = value.slice(reader.position()..);
                match key {
                    $($key => $name::decode(&body, version).map(Self::$name),)*
                    _ => Err(reader.error(Fault::RecordKey(key)).in_message(NAME)),
                }
            }

            /// Writes a record's value, in the highest version.
            ///
            /// # Errors
            /// If a string has more than 32767 bytes.
            pub fn encode(&self) -> Result<Bytes, EncodeError> {
                self.encode_as(self.schema().versions.max)
            }

            /// Writes a record's value. What the version lacks is left out.
            ///
            /// # Errors
            /// If the version does not exist or cannot express a value.
            pub fn encode_as(&self, version: i16) -> Result<Bytes, EncodeError> {
                let mut writer = Writer::default();
                writer.unsigned_varint(FRAME_VERSION);
                writer.unsigned_varint(self.key());
                writer.unsigned_varint(version.unsigned_abs().into());
                match self {
                    $(Self::$name(record) => record.encode(&mut writer, version)?,)*
                }
                Ok(writer.into_bytes())
            }

            /// The number of its kind.
            #[must_use]
            pub const fn key(&self) -> u32 {
                match self {
                    $(Self::$name(_) => $key,)*
                }
            }

            /// Its table, as data.
            #[must_use]
            pub const fn schema(&self) -> &'static Schema {
                match self {
                    $(Self::$name(_) => $name::SCHEMA,)*
                }
            }
        }

        $(impl From<$name> for MetadataRecord {
            fn from(record: $name) -> Self {
                Self::$name(record)
            }
        })*
    };
}

metadata_records! {
    0 RegisterBrokerRecord;
    1 UnregisterBrokerRecord;
    2 TopicRecord;
    3 PartitionRecord;
    4 ConfigRecord;
    5 PartitionChangeRecord;
    9 RemoveTopicRecord;
    12 FeatureLevelRecord;
    15 ProducerIdsRecord;
    17 BrokerRegistrationChangeRecord;
    20 NoOpRecord;
    28 ClearElrRecord;
}

fn read_kind(reader: &mut Reader<'_>) -> Result<(u32, i16), DecodeError> {
    let frame_version = reader.unsigned_varint()?;
    if frame_version != FRAME_VERSION {
        return Err(reader.error(Fault::FrameVersion(frame_version)));
    }
    let key = reader.unsigned_varint()?;
    // A version too large for its type is as unknown as any other.
    let version = i16::try_from(reader.unsigned_varint()?).unwrap_or(i16::MAX);
    Ok((key, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Uuid;

    fn fault(value: &'static [u8]) -> Fault {
        MetadataRecord::decode(&Bytes::from_static(value)).unwrap_err().fault
    }

    #[test]
    fn kind_and_version_come_first() {
        let topic = TopicRecord { name: "t".into(), topic_id: Uuid([7; 16]) };
        let value = MetadataRecord::from(topic.clone()).encode().unwrap();
        assert_eq!(value[..5], [1, 2, 0, 2, b't']);
        assert_eq!(value[5..21], [7; 16]);
        assert_eq!(value[21..], [0]);
        assert_eq!(MetadataRecord::decode(&value), Ok(topic.into()));
    }

    #[test]
    fn what_is_unchanged_is_not_written() {
        let change = PartitionChangeRecord { leader: 3, ..PartitionChangeRecord::default() };
        let value = MetadataRecord::from(change.clone()).encode().unwrap();
        assert_eq!(value.len(), 3 + 4 + 16 + 1 + 2 + 4, "one tagged field: {value:?}");
        assert_eq!(MetadataRecord::decode(&value), Ok(change.into()));
    }

    #[test]
    fn unknown_kinds_and_versions_are_refused() {
        assert_eq!(fault(&[2, 20, 0, 0]), Fault::FrameVersion(2));
        assert_eq!(fault(&[1, 19, 0, 0]), Fault::RecordKey(19));
        assert_eq!(fault(&[1, 20, 1, 0]), Fault::Version(1));
        assert_eq!(fault(&[1, 20, 0xff, 0xff, 0x0f, 0]), Fault::Version(i16::MAX));
        assert_eq!(fault(&[1, 20, 0, 0, 0]), Fault::Trailing(1));
        assert_eq!(fault(&[1, 20]), Fault::Short { needed: 1, left: 0 });
    }
}
