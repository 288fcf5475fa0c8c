//! How much may happen to a log that is read.

use crate::bounds::bounds;

bounds! {
    always ["records", "elections"];
    /// The records that are written.
    records, "records", 3;
    /// Elections: a replica leads that may lack some of the log.
    elections, "elections", 1;
    /// Flag: a replica of an earlier leader may lead again, with what others have cut meanwhile.
    returns, "returns", 0;
    /// Fetches that may be under way at once.
    in_flight, "in-flight", 1;
    /// Consumers that die and begin anew from what they have committed.
    restarts, "restarts", 0;
}

impl Bounds {
    fn validated(self) -> Result<Self, String> {
        match (self.records, self.elections, self.in_flight) {
            (1..=6, 0..=4, 1..=3) => Ok(self),
            _ => Err("there are 1 to 6 records, at most 4 elections, and 1 to 3 fetches under way".into()),
        }
    }
}
