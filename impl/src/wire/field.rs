//! How each type of field is read and written.

use super::error::{DecodeError, EncodeError, Fault, Unfit};
use super::reader::Reader;
use super::schema::Type;
use super::uuid::Uuid;
use super::writer::Writer;
use bytes::Bytes;

/// What decides how a field is laid out, beside its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The message's version.
    pub version: i16,
    /// Whether lengths are compact and structures end in tagged fields (KIP-482).
    pub flexible: bool,
    /// Whether null is allowed here.
    pub nullable: bool,
}

impl Layout {
    /// The layout of what is inside: elements of an array and fields of a structure.
    fn inside(self) -> Self {
        Self { nullable: false, ..self }
    }
}

/// A type of field.
pub trait Field: Sized {
    /// The type, as data.
    const TYPE: Type;
    /// Whether it has a null.
    const OPTIONAL: bool = false;

    /// The value where a table gives no default: zero, false, empty.
    fn natural() -> Self;

    /// # Errors
    /// If the bytes are no such value.
    fn read(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, DecodeError>;

    /// # Errors
    /// If the layout cannot express the value.
    fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError>;
}

/// A type of field that can be null.
pub trait Nullable: Field {
    /// Reads a value or null.
    ///
    /// # Errors
    /// If the bytes are neither.
    fn read_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, DecodeError>;

    /// Writes a value or null.
    ///
    /// # Errors
    /// If the layout cannot express the value.
    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError>;
}

impl<T: Nullable> Field for Option<T> {
    const TYPE: Type = T::TYPE;
    const OPTIONAL: bool = true;

    fn natural() -> Self {
        Some(T::natural())
    }

    fn read(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, DecodeError> {
        if layout.nullable { T::read_nullable(reader, layout.inside()) } else { T::read(reader, layout).map(Some) }
    }

    fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        match self {
            value if layout.nullable => T::write_nullable(value.as_ref(), writer, layout.inside()),
            Some(value) => value.write(writer, layout),
            None => Err(Unfit::Null.into()),
        }
    }
}

macro_rules! numbers {
    ($($number:ident is $ty:ident),* $(,)?) => { $(
        impl Field for $number {
            const TYPE: Type = Type::$ty;

            fn natural() -> Self {
                Self::default()
            }

            fn read(reader: &mut Reader<'_>, _: Layout) -> Result<Self, DecodeError> {
                reader.array().map(Self::from_be_bytes)
            }

            fn write(&self, writer: &mut Writer, _: Layout) -> Result<(), EncodeError> {
                writer.put(&self.to_be_bytes());
                Ok(())
            }
        }
    )* };
}

numbers!(i8 is Int8, i16 is Int16, u16 is Uint16, i32 is Int32, i64 is Int64, f64 is Float64);

impl Field for bool {
    const TYPE: Type = Type::Bool;

    fn natural() -> Self {
        false
    }

    fn read(reader: &mut Reader<'_>, _: Layout) -> Result<Self, DecodeError> {
        reader.array().map(|[byte]| byte != 0)
    }

    fn write(&self, writer: &mut Writer, _: Layout) -> Result<(), EncodeError> {
        writer.put(&[u8::from(*self)]);
        Ok(())
    }
}

impl Field for Uuid {
    const TYPE: Type = Type::Uuid;

    fn natural() -> Self {
        Self::ZERO
    }

    fn read(reader: &mut Reader<'_>, _: Layout) -> Result<Self, DecodeError> {
        reader.array().map(Self)
    }

    fn write(&self, writer: &mut Writer, _: Layout) -> Result<(), EncodeError> {
        writer.put(&self.0);
        Ok(())
    }
}

/// The part of [`Field`] in which all types agree that begin with a length.
macro_rules! nullable_read_and_write {
    () => {
        fn read(reader: &mut Reader<'_>, layout: Layout) -> Result<Self, DecodeError> {
            let start = reader.position();
            Self::read_nullable(reader, layout)?.ok_or_else(|| DecodeError::new(start, Fault::Null))
        }

        fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
            Self::write_nullable(Some(self), writer, layout)
        }
    };
}

/// The longest string that Kafka accepts, in bytes, even where a length has more room.
const LONGEST_STRING: usize = i16::MAX as usize;

impl Field for String {
    const TYPE: Type = Type::String;

    fn natural() -> Self {
        Self::new()
    }

    nullable_read_and_write!();
}

impl Nullable for String {
    fn read_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let length = if layout.flexible {
            reader.compact_length()?
        } else {
            let length = reader.array().map(i16::from_be_bytes)?;
            reader.signed_length(length.into())?
        };
        match length {
            Some(length) if length > LONGEST_STRING => Err(reader.error(Fault::LongString(length))),
            Some(length) => reader.text(length).map(Some),
            None => Ok(None),
        }
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        let length = match value.map(String::len) {
            Some(length) => i16::try_from(length).map_err(|_| Unfit::Long(length))?,
            None => -1,
        };
        if layout.flexible {
            writer.compact_length(value.map(String::len))?;
        } else {
            writer.put(&length.to_be_bytes());
        }
        writer.put(value.map_or(&[], |text| text.as_bytes()));
        Ok(())
    }
}

fn read_length(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<usize>, DecodeError> {
    if layout.flexible {
        reader.compact_length()
    } else {
        let length = reader.array().map(i32::from_be_bytes)?;
        reader.signed_length(length)
    }
}

fn write_length(writer: &mut Writer, length: Option<usize>, layout: Layout) -> Result<(), EncodeError> {
    if layout.flexible { writer.compact_length(length) } else { writer.length(length) }
}

impl Field for Bytes {
    const TYPE: Type = Type::Bytes;

    fn natural() -> Self {
        Self::new()
    }

    nullable_read_and_write!();
}

impl Nullable for Bytes {
    fn read_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        read_length(reader, layout)?.map(|length| reader.slice(length)).transpose()
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        write_length(writer, value.map(Self::len), layout)?;
        writer.put(value.map_or(&[], |bytes| bytes));
        Ok(())
    }
}

impl<T: Field> Field for Vec<T> {
    const TYPE: Type = Type::Array(&T::TYPE);

    fn natural() -> Self {
        Self::new()
    }

    nullable_read_and_write!();
}

impl<T: Field> Nullable for Vec<T> {
    fn read_nullable(reader: &mut Reader<'_>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let Some(count) = read_length(reader, layout)? else { return Ok(None) };
        // Elements of no bytes would make the count mean nothing; there are none.
        let least = T::TYPE.least(layout.inside()).max(1);
        reader.claim(count, least)?;
        let mut elements = Self::with_capacity(count);
        for _ in 0..count {
            reader.release(least);
            elements.push(T::read(reader, layout.inside())?);
        }
        Ok(Some(elements))
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        write_length(writer, value.map(Self::len), layout)?;
        value.into_iter().flatten().try_for_each(|element| element.write(writer, layout.inside()))
    }
}

/// Whether a nullable structure is there is said by the byte before it: 1 if so, −1 if not.
pub(super) fn read_presence(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    reader.array().map(|byte| i8::from_be_bytes(byte) >= 0)
}

/// Writes what [`read_presence`] reads.
pub(super) fn write_presence(writer: &mut Writer, present: bool) {
    writer.put(&(if present { 1i8 } else { -1 }).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSIC: Layout = Layout { version: 0, flexible: false, nullable: false };
    const FLEXIBLE: Layout = Layout { version: 0, flexible: true, nullable: false };

    fn written<T: Field>(value: &T, layout: Layout) -> Result<Bytes, Unfit> {
        let mut writer = Writer::default();
        value.write(&mut writer, layout).map_err(|error| error.unfit)?;
        Ok(writer.into_bytes())
    }

    fn read<T: Field>(bytes: &'static [u8], layout: Layout) -> Result<T, Fault> {
        let bytes = Bytes::from_static(bytes);
        T::read(&mut Reader::new(&bytes), layout).map_err(|error| error.fault)
    }

    #[test]
    fn a_string_has_at_most_32767_bytes() {
        for layout in [CLASSIC, FLEXIBLE] {
            let longest = "a".repeat(LONGEST_STRING);
            let bytes = written(&longest, layout).unwrap();
            assert_eq!(String::read(&mut Reader::new(&bytes), layout), Ok(longest));
            assert_eq!(written(&"a".repeat(LONGEST_STRING + 1), layout), Err(Unfit::Long(LONGEST_STRING + 1)));
        }
        let long = [&[0x81, 0x80, 0x02][..], &[b'a'; LONGEST_STRING + 1]].concat().into();
        let error = String::read(&mut Reader::new(&long), FLEXIBLE).unwrap_err();
        assert_eq!(error.fault, Fault::LongString(LONGEST_STRING + 1));
    }

    #[test]
    fn null_needs_a_nullable_field() {
        let nullable = |layout: Layout| Layout { nullable: true, ..layout };
        for (layout, null) in [(CLASSIC, &[0xff, 0xff, 0xff, 0xff][..]), (FLEXIBLE, &[0])] {
            assert_eq!(read::<Vec<i32>>(null, layout), Err(Fault::Null));
            assert_eq!(read::<Option<Vec<i32>>>(null, layout), Err(Fault::Null));
            assert_eq!(read::<Option<Vec<i32>>>(null, nullable(layout)), Ok(None));
            assert_eq!(written(&None::<Vec<i32>>, layout), Err(Unfit::Null));
            assert_eq!(written(&None::<Vec<i32>>, nullable(layout)).unwrap(), null);
        }
    }

    #[test]
    fn other_negative_lengths_are_refused() {
        let nullable = Layout { nullable: true, ..CLASSIC };
        assert_eq!(read::<Option<String>>(&[0xff, 0xfe], nullable), Err(Fault::NegativeLength(-2)));
        assert_eq!(read::<Option<Bytes>>(&[0x80, 0, 0, 0], nullable), Err(Fault::NegativeLength(i32::MIN)));
    }

    #[test]
    fn bytes_are_shared_with_what_they_came_in() {
        let frame = Bytes::from(vec![4, 1, 2, 3]);
        let field = Bytes::read(&mut Reader::new(&frame), FLEXIBLE).unwrap();
        assert_eq!(field, [1, 2, 3][..]);
        assert_eq!(field.as_ptr(), frame[1..].as_ptr());
    }
}
