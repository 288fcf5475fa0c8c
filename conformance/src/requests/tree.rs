//! A message as a tree of named values, read by its schema.
//!
//! The codec is this module's own: it judges the one that brokers use, and shares only the tables with it.

use highwater::wire::schema::{Schema, Structure, Type, Versions};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number of any size.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(String),
    /// A Kafka id.
    Id([u8; 16]),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Any number of values.
    List(Vec<Tree>),
    /// Named values, in the order in which they are written.
    Struct(Vec<(&'static str, Tree)>),
}

impl Tree {
    /// The field of that name, if this is a structure that has it.
    pub fn field(&self, name: &str) -> Option<&Tree> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The number of that name.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.field(name)? {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it is a structure.
    pub fn is_struct(&self) -> bool {
        matches!(self, Self::Struct(_))
    }
}

/// Why bytes are not the message that they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct NotThatMessage {
    at: usize,
    what: String,
}

/// A message's fields. Every field of the version is there; a tagged one that is absent is left out.
pub fn read(schema: &Schema, version: i16, bytes: &[u8]) -> Result<Tree, NotThatMessage> {
    let mut reader = Reader { bytes, at: 0, version, flexible: schema.flexible };
    let tree = reader.structure(schema.body)?;
    match bytes.len() - reader.at {
        0 => Ok(tree),
        left => Err(reader.fault(format!("{left} bytes are left over"))),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    version: i16,
    flexible: Versions,
}

impl Reader<'_> {
    fn structure(&mut self, structure: &Structure) -> Result<Tree, NotThatMessage> {
        let mut fields = Vec::new();
        let version = self.version;
        for field in structure.fields.iter().filter(|field| field.is_inline(version)) {
            let flexible = self.is_flexible() && field.compactable;
            fields.push((field.name, self.value(field.ty, field.nullable.contains(self.version), flexible)?));
        }
        if self.is_flexible() {
            self.tagged(structure, &mut fields)?;
        }
        Ok(Tree::Struct(fields))
    }

    fn tagged(&mut self, structure: &Structure, fields: &mut Vec<(&'static str, Tree)>) -> Result<(), NotThatMessage> {
        for _ in 0..self.varint()? {
            let (tag, size) = (self.varint()?, self.varint()? as usize);
            let end = self.at + size;
            match structure.fields.iter().find(|field| field.tag_in(self.version) == Some(tag)) {
                Some(field) => {
                    let value = self.value(field.ty, field.nullable.contains(self.version), true)?;
                    fields.push((field.name, value));
                }
                None => drop(self.take(size)?),
            }
            if self.at != end {
                return Err(self.fault(format!("tagged field {tag} does not end where it says")));
            }
        }
        Ok(())
    }

    fn value(&mut self, ty: Type, nullable: bool, flexible: bool) -> Result<Tree, NotThatMessage> {
        Ok(match ty {
            Type::Bool => Tree::Bool(self.number::<1>()? != 0),
            Type::Int8 => Tree::Int(self.number::<1>()?),
            Type::Int16 => Tree::Int(self.number::<2>()?),
            Type::Uint16 => Tree::Int(self.number::<2>()? & 0xffff),
            Type::Int32 => Tree::Int(self.number::<4>()?),
            Type::Int64 => Tree::Int(self.number::<8>()?),
            Type::Float64 => Tree::Float(f64::from_bits(self.number::<8>()?.cast_unsigned())),
            Type::Uuid => Tree::Id(self.array()?),
            Type::String => self.sized(flexible, 2, nullable)?.map_or(Ok(Tree::Null), |bytes| self.text(bytes))?,
            Type::Bytes => self.sized(flexible, 4, nullable)?.map_or(Tree::Null, Tree::Bytes),
            Type::Array(of) => match self.length(flexible, 4, nullable)? {
                None => Tree::Null,
                Some(count) => {
                    let values = (0..count).map(|_| self.value(*of, false, flexible));
                    Tree::List(values.collect::<Result<_, _>>()?)
                }
            },
            Type::Structure(_) if nullable && self.number::<1>()? < 0 => Tree::Null,
            Type::Structure(structure) => self.structure(structure)?,
        })
    }

    fn is_flexible(&self) -> bool {
        self.flexible.contains(self.version)
    }

    fn sized(&mut self, flexible: bool, width: usize, nullable: bool) -> Result<Option<Vec<u8>>, NotThatMessage> {
        let length = self.length(flexible, width, nullable)?;
        length.map(|length| self.take(length).map(<[u8]>::to_vec)).transpose()
    }

    fn length(&mut self, flexible: bool, width: usize, nullable: bool) -> Result<Option<usize>, NotThatMessage> {
        let length = match (flexible, width) {
            (true, _) => i64::from(self.varint()?) - 1,
            (false, 2) => self.number::<2>()?,
            (false, _) => self.number::<4>()?,
        };
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if nullable && length == -1 => Ok(None),
            Err(_) => Err(self.fault(format!("length {length}"))),
        }
    }

    fn text(&self, bytes: Vec<u8>) -> Result<Tree, NotThatMessage> {
        String::from_utf8(bytes).map(Tree::Text).map_err(|_| self.fault("not UTF-8".to_owned()))
    }

    fn varint(&mut self) -> Result<u32, NotThatMessage> {
        let mut value = 0;
        for group in 0..5 {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.fault("a varint of more than five bytes".to_owned()))
    }

    /// A signed number of `N` bytes.
    fn number<const N: usize>(&mut self) -> Result<i64, NotThatMessage> {
        let bytes: [u8; N] = self.array()?;
        let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
        Ok(bytes.iter().fold(sign, |value, byte| (value << 8) | i64::from(*byte)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotThatMessage> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], NotThatMessage> {
        let Some(taken) = self.bytes[self.at..].get(..length) else {
            return Err(self.fault(format!("{length} bytes are needed, {} are left", self.bytes.len() - self.at)));
        };
        self.at += length;
        Ok(taken)
    }

    fn fault(&self, what: String) -> NotThatMessage {
        NotThatMessage { at: self.at, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater::wire::Message;
    use highwater::wire::messages::MetadataRequest;
    use highwater::wire::messages::metadata::MetadataRequestTopic;

    #[test]
    fn reads_what_the_codec_writes() {
        let topic = MetadataRequestTopic { name: Some("t".to_owned()), ..MetadataRequestTopic::default() };
        let request = MetadataRequest { topics: Some(vec![topic]), ..MetadataRequest::default() };
        for version in MetadataRequest::VERSIONS.iter() {
            let bytes = request.to_bytes(version).unwrap();
            let tree = read(MetadataRequest::SCHEMA, version, &bytes).unwrap();
            let Some(Tree::List(topics)) = tree.field("topics") else { panic!("{tree:?}") };
            assert_eq!(topics[0].field("name"), Some(&Tree::Text("t".to_owned())));
            assert_eq!(tree.field("allow_auto_topic_creation").is_some(), version >= 4);
            assert!(read(MetadataRequest::SCHEMA, version, &bytes[..bytes.len() - 1]).is_err());
        }
    }

    #[test]
    fn numbers_keep_their_sign() {
        let mut reader = Reader { bytes: &[0xff, 0xfe, 0x7f, 0xff], at: 0, version: 0, flexible: Versions::NONE };
        assert_eq!(reader.number::<2>(), Ok(-2));
        assert_eq!(reader.number::<2>(), Ok(32767));
        assert!(reader.number::<1>().is_err());
    }
}
