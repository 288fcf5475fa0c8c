//! How much may happen to a compacted log.

use crate::bounds::bounds;

bounds! {
    always ["keys"];
    /// The keys that are written.
    keys, "keys", 1;
    /// The records that are written.
    records, "records", 2;
    /// Flag: a producer with an id writes them.
    idempotent, "idempotent", 0;
    /// Segments that end, and empty ones that begin, as after a crash that took what was in them.
    rolls, "rolls", 1;
    /// Times that a cleaner runs.
    cleanings, "cleanings", 1;
    /// Times that `delete.retention.ms` passes.
    retentions, "retentions", 0;
    /// Crashes before it is written down how far the log was cleaned.
    crashes, "crashes", 0;
    /// Copies of the log that take over.
    copies, "copies", 0;
    /// Flag: a round of cleaning has room for one key.
    crowded, "crowded", 0;
}

impl Bounds {
    fn validated(self) -> Result<Self, String> {
        if (1..=4).contains(&self.keys) { Ok(self) } else { Err("a log has 1 to 4 keys".into()) }
    }
}
