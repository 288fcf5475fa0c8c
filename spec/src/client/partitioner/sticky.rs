//! Records without a key, from 2.4 to 3.2: one batch to a partition, the next to another.
//!
//! Source: KIP-480; Kafka's `StickyPartitionCache` of those releases.

use super::Partitions;

/// Where records without a key go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sticky {
    current: Option<i32>,
}

impl Sticky {
    /// `client.partitioner.sticky`: the partition in use. If there is none, `draw` chooses.
    pub fn partition(&mut self, partitions: &Partitions<'_>, draw: u32) -> i32 {
        *self.current.get_or_insert_with(|| partitions.at(draw))
    }

    /// A new batch begins because of a record for `partition`: if that is the one in use, `draw` chooses another, as far
    /// as there is one.
    pub fn batch_begins(&mut self, partition: i32, partitions: &Partitions<'_>, draw: u32) {
        if self.current != Some(partition) {
            return;
        }
        let others: Vec<_> = partitions.available.iter().copied().filter(|other| *other != partition).collect();
        self.current = Some(match (partitions.available, others.as_slice()) {
            ([], _) => partitions.at(draw),
            (_, []) => partition,
            (_, others) => Partitions { available: others, ..*partitions }.at(draw),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Verifies: client.partitioner.sticky
    #[test]
    fn a_partition_is_kept_until_a_batch_begins() {
        let three = Partitions { count: 3, available: &[0, 1, 2] };
        let mut sticky = Sticky::default();
        assert_eq!([0, 1, 2].map(|draw| sticky.partition(&three, draw + 1)), [1, 1, 1]);
        sticky.batch_begins(2, &three, 0);
        assert_eq!(sticky.partition(&three, 0), 1, "the batch was another partition's");
        for draw in 0..10 {
            let before = sticky.partition(&three, 0);
            sticky.batch_begins(before, &three, draw);
            assert_ne!(sticky.partition(&three, 0), before);
        }
    }

    // Verifies: client.partitioner.sticky
    #[test]
    fn one_that_can_be_reached_is_preferred() {
        let only = Partitions { count: 3, available: &[2] };
        let mut sticky = Sticky::default();
        assert_eq!(sticky.partition(&only, 7), 2);
        sticky.batch_begins(2, &only, 7);
        assert_eq!(sticky.partition(&only, 0), 2, "there is no other");
        sticky.batch_begins(2, &Partitions { count: 3, available: &[] }, 4);
        assert_eq!(sticky.partition(&only, 0), 1, "if nobody can be reached, any");
    }
}
