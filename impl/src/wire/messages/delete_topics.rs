//! DeleteTopics, by name or by id (KIP-516).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Deletes topics.
    DeleteTopicsRequest, versions 1-6, flexible 4+ {
        topics: Vec<DeleteTopicState>, versions 6+;
        topic_names: Vec<String>, versions 0-5;
        timeout_ms: i32, versions 0+;
    }
    /// One topic, by name or by id.
    DeleteTopicState {
        name: Option<String>, versions 6+, nullable 6+, default None;
        topic_id: Uuid, versions 6+;
    }
}

message! {
    /// Which topics were deleted.
    DeleteTopicsResponse, versions 1-6, flexible 4+ {
        throttle_time_ms: i32, versions 1+;
        responses: Vec<DeletableTopicResult>, versions 0+;
    }
    /// One topic.
    DeletableTopicResult {
        name: Option<String>, versions 0+, nullable 6+;
        topic_id: Uuid, versions 6+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 5+, nullable 5+, default None;
    }
}
