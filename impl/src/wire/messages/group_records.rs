//! What `__consumer_offsets` holds: the offsets that groups have committed, and classic groups themselves.
//!
//! Not here: what tells the kinds apart (`crate::wire::group_record`). The records of KIP-848's groups are not here yet.

use crate::wire::table::message;
use bytes::Bytes;

message! {
    /// Which partition a group has committed an offset of.
    OffsetCommitKey, versions 0-1, flexible never {
        group: String, versions 0+;
        topic: String, versions 0+;
        partition: i32, versions 0+;
    }
}

message! {
    /// The offset.
    OffsetCommitValue, versions 0-4, flexible 4+ {
        /// The next offset to read.
        offset: i64, versions 0+;
        leader_epoch: i32, versions 3+, default -1;
        metadata: String, versions 0+;
        /// Milliseconds since 1970.
        commit_timestamp: i64, versions 0+;
        /// Milliseconds since 1970; −1: as the broker is configured.
        expire_timestamp: i64, versions 1-1, default -1;
    }
}

message! {
    /// Which group.
    GroupMetadataKey, versions 2-2, flexible never {
        group: String, versions 2+;
    }
}

message! {
    /// A generation of a classic group, with what its leader assigned.
    GroupMetadataValue, versions 0-4, flexible 4+ {
        protocol_type: String, versions 0+;
        generation: i32, versions 0+;
        protocol: Option<String>, versions 0+, nullable 0+;
        leader: Option<String>, versions 0+, nullable 0+;
        /// Milliseconds since 1970.
        current_state_timestamp: i64, versions 2+, default -1;
        members: Vec<MemberMetadata>, versions 0+;
    }
    /// One member.
    MemberMetadata {
        member_id: String, versions 0+;
        group_instance_id: Option<String>, versions 3+, nullable 3+, default None;
        client_id: String, versions 0+;
        client_host: String, versions 0+;
        /// In milliseconds.
        rebalance_timeout: i32, versions 1+, default -1;
        /// In milliseconds.
        session_timeout: i32, versions 0+;
        subscription: Bytes, versions 0+;
        assignment: Bytes, versions 0+;
    }
}
