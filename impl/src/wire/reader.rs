//! Takes values off the front of some bytes, and never more than there are.

use super::error::{DecodeError, Fault};
use bytes::Bytes;

/// Bytes, and how many of them have been read.
///
/// An array of *n* elements claims the least number of bytes that *n* elements can have before room is made for them,
/// and each element gives its share back when its turn comes. So bytes count once, however deep arrays are nested:
/// what decoding allocates is in proportion to the bytes that are there.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
    end: usize,
    /// How many of the remaining bytes the elements that are still to come need at least.
    claimed: usize,
}

/// A varint has 7 bits in each byte, so that 32 bits take at most 5 bytes.
const VARINT_BYTES: u32 = 5;

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start.
    #[must_use]
    pub fn new(bytes: &'a Bytes) -> Self {
        Self { bytes, at: 0, end: bytes.len(), claimed: 0 }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// How many bytes may be read before those that later elements need.
    fn available(&self) -> usize {
        self.end - self.at - self.claimed
    }

    /// An error at this position.
    pub(super) fn error(&self, fault: Fault) -> DecodeError {
        DecodeError::new(self.at, fault)
    }

    /// # Errors
    /// [`Fault::Short`] if `needed` bytes are not available.
    fn require(&self, needed: usize) -> Result<(), DecodeError> {
        let left = self.available();
        if needed > left { Err(self.error(Fault::Short { needed, left })) } else { Ok(()) }
    }

    fn advance(&mut self, length: usize) -> Result<std::ops::Range<usize>, DecodeError> {
        self.require(length)?;
        let start = self.at;
        self.at += length;
        Ok(start..self.at)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        let range = self.advance(N)?;
        array.copy_from_slice(&self.bytes[range]);
        Ok(array)
    }

    /// The next `length` bytes, shared with what is being read.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn slice(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        let range = self.advance(length)?;
        Ok(self.bytes.slice(range))
    }

    /// The next `length` bytes as text.
    ///
    /// # Errors
    /// If there are fewer, or they are not UTF-8.
    pub fn text(&mut self, length: usize) -> Result<String, DecodeError> {
        let start = self.at;
        let range = self.advance(length)?;
        let text = std::str::from_utf8(&self.bytes[range]);
        text.map(str::to_owned).map_err(|_| DecodeError::new(start, Fault::Utf8))
    }

    /// An unsigned number in groups of 7 bits, the lowest first. Longer forms than needed are accepted, as by Kafka;
    /// more than 32 bits are not (Kafka drops the excess).
    ///
    /// # Errors
    /// If the bytes end too early or the number is too large.
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let start = self.at;
        let mut value = 0u64;
        for group in 0..VARINT_BYTES {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| DecodeError::new(start, Fault::Varint));
            }
        }
        Err(DecodeError::new(start, Fault::Varint))
    }

    /// A length as a varint that is greater by one; 0 is null.
    pub(super) fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self.unsigned_varint()?.checked_sub(1).map(|length| length as usize))
    }

    /// A length whose −1 is null. Kafka takes every negative one for null; nobody writes another.
    pub(super) fn signed_length(&self, length: i32) -> Result<Option<usize>, DecodeError> {
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(self.error(Fault::NegativeLength(length))),
        }
    }

    /// Reserves what `count` elements of at least `least` bytes each need, before room is made for them.
    pub(super) fn claim(&mut self, count: usize, least: usize) -> Result<(), DecodeError> {
        let needed = count.saturating_mul(least);
        self.require(needed)?;
        self.claimed += needed;
        Ok(())
    }

    /// Gives back what one element claimed, so that it can be read.
    pub(super) fn release(&mut self, least: usize) {
        self.claimed -= least;
    }

    /// Reads the tagged fields at the end of a flexible structure (KIP-482). `known` reads a field by its tag, and
    /// says whether it knows that tag; an unknown field is skipped.
    ///
    /// As in Kafka, tags may come in any order and of equal ones the last wins. Unlike Kafka, a known field has to
    /// fill its size exactly.
    pub(super) fn tagged_fields(
        &mut self,
        mut known: impl FnMut(&mut Reader<'_>, u32) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let size = self.unsigned_varint()? as usize;
            let start = self.at;
            let range = self.advance(size)?;
            let mut field = Reader { bytes: self.bytes, at: start, end: range.end, claimed: 0 };
            if known(&mut field, tag)? {
                field.finish()?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`Fault::Trailing`] if bytes are left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.end - self.at {
            0 => Ok(()),
            left => Err(self.error(Fault::Trailing(left))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &'static [u8]) -> Result<u32, Fault> {
        let bytes = Bytes::from_static(bytes);
        Reader::new(&bytes).unsigned_varint().map_err(|error| error.fault)
    }

    #[test]
    fn varints_have_32_bits() {
        assert_eq!(varint(&[0]), Ok(0));
        assert_eq!(varint(&[0xac, 0x02]), Ok(300));
        assert_eq!(varint(&[0x80, 0x00]), Ok(0));
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(Fault::Varint));
        assert_eq!(varint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Err(Fault::Varint));
        assert_eq!(varint(&[0x80]), Err(Fault::Short { needed: 1, left: 0 }));
    }

    #[test]
    fn claimed_bytes_are_not_available() {
        let bytes = Bytes::from_static(&[1, 2, 3, 4]);
        let mut reader = Reader::new(&bytes);
        reader.claim(2, 2).unwrap();
        assert_eq!(reader.array::<1>().unwrap_err().fault, Fault::Short { needed: 1, left: 0 });
        reader.release(2);
        assert_eq!(reader.array().unwrap(), [1, 2]);
        assert_eq!(reader.array::<1>().unwrap_err().fault, Fault::Short { needed: 1, left: 0 });
        reader.release(2);
        assert_eq!(reader.claim(usize::MAX, 2).unwrap_err().fault, Fault::Short { needed: usize::MAX, left: 2 });
        assert_eq!(reader.array().unwrap(), [3, 4]);
        reader.finish().unwrap();
    }
}
