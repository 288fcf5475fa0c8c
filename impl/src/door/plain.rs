//! What passes a door, in words: records' values instead of their bytes, and no time.

use crate::carrier::{Durable, Net, Timestamp};
use crate::records::{records, split};
use bytes::Bytes;
use highwater_spec::machine::{Carrier, Recast};
use std::time::Instant;

/// More than the records of a batch take that anyone wants to read.
const MOST: usize = 1 << 20;

/// A carrier for comparing and telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plain {}

impl Carrier for Plain {
    /// The values of a batch's records, or what a client lets a coordinator keep.
    type Bytes = Vec<String>;
    type Stamp = ();
}

impl Recast<Net> for Plain {
    fn bytes(from: &Bytes) -> Vec<String> {
        values(from).unwrap_or_else(|error| vec![format!("no batch: {error}")])
    }

    fn stamp(_: Instant) {}
}

impl Recast<Durable> for Plain {
    fn bytes(from: &Bytes) -> Vec<String> {
        vec![from.escape_ascii().to_string()]
    }

    fn stamp(_: Timestamp) {}
}

fn values(bytes: &Bytes) -> Result<Vec<String>, crate::records::RecordError> {
    let mut values = Vec::new();
    for batch in split(bytes.clone()) {
        let (_, batch) = batch?;
        for record in records(&batch, MOST)? {
            values.push(String::from_utf8_lossy(&record?.value.unwrap_or_default()).into_owned());
        }
    }
    Ok(values)
}
