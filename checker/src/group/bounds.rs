//! How much may happen to a group.

use crate::bounds::bounds;

bounds! {
    always ["members", "partitions"];
    /// The consumers.
    members, "members", 2;
    /// The partitions of the one topic that they read.
    partitions, "partitions", 2;
    /// The records of each partition.
    records, "records", 1;
    /// Flag: consumers keep what they own while the group rebalances.
    cooperative, "cooperative", 0;
    /// Flag: consumers are static members.
    fixed, "static", 0;
    /// Flag: consumers are static members, and all have one instance id.
    same_instance, "same-instance", 0;
    /// Flag: consumers do not commit by themselves, and their applications do not either.
    uncommitted, "uncommitted", 0;
    /// Flag: applications ask for more before they have processed what they have.
    hasty, "hasty", 0;
    /// Consumers that crash; each can start again.
    crashes, "crashes", 0;
    /// Consumers that are closed.
    closes, "closes", 0;
    /// Sessions that end though the consumer lives.
    expiries, "expiries", 0;
    /// Consumers that are not polled for too long.
    slow_polls, "slow-polls", 0;
    /// Connections to the coordinator that break, with all that is under way on them.
    breaks, "breaks", 0;
    /// Requests that reach the coordinator when the connection that carried them is gone already, and perhaps after what
    /// was asked on the next one.
    late_requests, "late-requests", 0;
    /// Moves of the coordinator.
    moves, "moves", 0;
    /// Times that the coordinator's broker loses its leadership and has it again at once; of the two it learns in any
    /// order.
    returns, "returns", 0;
    /// Times that the coordinator's broker hears once more of the leadership that it has acted on, because something else
    /// has changed.
    repeats, "repeats", 0;
    /// Times that a rebalance waits for no longer.
    impatience, "impatience", 0;
    /// Times that a consumer commits by itself between polls' rebalances.
    commits, "commits", 0;
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
            _ if self.by_arrival == 1 && self.fixed == 1 => {
                Err("static members are told apart by their names: by-arrival goes with static=0 only".into())
            }
            (1..=4, 1..=4) => Ok(self),
            _ => Err("a group has 1 to 4 members and 1 to 4 partitions".into()),
        }
    }
}
