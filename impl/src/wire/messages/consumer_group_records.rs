//! What `__consumer_offsets` holds of groups of the consumer protocol (KIP-848).
//!
//! A key's version is its kind. Not here: regular expressions, and members of classic groups that change over.

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Which group.
    ConsumerGroupMetadataKey, versions 3-3, flexible never {
        group_id: String, versions 3+;
    }
}

message! {
    /// The group as a whole.
    ConsumerGroupMetadataValue, versions 0-0, flexible 0+ {
        epoch: i32, versions 0+;
        /// Of the topics that its members read.
        metadata_hash: i64, versions 0+, tag 0;
    }
}

message! {
    /// Which member.
    ConsumerGroupMemberMetadataKey, versions 5-5, flexible never {
        group_id: String, versions 5+;
        member_id: String, versions 5+;
    }
}

message! {
    /// What a member says of itself.
    ConsumerGroupMemberMetadataValue, versions 0-0, flexible 0+ {
        instance_id: Option<String>, versions 0+, nullable 0+;
        rack_id: Option<String>, versions 0+, nullable 0+;
        client_id: String, versions 0+;
        client_host: String, versions 0+;
        subscribed_topic_names: Vec<String>, versions 0+;
        subscribed_topic_regex: Option<String>, versions 0+, nullable 0+;
        rebalance_timeout_ms: i32, versions 0+, default -1;
        server_assignor: Option<String>, versions 0+, nullable 0+;
    }
}

message! {
    /// Which group's target assignment.
    ConsumerGroupTargetAssignmentMetadataKey, versions 6-6, flexible never {
        group_id: String, versions 6+;
    }
}

message! {
    /// The epoch that the target assignment is for.
    ConsumerGroupTargetAssignmentMetadataValue, versions 0-0, flexible 0+ {
        assignment_epoch: i32, versions 0+;
    }
}

message! {
    /// Which member's target.
    ConsumerGroupTargetAssignmentMemberKey, versions 7-7, flexible never {
        group_id: String, versions 7+;
        member_id: String, versions 7+;
    }
}

message! {
    /// What a member is to read.
    ConsumerGroupTargetAssignmentMemberValue, versions 0-0, flexible 0+ {
        topic_partitions: Vec<TopicPartitions>, versions 0+;
    }
    /// Some partitions of one topic.
    TopicPartitions {
        topic_id: Uuid, versions 0+;
        partitions: Vec<i32>, versions 0+;
    }
}

message! {
    /// Which member's progress.
    ConsumerGroupCurrentMemberAssignmentKey, versions 8-8, flexible never {
        group_id: String, versions 8+;
        member_id: String, versions 8+;
    }
}

message! {
    /// How far a member is on its way to its target.
    ConsumerGroupCurrentMemberAssignmentValue, versions 0-0, flexible 0+ {
        /// −2: a static member that has gone for a while.
        member_epoch: i32, versions 0+;
        previous_member_epoch: i32, versions 0+;
        /// 0: stable, 1: it is to give up partitions, 2: it waits for some.
        state: i8, versions 0+;
        assigned_partitions: Vec<TopicPartitions>, versions 0+;
        partitions_pending_revocation: Vec<TopicPartitions>, versions 0+;
    }
}
