//! ApiVersions: what a server can do. The first request of a connection (KIP-35, KIP-511, KIP-584).

use crate::wire::table::message;

message! {
    /// Asks what a server can do.
    ApiVersionsRequest, versions 0-4, flexible 3+ {
        client_software_name: String, versions 3+;
        client_software_version: String, versions 3+;
    }
}

message! {
    /// What a server can do.
    ApiVersionsResponse, versions 0-4, flexible 3+ {
        error_code: i16, versions 0+;
        api_keys: Vec<ApiVersion>, versions 0+;
        throttle_time_ms: i32, versions 1+;
        supported_features: Vec<SupportedFeatureKey>, versions 3+, tag 0;
        /// −1: unknown.
        finalized_features_epoch: i64, versions 3+, tag 1, default -1;
        finalized_features: Vec<FinalizedFeatureKey>, versions 3+, tag 2;
        zk_migration_ready: bool, versions 3+, tag 3;
    }
    /// The versions of one request that the server accepts, both inclusive.
    ApiVersion {
        api_key: i16, versions 0+;
        min_version: i16, versions 0+;
        max_version: i16, versions 0+;
    }
    /// The levels of one feature that the server could work at.
    SupportedFeatureKey {
        name: String, versions 3+;
        min_version: i16, versions 3+;
        max_version: i16, versions 3+;
    }
    /// The level of one feature that the cluster works at.
    FinalizedFeatureKey {
        name: String, versions 3+;
        max_version_level: i16, versions 3+;
        min_version_level: i16, versions 3+;
    }
}
