//! Batches that stand one after another, as in a segment file or a Fetch answer.

use super::{BatchHeader, RecordError};
use bytes::Bytes;

/// Takes `bytes` apart into batches, without copying. Nothing but headers and lengths is looked at.
///
/// A batch that isn't whole, or what is no batch, ends it with an error.
#[must_use]
pub fn split(bytes: Bytes) -> Batches {
    Batches { rest: bytes }
}

/// The batches of [`split`].
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
}

impl Batches {
    fn take(&mut self) -> Result<(BatchHeader, Bytes), RecordError> {
        let header = BatchHeader::parse(&self.rest)?;
        let size = header.size();
        if size > self.rest.len() {
            return Err(RecordError::Incomplete { needed: size, present: self.rest.len() });
        }
        Ok((header, self.rest.split_to(size)))
    }
}

impl Iterator for Batches {
    type Item = Result<(BatchHeader, Bytes), RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let taken = self.take();
        if taken.is_err() {
            self.rest.clear();
        }
        Some(taken)
    }
}
