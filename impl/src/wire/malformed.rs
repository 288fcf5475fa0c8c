//! Messages that are nearly valid: each is wrong in one place, and any server has to refuse it.
//!
//! A server may close the connection or answer with an error, as it likes. It may not crash, nor stop serving others,
//! nor keep memory.

use super::error::DecodeError;
use super::sample::Dice;
use super::schema::Schema;
use super::walk::{LengthForm, Mark, Part, marks};
use super::writer::Writer;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::ops::Range;

/// A message that is wrong in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What is wrong, such as `topics.name is null`.
    pub name: String,
    /// The field that is wrong, such as `topics.name`; empty if none is.
    pub path: String,
    /// The message, without header.
    pub body: Bytes,
}

/// Every way in which `body`, a valid message, can be spoilt in one place. Each field is spoilt where it first
/// occurs. The same seed gives the same cases.
///
/// # Errors
/// If `body` is not a valid message.
pub fn cases(schema: &Schema, version: i16, body: &Bytes, seed: u64) -> Result<Vec<Case>, DecodeError> {
    let marks = marks(schema, version, body)?;
    let tagged = marks.iter().filter_map(TaggedField::of).collect();
    let mut spoiler = Spoiler { body, tagged, dice: Dice::new(seed), cases: Vec::new() };
    let mut spoilt = BTreeSet::new();
    for mark in marks {
        if spoilt.insert((mark.path.clone(), mark.part.name())) {
            spoiler.spoil(&mark);
        }
    }
    spoiler.push("", "followed by a byte", [body, &[0][..]].concat());
    Ok(spoiler.cases)
}

/// The most that four bytes can say.
const LARGEST: u32 = i32::MAX.unsigned_abs();

/// A varint that has no end within the five bytes that 32 bits need.
const ENDLESS_VARINT: [u8; 6] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x00];

/// A varint of 35 bits.
const WIDE_VARINT: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x7f];

/// A tagged field.
struct TaggedField {
    /// Where its size is written.
    size: Range<usize>,
    /// Where its value is.
    value: Range<usize>,
}

impl TaggedField {
    fn of(mark: &Mark) -> Option<Self> {
        let Part::TagSize { content, .. } = mark.part else { return None };
        let value = mark.range.end..mark.range.end + content;
        Some(Self { size: mark.range.clone(), value })
    }

    fn encloses(&self, range: &Range<usize>) -> bool {
        self.value.start <= range.start && range.end <= self.value.end
    }
}

struct Spoiler<'a> {
    body: &'a Bytes,
    /// By rising position, so that an inner one comes after those around it.
    tagged: Vec<TaggedField>,
    dice: Dice,
    cases: Vec<Case>,
}

impl Spoiler<'_> {
    fn push(&mut self, path: &str, fault: &str, body: Vec<u8>) {
        let name = if path.is_empty() { fault.to_owned() } else { format!("{path} {fault}") };
        self.cases.push(Case { name, path: path.to_owned(), body: body.into() });
    }

    /// Puts `instead` where `range` was. The sizes of tagged fields around it are put right, so that nothing else is
    /// wrong.
    fn case(&mut self, path: &str, fault: &str, range: Range<usize>, instead: &[u8]) {
        let mut body = self.body.to_vec();
        let mut longer_by = instead.len() as i64 - range.len() as i64;
        body.splice(range.clone(), instead.iter().copied());
        for around in self.tagged.iter().rev().filter(|field| field.encloses(&range)) {
            let size = varint((around.value.len() as i64 + longer_by) as u32);
            longer_by += size.len() as i64 - around.size.len() as i64;
            body.splice(around.size.clone(), size);
        }
        self.push(path, fault, body);
    }

    fn spoil(&mut self, mark: &Mark) {
        self.truncate(mark);
        let Mark { path, part, range } = mark;
        let left = self.body.len() - range.end;
        match *part {
            Part::Length { form, nullable, content } => self.spoil_length(mark, form, nullable, content),
            Part::Text if !range.is_empty() => {
                let at = range.start + self.dice.below(range.len());
                self.case(path, "is not UTF-8", at..at + 1, &[0xff]);
            }
            Part::TagCount => {
                self.case(path, "has more tagged fields than bytes", range.clone(), &varint(LARGEST));
                self.spoil_varint(mark);
            }
            Part::Tag => self.spoil_varint(mark),
            Part::TagSize { content, known } => {
                self.case(path, "has a tagged field past the end", range.clone(), &varint(left as u32 + 1));
                self.case(path, "has a tagged field of any size", range.clone(), &varint(u32::MAX));
                self.spoil_varint(mark);
                if known {
                    self.spoil_tag_size(mark, content);
                }
            }
            Part::Text | Part::Fixed | Part::Opaque | Part::Presence => {}
        }
    }

    fn truncate(&mut self, mark: &Mark) {
        if !mark.range.is_empty() {
            let end = mark.range.start + self.dice.below(mark.range.len());
            let fault = format!("ends within its {}", mark.part.name());
            self.push(&mark.path, &fault, self.body[..end].to_vec());
        }
    }

    fn spoil_varint(&mut self, Mark { path, part, range }: &Mark) {
        let name = part.name();
        self.case(path, &format!("has an endless {name}"), range.clone(), &ENDLESS_VARINT);
        self.case(path, &format!("has a {name} of 35 bits"), range.clone(), &WIDE_VARINT);
    }

    /// Gives a tagged field one byte less and one byte more than it has. No field can have none.
    fn spoil_tag_size(&mut self, Mark { path, range, .. }: &Mark, content: usize) {
        self.case(path, "has a tagged field that is too short", range.clone(), &varint(content as u32 - 1));
        let value = &self.body[range.end..range.end + content];
        let longer = [&varint(content as u32 + 1), value, &[0]].concat();
        self.case(path, "has a tagged field with a byte left over", range.start..range.end + content, &longer);
    }

    fn spoil_length(&mut self, mark: &Mark, form: LengthForm, nullable: bool, content: usize) {
        let Mark { path, range, .. } = mark;
        let left = (self.body.len() - range.end) as i64;
        // Two bytes cannot say a length that reaches past the end of a long message.
        if left < form.largest() {
            self.case(path, "reaches past the end", range.clone(), &form.write(left + 1));
            self.case(path, "has the largest length", range.clone(), &form.write(form.largest()));
        }
        if !nullable {
            self.case(path, "is null", range.start..range.end + content, &form.write(-1));
        }
        match form {
            LengthForm::Compact => self.spoil_varint(mark),
            LengthForm::Int16 | LengthForm::Int32 => {
                self.case(path, "has the length -2", range.clone(), &form.write(-2));
                self.case(path, "has the least length", range.clone(), &form.write(-form.largest() - 1));
            }
        }
    }
}

impl LengthForm {
    fn largest(self) -> i64 {
        match self {
            Self::Int16 => i16::MAX.into(),
            Self::Int32 => i32::MAX.into(),
            Self::Compact => i64::from(u32::MAX) - 1,
        }
    }

    fn write(self, length: i64) -> Vec<u8> {
        match self {
            Self::Int16 => (length as i16).to_be_bytes().to_vec(),
            Self::Int32 => (length as i32).to_be_bytes().to_vec(),
            Self::Compact => varint((length + 1) as u32),
        }
    }
}

fn varint(value: u32) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.unsigned_varint(value);
    writer.into_bytes().to_vec()
}
