//! ConsumerGroupHeartbeat: a member of a consumer group says what has changed, and hears what it is to read (KIP-848).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// What a member says.
    ConsumerGroupHeartbeatRequest, versions 0-1, flexible 0+ {
        group_id: String, versions 0+;
        member_id: String, versions 0+;
        /// 0: it joins; −1: it leaves; −2: a static member goes and will be back.
        member_epoch: i32, versions 0+;
        instance_id: Option<String>, versions 0+, nullable 0+, default None;
        rack_id: Option<String>, versions 0+, nullable 0+, default None;
        /// −1: as before.
        rebalance_timeout_ms: i32, versions 0+, default -1;
        subscribed_topic_names: Option<Vec<String>>, versions 0+, nullable 0+, default None;
        subscribed_topic_regex: Option<String>, versions 1+, nullable 1+, default None;
        server_assignor: Option<String>, versions 0+, nullable 0+, default None;
        /// What it owns.
        topic_partitions: Option<Vec<TopicPartitions>>, versions 0+, nullable 0+, default None;
    }
    /// Some partitions of one topic.
    TopicPartitions {
        topic_id: Uuid, versions 0+;
        partitions: Vec<i32>, versions 0+;
    }
}

message! {
    /// What it hears.
    ConsumerGroupHeartbeatResponse, versions 0-1, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+, default None;
        member_id: Option<String>, versions 0+, nullable 0+, default None;
        member_epoch: i32, versions 0+;
        heartbeat_interval_ms: i32, versions 0+;
        /// Null: as before.
        assignment: Option<Assignment>, versions 0+, nullable 0+, default None;
    }
    /// What a member may read.
    Assignment {
        topic_partitions: Vec<TopicPartitions>, versions 0+;
    }
}
