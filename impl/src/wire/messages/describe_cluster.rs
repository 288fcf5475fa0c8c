//! DescribeCluster (KIP-700).

use crate::wire::table::message;

message! {
    /// Asks for the brokers or the controllers.
    DescribeClusterRequest, versions 0-2, flexible 0+ {
        include_cluster_authorized_operations: bool, versions 0+;
        /// 1: brokers; 2: controllers.
        endpoint_type: i8, versions 1+, default 1;
        include_fenced_brokers: bool, versions 2+;
    }
}

message! {
    /// The brokers or the controllers.
    DescribeClusterResponse, versions 0-2, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+, default None;
        /// 1: brokers; 2: controllers.
        endpoint_type: i8, versions 1+, default 1;
        cluster_id: String, versions 0+;
        controller_id: i32, versions 0+, default -1;
        brokers: Vec<DescribeClusterBroker>, versions 0+;
        /// A bit set; `i32::MIN` if not asked for.
        cluster_authorized_operations: i32, versions 0+, default i32::MIN;
    }
    /// One of them.
    DescribeClusterBroker {
        broker_id: i32, versions 0+;
        host: String, versions 0+;
        port: i32, versions 0+;
        rack: Option<String>, versions 0+, nullable 0+, default None;
        is_fenced: bool, versions 2+;
    }
}
