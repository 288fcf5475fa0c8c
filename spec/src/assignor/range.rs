//! The range assignor.
//!
//! Rules: `assignor.range`. Source: Kafka's `RangeAssignor`.

use super::{Assignment, Members, Topics, give, in_order, partitions_of};

/// `assignor.range`: of each topic by itself every subscriber gets a range of neighbours, the first ones one more if it
/// does not come out even. Topics with as many partitions are cut alike, so partitions of one number meet.
pub(super) fn assign(members: &Members, topics: &Topics, assignment: &mut Assignment) {
    let ordered = in_order(members);
    for (topic, count) in topics {
        let subscribers: Vec<_> = ordered.iter().filter(|(_, member)| member.topics.contains(topic)).collect();
        let Some(each) = (*count as usize).checked_div(subscribers.len()) else { continue };
        let one_more = *count as usize % subscribers.len();
        let mut partitions = partitions_of(topic, *count);
        for (place, (id, _)) in subscribers.into_iter().enumerate() {
            let range = each + usize::from(place < one_more);
            partitions.by_ref().take(range).for_each(|partition| give(assignment, id, partition));
        }
    }
}
