//! What stands before every request and every response.

use crate::wire::table::message;

message! {
    /// What stands before every request. The client id has the same layout in every version.
    RequestHeader, versions 1-2, flexible 2+ {
        request_api_key: i16, versions 0+;
        request_api_version: i16, versions 0+;
        correlation_id: i32, versions 0+;
        client_id: Option<String>, versions 1+, nullable 1+, flexible never;
    }
}

message! {
    /// What stands before every response.
    ResponseHeader, versions 0-1, flexible 1+ {
        correlation_id: i32, versions 0+;
    }
}
