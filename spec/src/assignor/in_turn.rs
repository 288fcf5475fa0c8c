//! The round robin assignor.
//!
//! Rules: `assignor.round-robin`. Source: Kafka's `RoundRobinAssignor`.

use super::{Assignment, Members, Topics, all_partitions, give, in_order};

/// `assignor.round-robin`: all partitions in order, to one member after the other; who does not subscribe to the topic
/// is passed over.
pub(super) fn assign(members: &Members, topics: &Topics, assignment: &mut Assignment) {
    let ordered = in_order(members);
    let mut turn = 0;
    for partition in all_partitions(members, topics) {
        let from_turn = (0..ordered.len()).map(|step| (turn + step) % ordered.len());
        let next = from_turn.into_iter().find(|place| ordered[*place].1.topics.contains(&partition.topic));
        let Some(place) = next else { continue };
        give(assignment, ordered[place].0, partition);
        turn = (place + 1) % ordered.len();
    }
}
