//! DescribeConfigs: the settings of topics and brokers, and where each comes from.

use crate::wire::table::message;

message! {
    /// Asks for settings.
    DescribeConfigsRequest, versions 1-4, flexible 4+ {
        resources: Vec<DescribeConfigsResource>, versions 0+;
        include_synonyms: bool, versions 1+;
        include_documentation: bool, versions 3+;
    }
    /// One topic or broker.
    DescribeConfigsResource {
        resource_type: i8, versions 0+;
        resource_name: String, versions 0+;
        configuration_keys: Option<Vec<String>>, versions 0+, nullable 0+;
    }
}

message! {
    /// Settings.
    DescribeConfigsResponse, versions 1-4, flexible 4+ {
        throttle_time_ms: i32, versions 0+;
        results: Vec<DescribeConfigsResult>, versions 0+;
    }
    /// One topic or broker.
    DescribeConfigsResult {
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+;
        resource_type: i8, versions 0+;
        resource_name: String, versions 0+;
        configs: Vec<DescribeConfigsResourceResult>, versions 0+;
    }
    /// One setting.
    DescribeConfigsResourceResult {
        name: String, versions 0+;
        value: Option<String>, versions 0+, nullable 0+;
        read_only: bool, versions 0+;
        config_source: i8, versions 1+, default -1;
        is_sensitive: bool, versions 0+;
        synonyms: Vec<DescribeConfigsSynonym>, versions 1+;
        config_type: i8, versions 3+;
        documentation: Option<String>, versions 3+, nullable 0+;
    }
    /// A place where the setting could come from, the strongest first.
    DescribeConfigsSynonym {
        name: String, versions 1+;
        value: Option<String>, versions 1+, nullable 0+;
        source: i8, versions 1+;
    }
}
