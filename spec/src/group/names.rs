//! What groups, members and what they read are called.
//!
//! Kafka writes "none" as an empty string or −1; here that is an [`Option`], and those exist only in the codec.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Arc<str>);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }
    };
}

name!(
    /// A group's id ("group.id").
    GroupId
);
name!(
    /// One life of a member: chosen by the shell, never used twice.
    MemberId
);
name!(
    /// A static member, however often it starts anew ("group.instance.id", KIP-345).
    InstanceId
);
name!(
    /// What the members of a group agree on by: `consumer`, `connect`.
    ProtocolType
);
name!(
    /// One way to share out the work, which members offer and the group chooses: `range`, `cooperative-sticky`.
    ProtocolName
);
name!(
    /// A topic's name. Offsets are committed by names, so that they outlive a topic's identity.
    TopicName
);

/// How often a classic group has begun to share out its work anew. 0 is before the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub i32);

impl Generation {
    /// The next one. Saturates: no input may make a machine panic.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", self.0)
    }
}

/// A length of time. Negative ones, which a client may send, are as long as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i32);

impl Millis {
    /// What is left when `spent` has passed; never below none.
    #[must_use]
    pub fn less(self, spent: Self) -> Self {
        Self(self.0.saturating_sub(spent.0).max(0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// One partition of a topic, by the topic's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition's number within it, from 0.
    pub index: i32,
}

impl fmt::Display for NamedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.index)
    }
}

impl fmt::Debug for NamedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A client, as its connection and requests name it. Kept for those who describe the group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    /// `client.id`.
    pub id: Arc<str>,
    /// Where it connects from.
    pub host: Arc<str>,
}
