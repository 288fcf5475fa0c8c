//! What members of a consumer group say, and hear.

use super::{GroupEpoch, Share};
use crate::group::{Client, MemberId, MemberIdentity, Millis, ProtocolName, TopicName};
use std::collections::BTreeSet;
use std::sync::Arc;

/// ConsumerGroupHeartbeat. What is `None` is as the member last said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConsumerHeartbeat {
    /// Who asks.
    pub member: MemberIdentity,
    /// The id to give it if it has none, chosen by the shell; `None` from versions in which a member brings its own (1
    /// and later, KIP-1082).
    pub fresh: Option<MemberId>,
    /// Who it is.
    pub client: Client,
    /// What for.
    pub purpose: Purpose,
    /// Where it is.
    pub rack: Option<Arc<str>>,
    /// How long it may take to give up partitions.
    pub rebalance_timeout: Option<Millis>,
    /// The topics that it wants to read.
    pub topics: Option<BTreeSet<TopicName>>,
    /// A regular expression of topics that it wants to read; may be empty.
    pub regex: Option<Arc<str>>,
    /// The assignor that it votes for.
    pub assignor: Option<ProtocolName>,
    /// What it owns.
    pub owned: Option<Share>,
}

/// What a member wants of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To be in it.
    Join,
    /// To stay; with the epoch that it believes in, above 0.
    Stay(GroupEpoch),
    /// To be in it no more.
    Leave,
    /// To be away, as a static member, and back before its session ends.
    Pause,
}

/// What a member hears that is in the group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reconciled {
    /// Its id.
    pub member: MemberId,
    /// Its epoch.
    pub epoch: GroupEpoch,
    /// After what time it is to ask again.
    pub interval: Millis,
    /// What it may read, and give up anything else; `None`: as it last heard.
    pub assigned: Option<Share>,
}

/// Who asks for offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reader {
    /// A member of a consumer group; `None` for anyone else.
    pub member: Option<MemberId>,
    /// The epoch that it believes in.
    pub epoch: Option<GroupEpoch>,
}

impl ConsumerHeartbeat {
    /// Whether it says everything, as a member does that joins, or does not know what was heard of it.
    pub(super) fn is_full(&self) -> bool {
        self.rebalance_timeout.is_some() && (self.topics.is_some() || self.regex.is_some()) && self.owned.is_some()
    }
}
