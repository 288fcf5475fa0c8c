//! Partitioners: which partition a client sends a record to. No broker chooses one, and none hands a record on.
//!
//! Pure functions of the record, of what the client knows of the topic, and of a number that the program around it has
//! drawn at random.
//!
//! Not here: batches. Rules: `client.partitioner.*`. Source: KIP-480, KIP-794; Kafka's `KafkaProducer.partition`.

mod hash;
mod sticky;
mod uniform;

pub use hash::{murmur2, partition_for_key};
pub use sticky::Sticky;
pub use uniform::Uniform;

/// The partitions of a topic, as a client knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitions<'a> {
    /// How many there are: their numbers are 0 to `count` (exclusive).
    pub count: u32,
    /// Those whose leader is known, in order.
    pub available: &'a [i32],
}

impl Partitions<'_> {
    /// One of those that can be reached, or of all if none can: the `index`th, modulo how many those are.
    #[must_use]
    pub fn at(&self, index: u32) -> i32 {
        let remainder = |count: usize| usize::try_from(index).unwrap_or_default().checked_rem(count);
        match remainder(self.available.len()).and_then(|index| self.available.get(index)) {
            Some(partition) => *partition,
            None => i32::try_from(index % self.count.max(1)).unwrap_or(0),
        }
    }

    /// Whether there is such a partition.
    #[must_use]
    pub fn contains(&self, partition: i32) -> bool {
        u32::try_from(partition).is_ok_and(|partition| partition < self.count)
    }
}

/// What is known of a record before it has a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addressed<'a> {
    /// The partition that the application asks for.
    pub partition: Option<i32>,
    /// Its key. An empty one is a key.
    pub key: Option<&'a [u8]>,
}

/// How a client chooses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Partitioner {
    /// By key, and without one as bytes go. What Kafka's producers do unless they are told otherwise, since 3.3.
    Uniform(Uniform),
    /// By key, and without one batch by batch. What they did from 2.4 on.
    Sticky(Sticky),
    /// In turn, whatever the key (`RoundRobinPartitioner`); the number is whose turn is next.
    RoundRobin(u32),
}

impl Default for Partitioner {
    fn default() -> Self {
        Self::Uniform(Uniform::default())
    }
}

impl Partitioner {
    /// The partition of a record; `None` if the application asks for one that the topic doesn't have, which is
    /// UNKNOWN_TOPIC_OR_PARTITION. `draw` is used where chance decides.
    pub fn choose(&mut self, record: &Addressed<'_>, partitions: &Partitions<'_>, draw: u32) -> Option<i32> {
        // `client.partitioner.explicit`: who asks for a partition gets that one, whatever the key.
        if let Some(asked) = record.partition {
            return partitions.contains(asked).then_some(asked);
        }
        Some(match (self, record.key) {
            (Self::Uniform(_) | Self::Sticky(_), Some(key)) => partition_for_key(key, partitions.count),
            (Self::Uniform(uniform), None) => uniform.partition(partitions, draw),
            (Self::Sticky(sticky), None) => sticky.partition(partitions, draw),
            // `client.partitioner.round-robin`: one after the other of those that can be reached, record by record.
            (Self::RoundRobin(turn), _) => {
                let chosen = partitions.at(*turn);
                *turn = turn.wrapping_add(1) & 0x7fff_ffff;
                chosen
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Partitions<'_> = Partitions { count: 3, available: &[0, 1, 2] };

    fn every() -> [Partitioner; 3] {
        [Partitioner::default(), Partitioner::Sticky(Sticky::default()), Partitioner::RoundRobin(0)]
    }

    // Verifies: client.partitioner.explicit
    #[test]
    fn who_asks_for_a_partition_gets_it() {
        for mut partitioner in every() {
            let mut asked = |partition| {
                partitioner.choose(&Addressed { partition: Some(partition), key: Some(b"foobar") }, &THREE, 1)
            };
            assert_eq!([-1, 0, 1, 2, 3, i32::MIN].map(&mut asked), [None, Some(0), Some(1), Some(2), None, None]);
        }
    }

    // Verifies: client.partitioner.key
    #[test]
    fn a_key_chooses_among_all_partitions_and_chance_has_no_part_in_it() {
        let reachable = Partitions { count: 3, available: &[0] };
        let [mut uniform, mut sticky, _] = every();
        for draw in 0..4 {
            // The first three go to partition 0 of 3, the last one to partition 2.
            for key in [&b""[..], b"21", b"foobar", b"a-little-bit-long-string"] {
                let record = Addressed { partition: None, key: Some(key) };
                let expected = Some(partition_for_key(key, 3));
                assert_eq!(uniform.choose(&record, &reachable, draw), expected);
                assert_eq!(sticky.choose(&record, &THREE, draw), expected);
            }
        }
    }

    // Verifies: client.partitioner.round-robin
    #[test]
    fn in_turn_means_record_by_record() {
        let mut turns = Partitioner::RoundRobin(0);
        let mut next = |key, available: &[i32]| {
            turns.choose(&Addressed { partition: None, key }, &Partitions { count: 3, available }, 9)
        };
        let all = [0, 1, 2];
        assert_eq!(
            [next(None, &all), next(Some(b"k"), &all), next(None, &all), next(None, &all)],
            [0, 1, 2, 0].map(Some)
        );
        assert_eq!([next(None, &[0, 2]), next(None, &[0, 2]), next(None, &[0, 2])], [0, 2, 0].map(Some));
        assert_eq!(next(None, &[]), Some(1), "if none can be reached, all are in turn");
    }
}
