//! How much may happen to a group of the consumer protocol.

use crate::bounds::bounds;

bounds! {
    always ["members", "partitions"];
    /// The consumers.
    members, "members", 2;
    /// The partitions of the one topic that they read.
    partitions, "partitions", 2;
    /// The records of each partition. Where there are none nobody reads or commits.
    records, "records", 0;
    /// Flag: applications ask for more before they have processed what they have.
    hasty, "hasty", 0;
    /// Times that a consumer gives up partitions, or leaves, before what it has done is kept.
    impatience, "impatience", 0;
    /// Consumers that crash; each can start again.
    crashes, "crashes", 0;
    /// Consumers that leave; each can start again.
    leaves, "leaves", 0;
    /// Flag: consumers are static members, and those that leave will be back.
    fixed, "static", 0;
    /// Sessions that end though the consumer lives.
    expiries, "expiries", 0;
    /// Times that a consumer takes too long to give up partitions.
    slow, "slow", 0;
    /// Requests or answers that are lost.
    breaks, "breaks", 0;
    /// Requests that reach the coordinator when the connection that carried them is gone already, and perhaps after what
    /// was asked on the next one.
    late_requests, "late-requests", 0;
    /// Moves of the coordinator.
    moves, "moves", 0;
    /// Partitions that the topic gets meanwhile.
    grows, "grows", 0;
    /// Flag: what the coordinator writes is committed some time after.
    late_commits, "late-commits", 0;
    /// Flag: members' ids are in the order in which they arrive, so that processes are interchangeable, and states that
    /// differ only in which is which are one. Kafka's ids are random: of all the orders that they may have this is one,
    /// in which whoever comes last sorts last.
    by_arrival, "by-arrival", 0;
    /// Flag: with by-arrival, states that differ only in which process is which are kept apart.
    raw, "raw", 0;
}

impl Bounds {
    /// Whether states that differ only in which process is which are one.
    pub(super) fn is_symmetric(&self) -> bool {
        self.by_arrival == 1 && self.raw == 0
    }

    fn validated(self) -> Result<Self, String> {
        match (self.members, self.partitions) {
            _ if self.by_arrival == 1 && self.late_requests > 0 => {
                Err("a late request has the name that it was sent under: by-arrival goes with late-requests=0 only"
                    .into())
            }
            _ if self.by_arrival == 1 && self.fixed == 1 => {
                Err("static members are told apart by their names: by-arrival goes with static=0 only".into())
            }
            (1..=4, 1..=4) => Ok(self),
            _ => Err("a group has 1 to 4 members and 1 to 4 partitions".into()),
        }
    }
}
