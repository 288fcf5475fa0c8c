//! How much may happen to a producer.

use crate::bounds::bounds;

bounds! {
    always ["records", "in-flight"];
    /// The records that its application gives.
    records, "records", 2;
    /// The batches that may be under way at once; each has one record.
    in_flight, "in-flight", 2;
    /// Flag: records have numbers.
    idempotent, "idempotent", 1;
    /// Times that a batch may be sent again. By default Kafka's producers set no limit but time.
    retries, "retries", 9;
    /// Flag: the leader alone has to have a record.
    leader_acks, "leader-acks", 0;
    /// Connections to the leader that break, with what is under way.
    breaks, "breaks", 0;
    /// Flag: what was under way on a connection that broke may be carried out later.
    delays, "delays", 0;
    /// Requests that a leader refuses because too few replicas are in sync.
    refusals, "refusals", 0;
    /// Elections: another replica leads, with what is committed and perhaps more.
    failovers, "failovers", 0;
    /// Batches that the producer gives up because they take too long.
    expiries, "expiries", 0;
}

impl Bounds {
    fn validated(self) -> Result<Self, String> {
        match (self.records, self.in_flight) {
            (1..=6, 1..=5) => Ok(self),
            _ => Err("a producer is given 1 to 6 records, and has 1 to 5 batches under way".into()),
        }
    }
}
