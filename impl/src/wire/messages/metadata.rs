//! Metadata: who the brokers are, and which of them lead what.

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Asks for the brokers, and for where some topics live.
    MetadataRequest, versions 0-13, flexible 9+ {
        /// None: all topics. In version 0, none are listed to ask for all.
        topics: Option<Vec<MetadataRequestTopic>>, versions 0+, nullable 1+;
        allow_auto_topic_creation: bool, versions 4+, default true;
        include_cluster_authorized_operations: bool, versions 8-10;
        include_topic_authorized_operations: bool, versions 8+;
    }
    /// One topic, by name or by id.
    MetadataRequestTopic {
        topic_id: Uuid, versions 10+;
        name: Option<String>, versions 0+, nullable 10+;
    }
}

message! {
    /// The brokers, and where topics live.
    MetadataResponse, versions 0-13, flexible 9+ {
        throttle_time_ms: i32, versions 3+;
        brokers: Vec<MetadataResponseBroker>, versions 0+;
        cluster_id: Option<String>, versions 2+, nullable 2+, default None;
        controller_id: i32, versions 1+, default -1;
        topics: Vec<MetadataResponseTopic>, versions 0+;
        /// A bit set; `i32::MIN` if not asked for.
        cluster_authorized_operations: i32, versions 8-10, default i32::MIN;
        error_code: i16, versions 13+;
    }
    /// One broker that is not fenced.
    MetadataResponseBroker {
        node_id: i32, versions 0+;
        host: String, versions 0+;
        port: i32, versions 0+;
        rack: Option<String>, versions 1+, nullable 1+, default None;
    }
    /// One topic.
    MetadataResponseTopic {
        error_code: i16, versions 0+;
        name: Option<String>, versions 0+, nullable 12+;
        topic_id: Uuid, versions 10+;
        is_internal: bool, versions 1+;
        partitions: Vec<MetadataResponsePartition>, versions 0+;
        /// A bit set; `i32::MIN` if not asked for.
        topic_authorized_operations: i32, versions 8+, default i32::MIN;
    }
    /// One partition.
    MetadataResponsePartition {
        error_code: i16, versions 0+;
        partition_index: i32, versions 0+;
        leader_id: i32, versions 0+;
        leader_epoch: i32, versions 7+, default -1;
        replica_nodes: Vec<i32>, versions 0+;
        isr_nodes: Vec<i32>, versions 0+;
        offline_replicas: Vec<i32>, versions 5+;
    }
}
