//! Puts values at the end of a growing buffer.

use super::error::{EncodeError, Unfit};
use bytes::{BufMut, Bytes, BytesMut};

/// A growing buffer.
#[derive(Debug, Default)]
pub struct Writer(BytesMut);

impl Writer {
    /// What has been written.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0.freeze()
    }

    /// How many bytes have been written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes `bytes` as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }

    /// Writes a number in groups of 7 bits, the lowest first.
    pub fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.0.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.put_u8(value as u8);
    }

    /// Writes a length as a varint that is greater by one; 0 is null.
    pub(super) fn compact_length(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        let stated = length.map_or(Ok(0), |length| int32(length).map(|length| length.unsigned_abs() + 1))?;
        self.unsigned_varint(stated);
        Ok(())
    }

    /// Writes a length in four bytes; −1 is null.
    pub(super) fn length(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        let stated = length.map_or(Ok(-1), int32)?;
        self.0.put_i32(stated);
        Ok(())
    }

    /// Writes tagged fields, by rising tag (KIP-482).
    pub(super) fn tagged_fields(&mut self, mut fields: Vec<(u32, Self)>) -> Result<(), EncodeError> {
        fields.sort_by_key(|(tag, _)| *tag);
        self.unsigned_varint(fields.len() as u32);
        for (tag, field) in fields {
            self.unsigned_varint(tag);
            self.unsigned_varint(int32(field.len())?.unsigned_abs());
            self.put(&field.0);
        }
        Ok(())
    }

    /// Writes, before what `body` writes, how many bytes that is, in four bytes.
    pub(super) fn length_prefixed(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let start = self.len();
        self.0.put_i32(0);
        body(self)?;
        let length = int32(self.len() - start - 4)?;
        self.0[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

fn int32(length: usize) -> Result<i32, EncodeError> {
    i32::try_from(length).map_err(|_| Unfit::Long(length).into())
}
