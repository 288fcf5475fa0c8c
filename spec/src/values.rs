//! The values that machines exchange. Each is a type of its own, so that no offset is taken for an epoch.
//!
//! Kafka writes "none" as −1; here that is an [`Option`], and the −1 exists only in the wire codec.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl $name {
            /// The next one. Saturates: no input may make a machine panic.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }
    };
}

number!(
    /// A position in a log, counted in records. Whether a bound includes it is said wherever one is named.
    Offset(i64), ""
);
number!(
    /// How often a partition's leadership has been assigned. Stamped on every batch (KIP-101).
    LeaderEpoch(i32), "e"
);
number!(
    /// How often a partition's registration has changed at the controller (KIP-497).
    PartitionEpoch(i32), "p"
);
number!(
    /// One registration of a broker: the offset of its registration in the metadata log (KIP-631).
    BrokerEpoch(i64), "r"
);
number!(
    /// A broker's `node.id`.
    BrokerId(i32), "b"
);
number!(
    /// A producer's identity, which the cluster gives out once (KIP-98).
    ProducerId(i64), "pid"
);
number!(
    /// How often a producer has begun anew under its id.
    ProducerEpoch(i16), "pe"
);
number!(
    /// A time that a record claims, in milliseconds since 1970; −1 for none. Machines hand it on and never compare it.
    Timestamp(i64), "ms"
);
number!(
    /// An opaque slot that a shell allots to something that waits for an answer.
    Ticket(u32), "t"
);

impl Offset {
    /// The offset `count` records further. Saturates: no input may make a machine panic.
    #[must_use]
    pub fn plus(self, count: u32) -> Self {
        Self(self.0.saturating_add(i64::from(count)))
    }
}

/// A topic's identity, which a topic of the same name made later does not share (KIP-516).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub [u8; 16]);

/// One process of a broker, from start to end; chosen at random by the shell (KIP-631).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncarnationId(pub [u8; 16]);

/// One partition of one topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicId,
    /// The partition's number within it, from 0.
    pub index: i32,
}

/// A set of brokers, in the order of their ids.
///
/// Partitions rarely have more than four replicas; so many are kept in place.
#[derive(Clone)]
pub struct Brokers(Members);

#[derive(Clone)]
enum Members {
    Few { count: u8, ids: [BrokerId; 4] },
    Many(Vec<BrokerId>),
}

impl Brokers {
    /// The set of one.
    #[must_use]
    pub fn only(broker: BrokerId) -> Self {
        let ids = [broker, BrokerId(0), BrokerId(0), BrokerId(0)];
        Self(Members::Few { count: 1, ids })
    }

    fn members(&self) -> &[BrokerId] {
        match &self.0 {
            Members::Few { count, ids } => &ids[..usize::from(*count)],
            Members::Many(ids) => ids,
        }
    }

    /// Whether `broker` is a member.
    #[must_use]
    pub fn contains(&self, broker: BrokerId) -> bool {
        self.members().contains(&broker)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    /// The members, by id.
    pub fn iter(&self) -> impl Iterator<Item = BrokerId> + '_ {
        self.members().iter().copied()
    }

    /// This set and `broker`.
    #[must_use]
    pub fn with(&self, broker: BrokerId) -> Self {
        self.iter().chain([broker]).collect()
    }

    /// This set without `broker`.
    #[must_use]
    pub fn without(&self, broker: BrokerId) -> Self {
        self.iter().filter(|member| *member != broker).collect()
    }

    /// The members of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// The members of this set that `other` lacks.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.iter().filter(|member| !other.contains(*member)).collect()
    }

    /// Whether every member belongs to `other` too.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|member| other.contains(member))
    }

    fn insert(&mut self, broker: BrokerId) {
        let Err(place) = self.members().binary_search(&broker) else { return };
        match &mut self.0 {
            Members::Few { count, ids } if usize::from(*count) < ids.len() => {
                ids.copy_within(place..usize::from(*count), place + 1);
                ids[place] = broker;
                *count += 1;
            }
            Members::Few { ids, .. } => {
                let mut all = ids.to_vec();
                all.insert(place, broker);
                self.0 = Members::Many(all);
            }
            Members::Many(ids) => ids.insert(place, broker),
        }
    }
}

impl Default for Brokers {
    fn default() -> Self {
        Self(Members::Few { count: 0, ids: [BrokerId(0); 4] })
    }
}

// Two sets are equal if their members are, however they are kept.
impl PartialEq for Brokers {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

impl Eq for Brokers {}

impl PartialOrd for Brokers {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Brokers {
    fn cmp(&self, other: &Self) -> Ordering {
        self.members().cmp(other.members())
    }
}

impl Hash for Brokers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.members().hash(state);
    }
}

impl fmt::Debug for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromIterator<BrokerId> for Brokers {
    fn from_iter<I: IntoIterator<Item = BrokerId>>(members: I) -> Self {
        let mut set = Self::default();
        members.into_iter().for_each(|member| set.insert(member));
        set
    }
}

impl fmt::Display for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<_> = self.iter().map(|member| member.to_string()).collect();
        write!(f, "{{{}}}", members.join(","))
    }
}
