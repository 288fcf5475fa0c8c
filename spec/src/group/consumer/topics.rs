//! The topics that there are, as far as groups depend on them.
//!
//! Not here: racks. Source: Kafka's `ModernGroup.computeMetadataHash`.

use crate::group::TopicName;
use crate::values::TopicId;
use std::collections::{BTreeMap, BTreeSet};

/// The topics that there are, by name.
pub type KnownTopics = BTreeMap<TopicName, KnownTopic>;

/// One topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownTopic {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: u32,
}

/// What the topics are like that a group reads, as a number to compare. 0 is for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetadataHash(pub i64);

impl MetadataHash {
    /// Of those of `topics` that there are. FNV-1a, where Kafka takes XXH3: where one takes over from the other, each
    /// group shares out its partitions once more.
    pub(super) fn of(topics: &BTreeSet<&TopicName>, known: &KnownTopics) -> Self {
        const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        let found: Vec<_> = topics.iter().filter_map(|name| known.get_key_value(*name)).collect();
        if found.is_empty() {
            return Self::default();
        }
        let hash = found.into_iter().fold(BASIS, |hash, (name, topic)| {
            let hash = folded(hash, &topic.id.0);
            let hash = folded(hash, name.0.as_bytes());
            // No name has this byte, so that where it ends counts as well.
            folded(folded(hash, &[0xff]), &topic.partitions.to_be_bytes())
        });
        Self(hash.cast_signed())
    }
}

fn folded(hash: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}
