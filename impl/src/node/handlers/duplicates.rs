//! Requests that name a partition more than once: what is said last holds, as in Kafka, where requests are read into
//! maps. A topic without partitions is not heard of.

use crate::wire::Uuid;
use crate::wire::messages::fetch::{FetchPartition, FetchTopic};
use crate::wire::messages::produce::{PartitionProduceData, TopicProduceData};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a request says of one topic.
pub trait OfTopic {
    /// What it says of one partition.
    type OfPartition;

    /// The topic's name or id; the version of the request writes one.
    fn topic(&self) -> (String, Uuid);

    /// What it says of each partition.
    fn partitions(&mut self) -> &mut Vec<Self::OfPartition>;

    /// Which partition.
    fn index(partition: &Self::OfPartition) -> i32;
}

/// Every topic once, and every partition of it once, in the order in which they are named first.
pub fn last_of_each<T: OfTopic>(topics: Vec<T>) -> Vec<T> {
    let mut places = BTreeMap::new();
    let mut merged: Vec<T> = Vec::with_capacity(topics.len());
    for mut topic in topics {
        match places.entry(topic.topic()) {
            Entry::Vacant(entry) => {
                entry.insert(merged.len());
                merged.push(topic);
            }
            Entry::Occupied(entry) => merged[*entry.get()].partitions().append(topic.partitions()),
        }
    }
    merged.iter_mut().for_each(keep_last);
    merged.retain_mut(|topic| !topic.partitions().is_empty());
    merged
}

fn keep_last<T: OfTopic>(topic: &mut T) {
    let mut places = BTreeMap::new();
    let mut kept = Vec::with_capacity(topic.partitions().len());
    for partition in topic.partitions().drain(..) {
        match places.entry(T::index(&partition)) {
            Entry::Vacant(entry) => {
                entry.insert(kept.len());
                kept.push(partition);
            }
            Entry::Occupied(entry) => kept[*entry.get()] = partition,
        }
    }
    *topic.partitions() = kept;
}

impl OfTopic for FetchTopic {
    type OfPartition = FetchPartition;

    fn topic(&self) -> (String, Uuid) {
        (self.topic.clone(), self.topic_id)
    }

    fn partitions(&mut self) -> &mut Vec<FetchPartition> {
        &mut self.partitions
    }

    fn index(partition: &FetchPartition) -> i32 {
        partition.partition
    }
}

impl OfTopic for TopicProduceData {
    type OfPartition = PartitionProduceData;

    fn topic(&self) -> (String, Uuid) {
        (self.name.clone(), self.topic_id)
    }

    fn partitions(&mut self) -> &mut Vec<PartitionProduceData> {
        &mut self.partition_data
    }

    fn index(partition: &PartitionProduceData) -> i32 {
        partition.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, partitions: &[(i32, i64)]) -> FetchTopic {
        let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
            partition: *partition,
            fetch_offset: *fetch_offset,
            ..Default::default()
        };
        FetchTopic {
            topic: name.to_owned(),
            partitions: partitions.iter().map(partition).collect(),
            ..Default::default()
        }
    }

    fn merged(topics: Vec<FetchTopic>) -> Vec<(String, Vec<(i32, i64)>)> {
        let of = |topic: FetchTopic| {
            let partitions = topic.partitions.iter().map(|partition| (partition.partition, partition.fetch_offset));
            (topic.topic, partitions.collect())
        };
        last_of_each(topics).into_iter().map(of).collect()
    }

    #[test]
    fn what_is_said_last_stands_where_it_was_said_first() {
        let one = merged(vec![topic("a", &[(1, 10), (0, 20), (1, 30)])]);
        assert_eq!(one, [("a".to_owned(), vec![(1, 30), (0, 20)])]);
        let two = merged(vec![topic("a", &[(0, 1)]), topic("b", &[(0, 2)]), topic("a", &[(0, 3), (1, 4)])]);
        assert_eq!(two, [("a".to_owned(), vec![(0, 3), (1, 4)]), ("b".to_owned(), vec![(0, 2)])]);
    }

    #[test]
    fn a_topic_without_partitions_is_not_heard_of() {
        assert_eq!(merged(vec![topic("a", &[]), topic("b", &[(0, 2)])]), [("b".to_owned(), vec![(0, 2)])]);
    }
}
