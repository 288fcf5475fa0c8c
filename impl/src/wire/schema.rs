//! A message's layout as data: what the table says, for programs that generate, mutate or print messages.

use super::field::Layout;
use std::fmt;

/// A range of versions, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Versions {
    /// The first.
    pub min: i16,
    /// The last; `i16::MAX` if there is none yet.
    pub max: i16,
}

impl Versions {
    /// No version at all.
    pub const NONE: Self = Self { min: 0, max: -1 };

    /// `min` and everything later.
    #[must_use]
    pub const fn from(min: i16) -> Self {
        Self { min, max: i16::MAX }
    }

    /// From `min` to `max`, both included.
    #[must_use]
    pub const fn between(min: i16, max: i16) -> Self {
        Self { min, max }
    }

    /// Whether `version` is one of them.
    #[must_use]
    pub const fn contains(self, version: i16) -> bool {
        self.min <= version && version <= self.max
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.max < self.min
    }

    /// Each of them, from the first to the last.
    pub fn iter(self) -> impl Iterator<Item = i16> {
        self.min..=self.max
    }
}

/// As Kafka writes it: `0-13`, `9+`, `none`.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            _ if self.is_empty() => f.write_str("none"),
            (min, i16::MAX) => write!(f, "{min}+"),
            (min, max) if min == max => write!(f, "{min}"),
            (min, max) => write!(f, "{min}-{max}"),
        }
    }
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Kafka's name of it, such as `FetchRequest`.
    pub name: &'static str,
    /// The versions that exist.
    pub versions: Versions,
    /// The versions with compact lengths and tagged fields (KIP-482).
    pub flexible: Versions,
    /// Its fields.
    pub body: &'static Structure,
}

/// The fields of a message or of a part of it, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Structure {
    /// Kafka's name of it, such as `FetchPartition`.
    pub name: &'static str,
    /// Its fields; tagged ones, wherever they stand in the list, are written last and by rising tag.
    pub fields: &'static [FieldSchema],
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSchema {
    /// Kafka's name of it in snake case.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// The versions that have it.
    pub versions: Versions,
    /// The versions in which it may be null.
    pub nullable: Versions,
    /// Its tag, if it is written only when it differs from its default.
    pub tag: Option<u32>,
    /// Its value where it is absent, as Rust writes it. If none is given: zero, false, empty.
    pub default: Option<&'static str>,
    /// Whether it is compact in flexible versions, as all fields are but the request header's client id.
    pub compactable: bool,
}

impl FieldSchema {
    /// Whether `version` has it at its place among the other fields.
    #[must_use]
    pub const fn is_inline(&self, version: i16) -> bool {
        self.tag.is_none() && self.versions.contains(version)
    }

    /// Its tag, if `version` has it among the tagged fields.
    #[must_use]
    pub const fn tag_in(&self, version: i16) -> Option<u32> {
        if self.versions.contains(version) { self.tag } else { None }
    }

    /// Its layout in a structure that has the layout `around`.
    #[must_use]
    pub const fn layout(&self, around: Layout) -> Layout {
        Layout {
            version: around.version,
            flexible: around.flexible && self.compactable,
            nullable: self.nullable.contains(around.version),
        }
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// One byte; every value but 0 is true.
    Bool,
    /// One byte, signed.
    Int8,
    /// Two bytes, signed, big-endian like all numbers.
    Int16,
    /// Two bytes, unsigned.
    Uint16,
    /// Four bytes, signed.
    Int32,
    /// Eight bytes, signed.
    Int64,
    /// Eight bytes, IEEE 754.
    Float64,
    /// Sixteen bytes.
    Uuid,
    /// UTF-8, at most 32767 bytes.
    String,
    /// Any bytes. Kafka's `records` are written the same way.
    Bytes,
    /// Any number of one type.
    Array(&'static Type),
    /// A part with fields of its own.
    Structure(&'static Structure),
}

impl Type {
    /// The least number of bytes that a value takes. It bounds how many there can be in a number of bytes.
    #[must_use]
    pub fn least(self, layout: Layout) -> usize {
        match self {
            Self::Bool | Self::Int8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 => 4,
            Self::Int64 | Self::Float64 => 8,
            Self::Uuid => 16,
            Self::String | Self::Bytes | Self::Array(_) if layout.flexible => 1,
            Self::String => 2,
            Self::Bytes | Self::Array(_) => 4,
            Self::Structure(_) if layout.nullable => 1,
            Self::Structure(structure) => structure.least(layout),
        }
    }
}

impl Structure {
    fn least(&self, layout: Layout) -> usize {
        let inline = self.fields.iter().filter(|field| field.is_inline(layout.version));
        let tags = usize::from(layout.flexible);
        tags + inline.map(|field| field.ty.least(field.layout(layout))).sum::<usize>()
    }
}
