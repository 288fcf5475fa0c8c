//! ConsumerGroupDescribe: groups of the consumer protocol, with their members (KIP-848).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Asks for groups.
    ConsumerGroupDescribeRequest, versions 0-1, flexible 0+ {
        group_ids: Vec<String>, versions 0+;
        include_authorized_operations: bool, versions 0+;
    }
}

message! {
    /// The groups.
    ConsumerGroupDescribeResponse, versions 0-1, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        groups: Vec<DescribedGroup>, versions 0+;
    }
    /// One group.
    DescribedGroup {
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+, default None;
        group_id: String, versions 0+;
        group_state: String, versions 0+;
        group_epoch: i32, versions 0+;
        assignment_epoch: i32, versions 0+;
        assignor_name: String, versions 0+;
        members: Vec<Member>, versions 0+;
        /// Bits; the default says that nobody asked.
        authorized_operations: i32, versions 0+, default i32::MIN;
    }
    /// One member.
    Member {
        member_id: String, versions 0+;
        instance_id: Option<String>, versions 0+, nullable 0+, default None;
        rack_id: Option<String>, versions 0+, nullable 0+, default None;
        member_epoch: i32, versions 0+;
        client_id: String, versions 0+;
        client_host: String, versions 0+;
        subscribed_topic_names: Vec<String>, versions 0+;
        subscribed_topic_regex: Option<String>, versions 0+, nullable 0+, default None;
        assignment: Assignment, versions 0+;
        target_assignment: Assignment, versions 0+;
        /// −1: unknown; 0: it speaks the classic protocol; 1: the consumer protocol.
        member_type: i8, versions 1+, default -1;
    }
    /// What a member may read, or is to.
    Assignment {
        topic_partitions: Vec<TopicPartitions>, versions 0+;
    }
    /// Some partitions of one topic.
    TopicPartitions {
        topic_id: Uuid, versions 0+;
        topic_name: String, versions 0+;
        partitions: Vec<i32>, versions 0+;
    }
}
