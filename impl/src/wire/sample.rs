//! Valid messages made at random from a schema, so that any codec and any server can be tried with all of them.
//!
//! They are written by the schema alone, not by the codec of this crate, so that each checks the other. Kafka would
//! write them with the very same bytes: no longer varints than needed, tags rising, no tagged field at its default.

use super::field::Layout;
use super::schema::{FieldSchema, Schema, Structure, Type};
use super::writer::Writer;
use bytes::Bytes;

/// Random numbers that follow from a seed alone (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers that follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % bound).unwrap_or(0)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A valid message; `None` if the version does not exist.
#[must_use]
pub fn message(schema: &Schema, version: i16, dice: &mut Dice) -> Option<Bytes> {
    let flexible = schema.flexible.contains(version);
    let layout = Layout { version, flexible, nullable: false };
    schema.versions.contains(version).then(|| {
        let mut sample = Sample { writer: Writer::default(), dice, tagged: false };
        sample.structure(schema.body, layout);
        sample.writer.into_bytes()
    })
}

struct Sample<'a> {
    writer: Writer,
    dice: &'a mut Dice,
    /// Within a tagged field: no value there is the default of any field.
    tagged: bool,
}

impl Sample<'_> {
    fn structure(&mut self, structure: &Structure, layout: Layout) {
        for field in structure.fields.iter().filter(|field| field.is_inline(layout.version)) {
            self.value(field.ty, field.layout(layout));
        }
        if layout.flexible {
            self.tagged_fields(structure, layout);
        }
    }

    fn tagged_fields(&mut self, structure: &Structure, layout: Layout) {
        let mut present: Vec<(u32, &FieldSchema)> =
            structure.fields.iter().filter_map(|field| Some((field.tag_in(layout.version)?, field))).collect();
        present.retain(|_| self.dice.once_in(2));
        present.sort_by_key(|(tag, _)| *tag);
        self.writer.unsigned_varint(present.len() as u32);
        for (tag, field) in present {
            let mut inner = Sample { writer: Writer::default(), dice: self.dice, tagged: true };
            inner.value(field.ty, field.layout(layout));
            let value = inner.writer.into_bytes();
            self.writer.unsigned_varint(tag);
            self.writer.unsigned_varint(value.len() as u32);
            self.writer.put(&value);
        }
    }

    fn value(&mut self, ty: Type, layout: Layout) {
        let within = Layout { nullable: false, ..layout };
        let null = layout.nullable && !self.tagged && self.dice.once_in(4);
        match ty {
            Type::Bool => {
                let value = self.tagged || self.dice.once_in(2);
                self.writer.put(&[value.into()]);
            }
            Type::Int8 => self.number(1),
            Type::Int16 | Type::Uint16 => self.number(2),
            Type::Int32 => self.number(4),
            Type::Int64 => self.number(8),
            Type::Float64 => {
                let value = self.dice.below(1000) as f64 / 8.0 + 1.0;
                self.writer.put(&value.to_be_bytes());
            }
            Type::Uuid => {
                let halves = [self.dice.roll(), self.dice.roll()];
                halves.iter().for_each(|half| self.writer.put(&half.to_be_bytes()));
            }
            Type::String | Type::Bytes | Type::Array(_) if null => self.length(ty, None, layout),
            Type::String => {
                let text = self.text();
                self.length(ty, Some(text.len()), layout);
                self.writer.put(text.as_bytes());
            }
            Type::Bytes => {
                let bytes: Vec<u8> = (0..self.count(200)).map(|_| self.dice.roll() as u8).collect();
                self.length(ty, Some(bytes.len()), layout);
                self.writer.put(&bytes);
            }
            Type::Array(element) => {
                let count = self.count(3);
                self.length(ty, Some(count), layout);
                (0..count).for_each(|_| self.value(*element, within));
            }
            Type::Structure(structure) => {
                if layout.nullable {
                    self.writer.put(&[if null { 0xff } else { 1 }]);
                }
                if !null {
                    self.structure(structure, within);
                }
            }
        }
    }

    /// From 0 to `most`; not 0 in a tagged field, where empty is the default.
    fn count(&mut self, most: usize) -> usize {
        self.dice.below(most + 1).max(self.tagged.into())
    }

    /// Small numbers, negative ones and the extremes. Defaults are from −2 to 0, or extremes.
    fn number(&mut self, width: usize) {
        let small = i64::try_from(1 + self.dice.below(100)).unwrap_or(1);
        let value = match self.dice.below(8) {
            0 => -2 - small,
            1 if !self.tagged => i64::MAX >> (64 - 8 * width),
            2 if !self.tagged => i64::MIN >> (64 - 8 * width),
            3 if !self.tagged => -1,
            4 if !self.tagged => 0,
            _ => small,
        };
        self.writer.put(&value.to_be_bytes()[8 - width..]);
    }

    /// Text with letters of one to four bytes, at times so long that its compact length takes two bytes.
    fn text(&mut self) -> String {
        let letters = ['a', 'Z', '.', '_', 'é', '√', '🌊'];
        let most = if self.dice.once_in(10) { 200 } else { 8 };
        (0..self.count(most)).map(|_| letters[self.dice.below(letters.len())]).collect()
    }

    fn length(&mut self, ty: Type, length: Option<usize>, layout: Layout) {
        let signed = length.map_or(-1, |length| length as i32);
        match ty {
            _ if layout.flexible => self.writer.unsigned_varint(length.map_or(0, |length| length as u32 + 1)),
            Type::String => self.writer.put(&(signed as i16).to_be_bytes()),
            _ => self.writer.put(&signed.to_be_bytes()),
        }
    }
}
