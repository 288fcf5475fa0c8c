//! What each byte of a valid message is for.

use super::error::{DecodeError, Fault};
use super::field::{self, Layout};
use super::reader::Reader;
use super::schema::{FieldSchema, Schema, Structure, Type};
use bytes::Bytes;
use std::ops::Range;

/// A run of bytes that means one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The field that it belongs to, such as `topics.partitions.fetch_offset`; the elements of an array share theirs.
    pub path: String,
    /// What it is.
    pub part: Part,
    /// Where it is.
    pub range: Range<usize>,
}

/// What a run of bytes means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A number, a truth value or an identifier.
    Fixed,
    /// How many bytes or elements follow.
    Length {
        /// How the length is written.
        form: LengthForm,
        /// Whether null is allowed.
        nullable: bool,
        /// How many bytes the content has after the length.
        content: usize,
    },
    /// The bytes of a string.
    Text,
    /// The bytes of a byte field.
    Opaque,
    /// Whether a structure is there or null.
    Presence,
    /// How many tagged fields follow.
    TagCount,
    /// The number of a tagged field.
    Tag,
    /// How many bytes a tagged field has.
    TagSize {
        /// That many.
        content: usize,
        /// Whether the schema knows the field; if not, its bytes are skipped.
        known: bool,
    },
}

impl Part {
    /// What it is, in a word or two.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "value",
            Self::Length { .. } => "length",
            Self::Text => "text",
            Self::Opaque => "bytes",
            Self::Presence => "presence",
            Self::TagCount => "tag count",
            Self::Tag => "tag",
            Self::TagSize { .. } => "tag size",
        }
    }
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// Two bytes, −1 for null.
    Int16,
    /// Four bytes, −1 for null.
    Int32,
    /// A varint greater by one, 0 for null.
    Compact,
}

/// Marks every byte of `body`, in order.
///
/// # Errors
/// If `body` is not a valid message.
pub fn marks(schema: &Schema, version: i16, body: &Bytes) -> Result<Vec<Mark>, DecodeError> {
    let mut walk = Walk { reader: Reader::new(body), path: Vec::new(), marks: Vec::new() };
    if !schema.versions.contains(version) {
        return Err(walk.reader.error(Fault::Version(version)).in_message(schema.name));
    }
    let flexible = schema.flexible.contains(version);
    let walked = walk.structure(schema.body, Layout { version, flexible, nullable: false });
    walked.and_then(|()| walk.reader.finish()).map_err(|error| error.in_message(schema.name))?;
    Ok(walk.marks)
}

struct Walk<'a> {
    reader: Reader<'a>,
    path: Vec<&'static str>,
    marks: Vec<Mark>,
}

impl Walk<'_> {
    fn mark(&mut self, start: usize, part: Part) {
        let range = start..self.reader.position();
        self.marks.push(Mark { path: self.path.join("."), part, range });
    }

    fn structure(&mut self, structure: &Structure, layout: Layout) -> Result<(), DecodeError> {
        for field in structure.fields.iter().filter(|field| field.is_inline(layout.version)) {
            self.field(field, layout)?;
        }
        if layout.flexible { self.tagged_fields(structure, layout) } else { Ok(()) }
    }

    fn field(&mut self, field: &FieldSchema, around: Layout) -> Result<(), DecodeError> {
        self.path.push(field.name);
        self.value(field.ty, field.layout(around)).map_err(|error| error.in_field(field.name))?;
        self.path.pop();
        Ok(())
    }

    fn varint(&mut self, part: Part) -> Result<u32, DecodeError> {
        let start = self.reader.position();
        let value = self.reader.unsigned_varint()?;
        self.mark(start, part);
        Ok(value)
    }

    fn tagged_fields(&mut self, structure: &Structure, layout: Layout) -> Result<(), DecodeError> {
        for _ in 0..self.varint(Part::TagCount)? {
            let tag = self.varint(Part::Tag)?;
            let known = structure.fields.iter().find(|field| field.tag_in(layout.version) == Some(tag));
            let start = self.reader.position();
            let content = self.reader.unsigned_varint()? as usize;
            self.mark(start, Part::TagSize { content, known: known.is_some() });
            let start = self.reader.position();
            match known {
                Some(field) => self.field(field, layout)?,
                None => self.opaque(content, Part::Opaque)?,
            }
            let excess = content.abs_diff(self.reader.position() - start);
            if excess > 0 {
                return Err(self.reader.error(Fault::Trailing(excess)));
            }
        }
        Ok(())
    }

    fn opaque(&mut self, size: usize, part: Part) -> Result<(), DecodeError> {
        let start = self.reader.position();
        self.reader.slice(size)?;
        self.mark(start, part);
        Ok(())
    }

    fn value(&mut self, ty: Type, layout: Layout) -> Result<(), DecodeError> {
        let within = Layout { nullable: false, ..layout };
        match ty {
            Type::String => self.sized(LengthForm::Int16, layout, |walk, size| walk.opaque(size, Part::Text)),
            Type::Bytes => self.sized(LengthForm::Int32, layout, |walk, size| walk.opaque(size, Part::Opaque)),
            Type::Array(element) => self.sized(LengthForm::Int32, layout, |walk, count| {
                (0..count).try_for_each(|_| walk.value(*element, within))
            }),
            Type::Structure(structure) if layout.nullable => {
                let start = self.reader.position();
                let present = field::read_presence(&mut self.reader)?;
                self.mark(start, Part::Presence);
                if present { self.structure(structure, within) } else { Ok(()) }
            }
            Type::Structure(structure) => self.structure(structure, within),
            fixed => self.opaque(fixed.least(layout), Part::Fixed),
        }
    }

    /// Walks over a length and what follows it.
    fn sized(
        &mut self,
        form: LengthForm,
        layout: Layout,
        content: impl FnOnce(&mut Self, usize) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let start = self.reader.position();
        let form = if layout.flexible { LengthForm::Compact } else { form };
        let length = match form {
            LengthForm::Compact => self.reader.compact_length()?,
            LengthForm::Int16 => {
                let length = self.reader.array().map(i16::from_be_bytes)?;
                self.reader.signed_length(length.into())?
            }
            LengthForm::Int32 => {
                let length = self.reader.array().map(i32::from_be_bytes)?;
                self.reader.signed_length(length)?
            }
        };
        let place = self.marks.len();
        self.mark(start, Part::Length { form, nullable: layout.nullable, content: 0 });
        let before = self.reader.position();
        length.map_or(Ok(()), |length| content(self, length))?;
        let content = self.reader.position() - before;
        self.marks[place].part = Part::Length { form, nullable: layout.nullable, content };
        Ok(())
    }
}
