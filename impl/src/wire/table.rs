//! One table per message, from which come its type, its codec and its schema.
//!
//! ```text
//! message! {
//!     /// What it is.
//!     FetchRequest, versions 4-18, flexible 12+ {
//!         cluster_id: Option<String>, versions 12+, nullable 12+, tag 0, default None;
//!         replica_id: i32, versions 0-14, default -1;
//!         topics: Vec<FetchTopic>, versions 0+;
//!         …
//!     }
//!     /// A part of it.
//!     FetchTopic { … }
//! }
//! ```
//!
//! A line is Kafka's JSON in short: name, type, the versions that have the field, those in which it may be null, its
//! tag, its value where it is absent. The type is an `Option` exactly if some version has a null; that is checked when
//! the table is compiled. `flexible never` keeps a field's length from being compact, or a whole message classic.

use super::error::{DecodeError, EncodeError, Fault, Unfit};
use super::field::{Field, Layout};
use super::reader::Reader;
use super::schema::{Schema, Versions};
use super::writer::Writer;
use bytes::Bytes;

/// A message of Kafka's protocol.
pub trait Message: Field + Clone + Default + PartialEq + std::fmt::Debug {
    /// The table, as data.
    const SCHEMA: &'static Schema;
    /// The versions that exist.
    const VERSIONS: Versions = Self::SCHEMA.versions;
    /// The versions with compact lengths and tagged fields (KIP-482).
    const FLEXIBLE: Versions = Self::SCHEMA.flexible;

    /// Reads a message that fills `body`, whose byte fields become slices of it.
    ///
    /// # Errors
    /// If `body` is anything else than one such message.
    fn decode(body: &Bytes, version: i16) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let message = Self::decode_from(&mut reader, version)?;
        reader.finish().map_err(|error| error.in_message(Self::SCHEMA.name))?;
        Ok(message)
    }

    /// Reads a message that more bytes may follow.
    ///
    /// # Errors
    /// If the bytes do not begin with one such message.
    fn decode_from(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let read = match layout::<Self>(version) {
            Some(layout) => Self::read(reader, layout),
            None => Err(reader.error(Fault::Version(version))),
        };
        read.map_err(|error| error.in_message(Self::SCHEMA.name))
    }

    /// Writes the message. Fields that this version lacks are left out.
    ///
    /// # Errors
    /// If a value cannot be written in this version: a null where none is allowed, a string of more than 32767 bytes.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        let written = match layout::<Self>(version) {
            Some(layout) => self.write(writer, layout),
            None => Err(Unfit::Version(version).into()),
        };
        written.map_err(|error| error.in_message(Self::SCHEMA.name))
    }

    /// The message as bytes.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn to_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut writer = Writer::default();
        self.encode(&mut writer, version)?;
        Ok(writer.into_bytes())
    }
}

fn layout<M: Message>(version: i16) -> Option<Layout> {
    let flexible = M::FLEXIBLE.contains(version);
    M::VERSIONS.contains(version).then_some(Layout { version, flexible, nullable: false })
}

/// A message and the structures it is made of.
macro_rules! message {
    (
        $(#[$doc:meta])*
        $name:ident, versions $min:literal $sign:tt $($max:literal)?, flexible $flexible:tt $(+)? { $($fields:tt)* }
        $($(#[$part_doc:meta])* $part:ident { $($part_fields:tt)* })*
    ) => {
        $crate::wire::table::structure! { $(#[$doc])* $name { $($fields)* } }

        impl $crate::wire::table::Message for $name {
            const SCHEMA: &'static $crate::wire::schema::Schema = &$crate::wire::schema::Schema {
                name: stringify!($name),
                versions: $crate::wire::table::versions!($min $sign $($max)?),
                flexible: $crate::wire::table::flexible!($flexible),
                body: &$name::STRUCTURE,
            };
        }

        $($crate::wire::table::structure! { $(#[$part_doc])* $part { $($part_fields)* } })*
    };
}

/// A type whose fields are laid out as the table says.
macro_rules! structure {
    (
        $(#[$doc:meta])*
        $name:ident { $(
            $(#[$field_doc:meta])*
            $field:ident: $ty:ty, versions $min:literal $sign:tt $($max:literal)?
            $(, nullable $null_min:literal $null_sign:tt $($null_max:literal)?)?
            $(, tag $tag:literal)?
            $(, default $default:expr)?
            $(, flexible $never:ident)?;
        )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)] // the fields' names are Kafka's
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::wire::table::default_value!($ty $(, $default)?),)* }
            }
        }

        #[allow(unused)] // a structure may have no fields, most have no tagged ones
        const _: () = {
            use $crate::wire::error::{DecodeError, EncodeError};
            use $crate::wire::field::{Field, Layout, Nullable, read_presence, write_presence};
            use $crate::wire::reader::Reader;
            use $crate::wire::schema::{FieldSchema, Structure, Type};
            use $crate::wire::table::{compactable, default_value, optional, versions};
            use $crate::wire::writer::Writer;

            struct Table {
                $($field: FieldSchema,)*
            }

            const TABLE: Table = Table {
                $($field: FieldSchema {
                    name: stringify!($field),
                    ty: <$ty as Field>::TYPE,
                    versions: versions!($min $sign $($max)?),
                    nullable: versions!($($null_min $null_sign $($null_max)?)?),
                    tag: optional!($($tag)?),
                    default: optional!($(stringify!($default))?),
                    compactable: compactable!($($never)?),
                },)*
            };

            $(assert!(
                <$ty as Field>::OPTIONAL != TABLE.$field.nullable.is_empty(),
                concat!(stringify!($name), ".", stringify!($field), " must be an Option exactly if it is nullable")
            );)*

            impl $name {
                /// Its fields, as data.
                pub const STRUCTURE: Structure = Structure { name: stringify!($name), fields: &[$(TABLE.$field,)*] };
            }

            impl Field for $name {
                const TYPE: Type = Type::Structure(&Self::STRUCTURE);

                fn natural() -> Self {
                    Self::default()
                }

                fn read(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, DecodeError> {
                    let mut this = Self::default();
                    $(if TABLE.$field.is_inline(layout.version) {
                        this.$field = <$ty as Field>::read(reader, TABLE.$field.layout(layout))
                            .map_err(|error| error.in_field(concat!(stringify!($name), ".", stringify!($field))))?;
                    })*
                    if layout.flexible {
                        reader.tagged_fields(|reader, tag| {
                            $(if TABLE.$field.tag_in(layout.version) == Some(tag) {
                                this.$field = <$ty as Field>::read(reader, TABLE.$field.layout(layout)).map_err(
                                    |error| error.in_field(concat!(stringify!($name), ".", stringify!($field))),
                                )?;
                                return Ok(true);
                            })*
                            Ok(false)
                        })?;
                    }
                    Ok(this)
                }

                fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
                    $(if TABLE.$field.is_inline(layout.version) {
                        self.$field
                            .write(writer, TABLE.$field.layout(layout))
                            .map_err(|error| error.in_field(concat!(stringify!($name), ".", stringify!($field))))?;
                    })*
                    if !layout.flexible {
                        return Ok(());
                    }
                    let mut tagged = Vec::new();
                    $(if let Some(tag) = TABLE.$field.tag_in(layout.version)
                        && self.$field != default_value!($ty $(, $default)?)
                    {
                        let mut field = Writer::default();
                        self.$field
                            .write(&mut field, TABLE.$field.layout(layout))
                            .map_err(|error| error.in_field(concat!(stringify!($name), ".", stringify!($field))))?;
                        tagged.push((tag, field));
                    })*
                    writer.tagged_fields(tagged)
                }
            }

            impl Nullable for $name {
                fn read_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, DecodeError> {
                    read_presence(reader)?.then(|| Self::read(reader, layout)).transpose()
                }

                fn write_nullable(this: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
                    write_presence(writer, this.is_some());
                    this.map_or(Ok(()), |this| this.write(writer, layout))
                }
            }
        };
    };
}

/// A range as Kafka writes it: `0-13`, `9+`, or nothing.
macro_rules! versions {
    () => {
        $crate::wire::schema::Versions::NONE
    };
    ($min:literal +) => {
        $crate::wire::schema::Versions::from($min)
    };
    ($min:literal - $max:literal) => {
        $crate::wire::schema::Versions::between($min, $max)
    };
}

/// The first flexible version, or `never`.
macro_rules! flexible {
    (never) => {
        $crate::wire::schema::Versions::NONE
    };
    ($min:literal) => {
        $crate::wire::schema::Versions::from($min)
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! compactable {
    () => {
        true
    };
    (never) => {
        false
    };
}

macro_rules! default_value {
    ($ty:ty) => {
        <$ty as $crate::wire::field::Field>::natural()
    };
    ($ty:ty, $default:expr) => {
        $default
    };
}

pub(super) use {compactable, default_value, flexible, message, optional, structure, versions};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::{FetchRequest, MetadataRequest, MetadataResponse, fetch, metadata};

    message! {
        /// A message with tags that are not in order.
        Tagged, versions 0-1, flexible 0+ {
            second: i32, versions 0+, tag 5, default -1;
            first: Option<String>, versions 0+, nullable 0+, tag 3, default None;
            later: i32, versions 1+, tag 9;
        }
    }

    fn fault(body: &'static [u8]) -> Fault {
        Tagged::decode(&Bytes::from_static(body), 0).unwrap_err().fault
    }

    #[test]
    fn tagged_fields_are_written_by_tag_unless_at_their_default() {
        let tagged = Tagged { second: 7, first: Some("a".into()), later: 9 };
        assert_eq!(tagged.to_bytes(0).unwrap(), [2, 3, 2, 2, b'a', 5, 4, 0, 0, 0, 7][..]);
        assert_eq!(Tagged::default().to_bytes(1).unwrap(), [0][..]);
    }

    #[test]
    fn tagged_fields_are_read_in_any_order() {
        let body = Bytes::from_static(&[4, 5, 4, 0, 0, 0, 1, 9, 1, 0xff, 3, 1, 0, 5, 4, 0, 0, 0, 7]);
        let tagged = Tagged::decode(&body, 0).unwrap();
        assert_eq!(tagged, Tagged { second: 7, first: None, later: 0 }, "the last wins, unknown ones are skipped");
    }

    #[test]
    fn a_tagged_field_fills_its_size() {
        assert_eq!(fault(&[1, 5, 3, 0, 0, 0]), Fault::Short { needed: 4, left: 3 });
        assert_eq!(fault(&[1, 5, 5, 0, 0, 0, 1, 0]), Fault::Trailing(1));
        assert_eq!(fault(&[1, 9, 2, 0]), Fault::Short { needed: 2, left: 1 });
        assert_eq!(fault(&[2, 9, 0]), Fault::Short { needed: 1, left: 0 });
    }

    #[test]
    fn what_a_version_lacks_is_left_out_and_read_as_its_default() {
        let request =
            MetadataRequest { topics: Some(Vec::new()), allow_auto_topic_creation: false, ..Default::default() };
        let body = request.to_bytes(3).unwrap();
        assert_eq!(body, [0, 0, 0, 0][..]);
        assert!(MetadataRequest::decode(&body, 3).unwrap().allow_auto_topic_creation);
    }

    #[test]
    fn errors_name_message_field_and_place() {
        let mut body = FetchRequest { topics: vec![fetch::FetchTopic::default()], ..Default::default() }
            .to_bytes(11)
            .unwrap()
            .to_vec();
        let name = 4 + 4 + 4 + 4 + 1 + 4 + 4 + 4;
        body[name..name + 2].copy_from_slice(&[0xff, 0xff]);
        let error = FetchRequest::decode(&body.into(), 11).unwrap_err();
        assert_eq!(
            error.to_string(),
            "FetchRequest FetchTopic.topic at byte 29: null, which this version does not allow"
        );

        let topic = metadata::MetadataResponseTopic { name: None, ..Default::default() };
        let response = MetadataResponse { topics: vec![topic], ..Default::default() };
        let error = response.to_bytes(11).unwrap_err();
        assert_eq!(
            error.to_string(),
            "MetadataResponse MetadataResponseTopic.name cannot be written: null, which this version does not allow"
        );
        assert_eq!(response.to_bytes(14).unwrap_err().unfit, Unfit::Version(14));
        assert_eq!(MetadataResponse::decode(&Bytes::new(), -1).unwrap_err().fault, Fault::Version(-1));
    }
}
