//! Zigzag varints: small numbers of either sign in few bytes. Records use them; compact protocol types do not.

use super::RecordError;
use bytes::{Buf, BufMut, Bytes};

pub(super) fn put(out: &mut impl BufMut, value: i64) {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    while rest >= 0x80 {
        out.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

/// A 64-bit number, in at most ten bytes.
pub(super) fn take_long(from: &mut Bytes) -> Result<i64, RecordError> {
    let mut value = 0u64;
    for index in 0..10 {
        let byte = from.try_get_u8().map_err(|_| RecordError::Record("it ends within a number"))?;
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            break;
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    Err(RecordError::Record("a number has too many bytes"))
}

/// A 32-bit number.
pub(super) fn take(from: &mut Bytes) -> Result<i32, RecordError> {
    i32::try_from(take_long(from)?).map_err(|_| RecordError::Record("a number is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, value);
        out
    }

    #[test]
    fn known_numbers() {
        assert_eq!(encoded(0), [0]);
        assert_eq!(encoded(-1), [1]);
        assert_eq!(encoded(1), [2]);
        assert_eq!(encoded(63), [126]);
        assert_eq!(encoded(-65), [0x81, 0x01]);
        assert_eq!(encoded(i64::from(i32::MAX)), [0xfe, 0xff, 0xff, 0xff, 0x0f]);
        for value in [i64::MIN, i64::MAX, -64, 64, 8191, 1 << 40] {
            assert_eq!(take_long(&mut encoded(value).into()), Ok(value));
        }
    }

    #[test]
    fn numbers_that_never_end_are_errors() {
        assert!(take_long(&mut vec![0xff; 11].into()).is_err());
        assert!(take_long(&mut vec![0x80, 0x80].into()).is_err());
        assert!(take_long(&mut Bytes::new()).is_err());
        assert!(take(&mut encoded(1 << 40).into()).is_err());
        let eleventh_bit: Vec<_> = [0xff; 9].into_iter().chain([0x02]).collect();
        assert!(take_long(&mut eleventh_bit.into()).is_err(), "more than 64 bits");
    }
}
